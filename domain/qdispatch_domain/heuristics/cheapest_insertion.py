"""Cheapest insertion (Solomon 1987): the pair with the least growth of cost first. The server's fallback."""

from __future__ import annotations

from dataclasses import dataclass

from qdispatch_domain.heuristics.window import DEFAULT_WINDOW_MIN, windowed
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Situation


@dataclass(frozen=True, slots=True)
class CheapestInsertion:
    """Ranks pairs by minus the growth of the day's cost, within the window (minutes)."""

    window_min: float = DEFAULT_WINDOW_MIN

    def score(self, situation: Situation) -> Scores:
        """Scores of the pairs, see `Scorer`."""
        return windowed(situation, -situation.table.total, self.window_min)
