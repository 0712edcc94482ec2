"""Joint matching: the assignment of drivers to bookings due soon that is cheapest as a whole (Kuhn 1955)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from qdispatch_domain.heuristics.window import DEFAULT_WINDOW_MIN
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Situation

UNMATCHED = 1e6  # cost of leaving a booking out of the matching: more than any insertion


@dataclass(frozen=True, slots=True)
class JointMatching:
    """Commits a matching of the bookings whose `decide_by` is within `window_min` minutes, at most one per driver.

    As many bookings as possible are matched, at the least total cost of their insertions.
    """

    window_min: float = DEFAULT_WINDOW_MIN

    def score(self, situation: Situation) -> Scores:
        """Minus the cost of each pair, and the matched pairs to commit; see `Scorer`."""
        fleet, table = situation.fleet, situation.table
        pairs = table.insertion
        due = table.decide_by[pairs.day, pairs.booking] - fleet.now[pairs.day] <= self.window_min
        commit = np.zeros(len(pairs.day), dtype=np.bool_)
        candidates = np.flatnonzero(due)
        for of_day in np.split(candidates, np.flatnonzero(np.diff(pairs.day[candidates])) + 1):
            if len(of_day):
                commit[of_day[match(pairs.booking[of_day], pairs.driver[of_day], table.total[of_day])]] = True
        return Scores(q_pair=-table.total, q_wait=np.full(fleet.days, np.nan), commit=commit)


def match(
    booking: npt.NDArray[np.int64], driver: npt.NDArray[np.int64], cost: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Rows [M] of a sparse pair list that form a matching of most bookings at the least total cost.

    `booking`, `driver` [P] name the ends of the pairs, `cost` [P] is in minutes-equivalent, |cost| < UNMATCHED / 1000.
    """
    bookings, row = np.unique(booking, return_inverse=True)
    drivers, column = np.unique(driver, return_inverse=True)
    cost_BD = np.full((len(bookings), len(drivers)), UNMATCHED)
    cost_BD[row, column] = cost
    pair_BD = np.full(cost_BD.shape, -1, dtype=np.int64)
    pair_BD[row, column] = np.arange(len(cost))
    chosen_row, chosen_column = linear_sum_assignment(cost_BD)
    chosen: npt.NDArray[np.int64] = pair_BD[chosen_row, chosen_column]
    return chosen[chosen >= 0]
