"""Nearest driver: the pair whose driver comes to the pickup over the least added empty driving."""

from __future__ import annotations

from dataclasses import dataclass

from qdispatch_domain.heuristics.window import DEFAULT_WINDOW_MIN, windowed
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Situation


@dataclass(frozen=True, slots=True)
class NearestDriver:
    """Ranks pairs by minus the added deadhead minutes, within the window (minutes)."""

    window_min: float = DEFAULT_WINDOW_MIN

    def score(self, situation: Situation) -> Scores:
        """Scores of the pairs, see `Scorer`."""
        return windowed(situation, -situation.table.insertion.deadhead, self.window_min)
