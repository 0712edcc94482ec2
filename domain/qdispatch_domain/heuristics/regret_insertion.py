"""Regret-2 insertion (Potvin and Rousseau 1993): first the booking that loses most without its best driver."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qdispatch_domain.heuristics.window import DEFAULT_WINDOW_MIN, windowed
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Situation

ALONE = 1000.0  # regret of a booking with one driver left, minutes-equivalent: the price of not serving it


@dataclass(frozen=True, slots=True)
class RegretInsertion:
    """Ranks bookings by regret (second cheapest minus cheapest driver), and their pairs by cost, within the window."""

    window_min: float = DEFAULT_WINDOW_MIN

    def score(self, situation: Situation) -> Scores:
        """Scores of the pairs, see `Scorer`."""
        fleet, table = situation.fleet, situation.table
        pairs = table.insertion
        best, second = np.zeros(fleet.open.shape), np.full(fleet.open.shape, np.nan)
        for rank, costs in ((0, best), (1, second)):
            rows = table.rank == rank
            costs[pairs.day[rows], pairs.booking[rows]] = table.total[rows]
        regret = np.where(np.isnan(second), ALONE, second - best)[pairs.day, pairs.booking]
        behind = table.total - best[pairs.day, pairs.booking]  # 0 for the cheapest driver of a booking
        return windowed(situation, regret - 10.0 * behind, self.window_min)
