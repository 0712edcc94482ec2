"""A rolling planner that plans for several sampled futures at once and commits what most of the plans agree on.

The multiple scenario approach with its consensus function (Bent and Van Hentenryck 2004, Operations Research 52(6),
"Scenario-based planning for partially dynamic vehicle routing with stochastic customers"): every future is planned as
if it were certain; a booking is committed when in more than half of the plans its driver has to leave before the next
look, to the driver whom most of those plans name. The sampled bookings themselves are never committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from qdispatch_domain.compiled.day_problem import Days
from qdispatch_domain.compiled.local_search import Search
from qdispatch_domain.compiled.plan import plan_days
from qdispatch_domain.events import next_event
from qdispatch_domain.fleet import EPS, Fleet
from qdispatch_domain.futures_search import consensus
from qdispatch_domain.insertion import Insertions
from qdispatch_domain.observation import Scores
from qdispatch_domain.planner import days_of_fleet
from qdispatch_domain.situation import Situation
from qdispatch_trainer.day import I64, Day
from qdispatch_trainer.futures.expected import Expected, Futures

OF_BOOKINGS = (
    "scheduled",
    "tolerance",
    "pickup_service",
    "dropoff_service",
    "loaded",
    "pickup",
    "dropoff",
    "outbound",
    "urgent",
)
_VOTE = 10.0  # minutes-equivalent; ranks pairs by the plans that use them, then by cost
_TIE = 1e-3


@dataclass(frozen=True, slots=True)
class Looking:
    """How far the planner looks; every field is part of its identity."""

    futures: int = 8
    ahead_min: float = 90.0
    lead_min: float = 5.0
    search: Search = field(default_factory=Search)  # over one future
    known_moves: int = 0  # over what is known, for a plan that those of the futures start from; 0: from nothing


class FuturesPlanner:
    """The planner of `days`, which must be played side by side, in this order. `seed` keys all random numbers."""

    def __init__(self, days: Sequence[Day], looking: Looking, seed: Sequence[int]) -> None:
        self._looking = looking
        self._futures = Futures(days, looking.futures, looking.ahead_min, seed)

    def score(self, situation: Situation) -> Scores:
        """Pairs ranked by the plans that use them, and the pairs to commit now; see `Scorer`."""
        fleet, table, looking = situation.fleet, situation.table, self._looking
        pairs, bookings, futures = table.insertion, situation.fleet.open.shape[1], self._looking.futures
        days: I64 = np.unique(pairs.day)
        if not len(days):
            return Scores(q_pair=np.zeros(0), q_wait=np.full(fleet.days, np.nan), commit=np.zeros(0, dtype=np.bool_))
        row_of_day = np.full(fleet.days, -1)
        row_of_day[days] = np.arange(len(days))
        expected = self._futures.expected(fleet, days)
        first_row = row_of_day[expected.day] * futures + expected.future
        column = bookings + _count_within(first_row)
        room = int(column.max(initial=bookings - 1)) + 1 - bookings
        known = days_of_fleet(fleet, table)
        if looking.known_moves:
            how = looking.search._replace(moves=looking.known_moves)
            free = np.zeros(len(pairs.day))
            known = known._replace(first_driver=plan_days(known, pairs.day, pairs.driver, pairs.booking, free, how)[0])
        extended = _extended(known, np.repeat(days, futures), expected, first_row, column, room)
        options = _options(fleet, pairs, row_of_day, futures, expected, first_row, column)
        driver, depart, _ = plan_days(extended, *options, np.zeros(len(options[0])), looking.search)
        plans = (len(days), futures, -1)
        row = row_of_day[pairs.day]
        used = driver.reshape(plans)[row, :, pairs.booking] == pairs.driver[:, None]  # [P, S]
        until = np.maximum(fleet.now + looking.lead_min, next_event(fleet, table))
        leaves = depart.reshape(plans)[row, :, pairs.booking] <= until[pairs.day][:, None] + EPS
        planned, due = used.sum(axis=1), (used & leaves).sum(axis=1)
        rank = _VOTE * (planned + due) - _TIE * table.total
        asked = np.full(len(pairs.day), futures)
        _, commit = consensus(pairs.day * bookings + pairs.booking, planned, due, asked, -table.total)
        return Scores(q_pair=rank, q_wait=np.full(fleet.days, np.nan), commit=commit)


def _extended(days: Days, rows: I64, expected: Expected, row: I64, column: I64, room: int) -> Days:
    """The days `rows` [R], one row per future, with `room` more bookings: the expected ones, at (`row`, `column`)."""
    parts = {}
    for name, value in days._asdict().items():
        if name == "seconds":  # the travel matrix belongs to no day
            parts[name] = value
            continue
        taken = value[rows]
        if name in OF_BOOKINGS:
            taken = np.pad(taken, [(0, room) if axis == 1 else (0, 0) for axis in range(taken.ndim)])
            taken[row, column] = getattr(expected, name)
        elif name in ("current_driver", "first_driver"):
            taken = np.pad(taken, [(0, 0), (0, room)], constant_values=-1)
        parts[name] = taken
    return Days(**parts)


def _options(
    fleet: Fleet, pairs: Insertions, row_of_day: I64, futures: int, expected: Expected, row: I64, column: I64
) -> tuple[I64, I64, I64]:
    """(row, driver, booking) of who may drive what, by (row, booking); expected bookings by any fitting vehicle."""
    known = np.repeat(row_of_day[pairs.day] * futures, futures) + np.tile(np.arange(futures), len(pairs.day))
    fits = fleet.usable[expected.day]
    fits = fits & (fleet.wheelchair_access[expected.day] | ~expected.wheelchair[:, None])
    fits &= fleet.seats[expected.day] >= expected.passengers[:, None]
    which, driver = np.nonzero(fits)
    rows = np.concatenate([known, row[which]])
    drivers = np.concatenate([np.repeat(pairs.driver, futures), driver])
    booking = np.concatenate([np.repeat(pairs.booking, futures), column[which]])
    order = np.lexsort((booking, rows))
    return rows[order], drivers[order], booking[order]


def _count_within(group: I64) -> I64:
    """0, 1, 2 … within each run of equal values of `group` [M], which is sorted."""
    first = np.flatnonzero(np.diff(group, prepend=-1) != 0)
    start = np.repeat(first, np.diff(np.append(first, len(group))))
    out: I64 = np.arange(len(group)) - start
    return out
