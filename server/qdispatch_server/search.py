"""Guided search: a short local search behind the model's values, where numba is installed (extra [search])."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from typing import Literal

import structlog

from qdispatch_domain.acceleration import SWITCH, kernels
from qdispatch_domain.decoder import decide
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Scorer, Situation
from qdispatch_domain.snapshot import Booking, Driver, DriverKind, Leg, Location, Position, Snapshot

LOG = structlog.get_logger("qdispatch.search")
Mode = Literal["auto", "on", "off"]
Guide = Callable[[Scorer], Scorer]


def search_possible() -> bool:
    """Whether this process could search: numba is installed and not switched off."""
    return importlib.util.find_spec("numba") is not None and os.environ.get(SWITCH) != "0"


class GuidedSearching:
    """What follows the model's values in every answer of the model. `moves` 0: nothing does."""

    def __init__(self, mode: Mode) -> None:
        """`auto` searches where it can. Raises ValueError for `on` where it cannot (the settings have been checked)."""
        if mode == "on" and not search_possible():
            raise ValueError("search = on needs numba: install the extra [search].")
        self._guide: Guide | None = None
        self.moves = 0
        if mode != "off" and kernels() is not None:
            from qdispatch_domain.planner import GuidedSearch  # needs numba

            self._guide = GuidedSearch
            self.moves = GuidedSearch(_Silent()).search.moves

    def behind(self, policy: Scorer) -> Scorer:
        """The policy with the search behind it, or the policy itself."""
        return policy if self._guide is None else self._guide(policy)

    def warm_up(self) -> None:
        """Compile, or read from the cache, all that an answer needs: no call waits for that."""
        if kernels() is None:
            return
        decide(_tiny_snapshot(), self.behind(_Silent()))
        LOG.info("kernels_ready", search_moves=self.moves)


class _Silent:
    """A policy without preferences."""

    def score(self, situation: Situation) -> Scores:
        """Minus the cost of every pair."""
        _ = situation.observations
        return Scores(q_pair=-situation.table.total, q_wait=-1e9)


def _tiny_snapshot() -> Snapshot:
    """One driver, one booking; nowhere in particular."""
    here, there = Location(46.2, 6.1), Location(46.22, 6.15)
    driver = Driver(
        id="warm-up",
        kind=DriverKind.REGULAR,
        available=True,
        wheelchair_access=True,
        seats=3,
        shift_start=360.0,
        shift_end=1080.0,
        position=Position(here, 600.0),
    )
    booking = Booking(
        id="warm-up",
        pickup=there,
        dropoff=here,
        scheduled_time=660.0,
        leg=Leg.OUTBOUND,
        time_confirmed=True,
        known_since=0.0,
    )
    return Snapshot(600.0, (driver,), (booking,))
