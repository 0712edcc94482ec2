"""Playing whole days with a policy through the domain's decoder, and what they returned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from qdispatch_domain.situation import Scorer
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.scenarios import Scenario
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.play import play_round

DAYS_AT_ONCE = 100


def returns_of(scenario: Scenario, seeds: Sequence[int], scorer: Scorer) -> npt.NDArray[np.float64]:
    """C(start) - C(end) of every day, [N] minutes-equivalent."""
    parts = []
    for first in range(0, len(seeds), DAYS_AT_ONCE):
        batch = DayBatch([generate_day(scenario, seed) for seed in seeds[first : first + DAYS_AT_ONCE]])
        start = batch.cost()
        while not batch.over.all():
            play_round(batch, scorer)
        parts.append(start - batch.cost())
    return np.concatenate(parts)
