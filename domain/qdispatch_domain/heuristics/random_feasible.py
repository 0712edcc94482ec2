"""Random feasible: a uniformly random permitted pair, within the window."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.heuristics.window import DEFAULT_WINDOW_MIN, windowed
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Situation


class RandomFeasible:
    """Ranks pairs at random; `seed` makes a sequence of calls repeatable."""

    def __init__(self, seed: int, window_min: float = DEFAULT_WINDOW_MIN) -> None:
        self._random = np.random.default_rng(seed)
        self.window_min = window_min

    def score(self, situation: Situation) -> Scores:
        """Scores of the pairs, see `Scorer`."""
        return windowed(situation, self._random.random(len(situation.table.rank)), self.window_min)
