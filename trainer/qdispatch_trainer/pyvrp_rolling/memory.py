"""What is kept of a day's plan between two decisions."""

from __future__ import annotations

from dataclasses import dataclass, field

from qdispatch_domain.fleet import EPS
from qdispatch_domain.situation import Situation
from qdispatch_domain.weights import RULES
from qdispatch_trainer.pyvrp_rolling.horizon import DayView

# the owner's number of the booking, its scheduled time and its pickup: a number alone may mean another booking later
Key = tuple[int, float, bytes]


@dataclass(slots=True)
class KeptPlan:
    """Whom PyVRP gave the bookings of a day to, `now` when it was last asked, and the bookings it knew."""

    now: float
    driver: dict[Key, int] = field(default_factory=dict)
    known: set[Key] = field(default_factory=set)


def keys_of(situation: Situation, view: DayView) -> list[Key]:
    """The planned bookings' keys, [B']."""
    fleet, n = situation.fleet, view.day
    return [
        (int(fleet.booking_code[n, b]), float(fleet.scheduled[n, b]), fleet.pickup[n, b].tobytes())
        for b in view.bookings.tolist()
    ]


def outdated(kept: KeptPlan, situation: Situation, view: DayView, keys: list[Key]) -> bool:
    """Whether the day has to be solved anew: see `RollingPyvrp`."""
    now, must = float(situation.fleet.now[view.day]), situation.table.must[view.day, view.bookings]
    if now < kept.now - EPS or not kept.known.issuperset(keys):
        return True
    gone = kept.known.difference(keys)
    if any(scheduled + RULES.latest_insertion_min <= now + EPS for _, scheduled, _ in gone):
        return True
    return any(due and key not in kept.driver for due, key in zip(must.tolist(), keys, strict=True))
