"""The search behind the model: plans for sampled futures, where numba is installed (extra [search])."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import structlog

from qdispatch_domain.acceleration import SWITCH, kernels
from qdispatch_domain.committing_ahead import committing_ahead
from qdispatch_domain.decoder import decide
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Scorer, Situation
from qdispatch_domain.snapshot import Booking, Driver, DriverKind, Leg, Location, Position, Snapshot

if TYPE_CHECKING:
    from qdispatch_domain.futures_search import FuturesSearch

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
        self._put_behind: Callable[[Scorer, float], Scorer] = committing_ahead
        self._usual: FuturesSearch | None = None
        self.moves, self.most_drivers = 0, 0
        if mode != "off" and kernels() is not None:
            from qdispatch_domain.futures_search import searched  # needs numba

            self._put_behind = searched
            self._usual = searched(_Silent(), 0.0)
            self.moves, self.most_drivers = self._usual.moves, self._usual.most_drivers

    def behind(self, policy: Scorer, commit_ahead_min: float) -> Scorer:
        """The policy with the search behind it, if there is one, committing so many minutes ahead."""
        return self._put_behind(policy, commit_ahead_min)

    def moves_at(self, usable_drivers: int) -> int:
        """At most so many moves follow the model's values in an answer about so many drivers."""
        effort = None if self._usual is None else self._usual.effort_at(usable_drivers)
        return 0 if effort is None else effort.moves

    def warm_up(self) -> None:
        """Compile, or read from the cache, all that an answer needs: no call waits for that."""
        if kernels() is None:
            return
        decide(_tiny_snapshot(), self.behind(_Silent(), 0.0))
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
