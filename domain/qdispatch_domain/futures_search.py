"""A search that sees what may come: plans for sampled calls of the patients who call when ready.

The multiple scenario approach with its consensus function (Bent and Van Hentenryck 2004, Operations Research 52(6),
"Scenario-based planning for partially dynamic vehicle routing with stochastic customers"): every future is planned as
if it were certain; a booking is committed when in more than half of the plans its driver has to leave before the next
look, to the driver whom most of those plans name. Needs numba (extra [search] or [trainer]).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from qdispatch_domain.calls import call_table
from qdispatch_domain.committing_ahead import committing_ahead
from qdispatch_domain.compiled.future_plans import Looking, Waiting, plan_futures
from qdispatch_domain.compiled.local_search import Search
from qdispatch_domain.compiled.runs import mark_best
from qdispatch_domain.events import next_event
from qdispatch_domain.fleet import EPS, Fleet
from qdispatch_domain.observation import Scores
from qdispatch_domain.planner import days_of_fleet, lifted
from qdispatch_domain.reasons import BookingGap
from qdispatch_domain.situation import Scorer, Situation, days_of

LEAD_MIN = 5.0

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to look in fleets of at most `most_drivers` usable drivers."""

    most_drivers: int
    looking: Looking = field(default_factory=Looking)
    search: Search = field(default_factory=Search)  # over one future

    @property
    def moves(self) -> int:
        """Of a whole answer, at most."""
        return self.looking.known_moves + self.looking.futures * self.search.moves


# as measured: docs/experiments, 09 to 11
EFFORTS = (
    Effort(
        22,
        Looking(futures=16, known_moves=2000, known_start_temperature=30.0, known_end_temperature=1.0),
        Search(moves=500),
    ),
    Effort(44, Looking(futures=8, known_moves=8000), Search(moves=1500)),
    Effort(120, Looking(futures=4, known_moves=4000), Search(moves=1000)),
)


@dataclass(frozen=True, slots=True)
class FuturesSearch:
    """A policy behind which a few plans for sampled futures choose what to commit. See `Scorer`.

    Each booking's best pair by the policy makes the first plan of what is known; a search improves it, and the plans of
    the futures start from that. Fleets larger than those of the last effort are left to the policy.
    """

    policy: Scorer
    efforts: tuple[Effort, ...] = EFFORTS  # of fleets of more and more drivers
    lead_min: float = LEAD_MIN  # commits what leaves within so many minutes, or before the next known event

    @property
    def moves(self) -> int:
        """Of a whole answer, at most, in a fleet of any size."""
        return max(effort.moves for effort in self.efforts)

    @property
    def most_drivers(self) -> int:
        """The largest fleet, in usable drivers, that is searched."""
        return self.efforts[-1].most_drivers

    def with_moves(self, moves: int) -> FuturesSearch:
        """The same with so many moves over every future."""
        efforts = (replace(effort, search=effort.search._replace(moves=moves)) for effort in self.efforts)
        return replace(self, efforts=tuple(efforts))

    def effort_at(self, usable_drivers: int) -> Effort | None:
        """That of a fleet of so many usable drivers; None where it is left to the policy."""
        return next((effort for effort in self.efforts if usable_drivers <= effort.most_drivers), None)

    def score(self, situation: Situation) -> Scores:
        """The policy's values, the pairs that most plans use first among those of their booking, and what to commit.

        Where no pair leaves before the next look nothing is planned, and nothing is committed.
        """
        scores = self.policy.score(situation)
        fleet, table = situation.fleet, situation.table
        pairs, wait = table.insertion, days_of(scores, fleet.days)
        until = np.maximum(fleet.now + self.lead_min, next_event(fleet, table))
        efforts = [self.effort_at(usable) for usable in fleet.usable.sum(axis=1).tolist()]
        large = np.array([effort is None for effort in efforts])[pairs.day]
        own = scores.q_pair > wait[pairs.day] if scores.commit is None else scores.commit
        soon = np.zeros(fleet.days, dtype=np.bool_)
        soon[pairs.day[pairs.depart <= until[pairs.day] + EPS]] = True
        planned, due, asked = np.zeros((3, len(pairs.day)), dtype=np.int64)
        for effort in self.efforts:
            days = soon & np.array([mine is effort for mine in efforts])
            kept = np.flatnonzero(days[pairs.day])
            if len(kept):
                planned[kept], due[kept], asked[kept] = plan_futures(
                    days_of_fleet(fleet, table)._replace(first_driver=drivers_by_value(situation, scores.q_pair)),
                    waiting_of(fleet),
                    call_table(),
                    pairs.day[kept],
                    pairs.driver[kept],
                    pairs.booking[kept],
                    until,
                    effort.looking,
                    effort.search,
                )
        if not asked.any():
            return Scores(scores.q_pair, wait, own & large)
        most, commit = consensus(_bookings(situation), planned, due, asked, scores.q_pair)
        return Scores(lifted(situation, scores.q_pair, most), wait, np.where(large, own, commit))


def consensus(booking: I64, planned: I64, due: I64, asked: I64, value: F64) -> tuple[Bool, Bool]:
    """Of each `booking` [P] the pair that most plans use (of equals the one of the larger `value`), and whether to
    commit it: when the booking leaves now in more than half of the plans `asked`, the pair that leaves in most of them.

    The pairs of a booking stand side by side.
    """
    total = np.bincount(booking, weights=due)
    leaving = _best(booking, due, planned, value) & (2.0 * total[booking] > asked)
    used = _best(booking, planned, value, value) & (planned > 0)
    committed = np.zeros(len(total), dtype=np.bool_)
    committed[booking[leaving]] = True
    return np.where(committed[booking], leaving, used), leaving


def _bookings(situation: Situation) -> I64:
    """Of every pair [P] a number of its booking, over all days."""
    pairs = situation.table.insertion
    number: I64 = pairs.day * situation.fleet.open.shape[1] + pairs.booking
    return number


def drivers_by_value(situation: Situation, value: F64) -> I64:
    """The driver of each booking's best pair by `value` [P], [N, B]; -1 without a pair."""
    pairs = situation.table.insertion
    booking = _bookings(situation)
    best = _best(booking, value, value, value)
    driver = np.full(situation.fleet.open.shape, -1)
    driver[pairs.day[best], pairs.booking[best]] = pairs.driver[best]
    return driver


def _best(booking: I64, first: F64 | I64, second: F64 | I64, third: F64 | I64) -> Bool:
    """Of the pairs [P] of each booking the one that is largest by `first`, of equals by `second`, then by `third`."""
    best: Bool = np.zeros(len(booking), dtype=np.bool_)
    mark_best(booking, first.astype(np.float64), second.astype(np.float64), third.astype(np.float64), best)
    return best


def waiting_of(fleet: Fleet) -> Waiting:
    """The bookings that have not been called for and whose places are known."""
    placed = (fleet.pickup[..., :3] != 0.0).any(axis=-1) & (fleet.dropoff[..., :3] != 0.0).any(axis=-1)
    uncalled = fleet.booking_real & (fleet.booking_gap == BookingGap.NOT_READY) & placed
    return Waiting(
        uncalled,
        fleet.linked_scheduled,
        fleet.wheelchair,
        fleet.passengers,
        fleet.pinned,
        fleet.wheelchair_access,
        fleet.seats,
    )


def searched(policy: Scorer, commit_ahead_min: float) -> FuturesSearch:
    """The search behind `policy`, of a server that commits so many minutes ahead (0: no more than it has to)."""
    return FuturesSearch(committing_ahead(policy, commit_ahead_min), lead_min=max(LEAD_MIN, commit_ahead_min))
