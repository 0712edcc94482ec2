"""Fair-nearest: added deadhead plus a price on every trip a driver has above the mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qdispatch_domain.heuristics.window import DEFAULT_WINDOW_MIN, windowed
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Situation


@dataclass(frozen=True, slots=True)
class FairNearest:
    """Ranks pairs by minus (added deadhead minutes + `per_trip_min` x trips above the mean), within the window."""

    window_min: float = DEFAULT_WINDOW_MIN
    per_trip_min: float = 10.0

    def score(self, situation: Situation) -> Scores:
        """Scores of the pairs, see `Scorer`."""
        pairs, load = situation.table.insertion, situation.table.loads
        mean = load.total / np.maximum(load.size, 1.0)
        above = np.where(load.counts, load.x - mean[:, None], 0.0)[pairs.day, pairs.driver]
        return windowed(situation, -(pairs.deadhead + self.per_trip_min * above), self.window_min)
