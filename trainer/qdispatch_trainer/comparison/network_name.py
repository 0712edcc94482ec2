"""`PATH[@MINUTES][+search]`: a network, how far ahead it commits, and whether the server's search follows it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qdispatch_trainer.policies import MODEL
from qdispatch_trainer.scenarios import Scenario
from qdispatch_trainer.windows.frozen import tuned_window

AHEAD, TUNED, SEARCH = "@", "tuned", "+search"


@dataclass(frozen=True, slots=True)
class NetworkName:
    """What a name asks for."""

    place: str
    ahead: float | str  # minutes, or TUNED
    minutes: Callable[[Scenario], float]  # the same on a scenario
    search: bool


def network_name(name: str) -> NetworkName:
    """Reads a name; a file or folder of exactly that name is that file. Raises ValueError for no minutes behind @."""
    if Path(name).exists():
        return NetworkName(name, 0.0, lambda _: 0.0, search=False)
    rest = name.removesuffix(SEARCH)
    search = rest != name
    place, sign, said = rest.rpartition(AHEAD)
    if not sign or Path(rest).exists():
        return NetworkName(rest, 0.0, lambda _: 0.0, search)
    if said == TUNED:
        return NetworkName(place, TUNED, lambda scenario: tuned_window(scenario.name, MODEL), search)
    try:
        minutes = float(said)
    except ValueError:
        minutes = -1.0
    if not 0.0 <= minutes < math.inf:
        raise ValueError(f"{name!r}: expected minutes, or {TUNED!r}, behind the {AHEAD}.")
    return NetworkName(place, minutes, lambda _: minutes, search)
