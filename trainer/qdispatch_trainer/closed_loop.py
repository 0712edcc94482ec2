"""Playing whole days with a policy through the domain's decoder, and what came of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from qdispatch_domain.situation import Scorer
from qdispatch_trainer.day import Day
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.scenarios import Scenario
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.kpi import DayKpi, day_kpis
from qdispatch_trainer.simulator.play import play, play_round

DAYS_AT_ONCE = 100


def returns_of(scenario: Scenario, seeds: Sequence[int], scorer: Scorer) -> npt.NDArray[np.float64]:
    """C(start) - C(end) of every day, [N] minutes-equivalent."""
    return np.concatenate([returns_on(days, scorer) for days in _chunks(scenario, seeds)])


def returns_on(days: Sequence[Day], scorer: Scorer) -> npt.NDArray[np.float64]:
    """The same for `days` played side by side; a batch is padded to its largest day."""
    batch = DayBatch(days)
    start = batch.cost()
    while not batch.over.all():
        play_round(batch, scorer)
    return start - batch.cost()


def kpis_of(scenario: Scenario, seeds: Sequence[int], scorer: Scorer) -> list[DayKpi]:
    """Key figures of every day, in the order of the seeds."""
    return [kpi for days in _chunks(scenario, seeds) for kpi in day_kpis(play(days, scorer))]


def _chunks(scenario: Scenario, seeds: Sequence[int]) -> Iterator[list[Day]]:
    for first in range(0, len(seeds), DAYS_AT_ONCE):
        yield [generate_day(scenario, seed) for seed in seeds[first : first + DAYS_AT_ONCE]]
