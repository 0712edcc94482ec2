"""The search behind the model: plans for sampled futures, where numba is installed (extra [search])."""

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


def search_possible() -> bool:
    """Whether this process could search: numba is installed and not switched off."""
    return importlib.util.find_spec("numba") is not None and os.environ.get(SWITCH) != "0"


class Searching:
    """What follows the model's values in the answers to snapshots of at most `most_drivers` usable drivers.

    `moves`, of one answer at most, and `most_drivers` are 0 when nothing follows.
    """

    def __init__(self, mode: Mode) -> None:
        """`auto` searches where it can. Raises ValueError for `on` where it cannot (the settings have been checked)."""
        if mode == "on" and not search_possible():
            raise ValueError("search = on needs numba: install the extra [search].")
        self._put_behind: Callable[[Scorer], Scorer] | None = None
        self.moves, self.most_drivers = 0, 0
        if mode != "off" and kernels() is not None:
            from qdispatch_domain.futures_search import FuturesSearch  # needs numba

            self._put_behind = FuturesSearch
            usual = FuturesSearch(_Silent())
            self.moves, self.most_drivers = usual.moves, usual.most_drivers

    def behind(self, policy: Scorer) -> Scorer:
        """The policy with the search behind it, or the policy itself."""
        return policy if self._put_behind is None else self._put_behind(policy)

    def moves_at(self, usable_drivers: int) -> int:
        """At most so many moves follow the model's values in an answer about so many drivers."""
        return self.moves if usable_drivers <= self.most_drivers else 0

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
    """One driver, one booking that has to leave; nowhere in particular."""
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
        scheduled_time=606.0,
        leg=Leg.OUTBOUND,
        time_confirmed=True,
        known_since=0.0,
    )
    return Snapshot(600.0, (driver,), (booking,))
