"""The generalisation table: the same comparison on every size, and which sizes a contestant was trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from qdispatch_trainer.comparison.comparing import kpis_by
from qdispatch_trainer.comparison.contestants import Contestant
from qdispatch_trainer.paired_difference import Interval, paired_difference
from qdispatch_trainer.scenarios import Scenario, scenario_named
from qdispatch_trainer.watching import Watch
from qdispatch_trainer.workers import InProcess, Workers

# Scenarios by size, and the share of the days asked for that are played there: a day of the largest takes minutes.
SIZES: Mapping[str, float] = MappingProxyType(
    {"clinic-day": 1.0, "fleet-10x60": 1.0, "fleet-30x200": 0.5, "fleet-60x300": 0.2, "fleet-100x700": 0.1}
)


@dataclass(frozen=True, slots=True)
class SizeRow:
    """One contestant on one size. `refused` says why it cannot be played there; then nothing else is known."""

    scenario: str
    contestant: str
    days: int
    in_training: bool | None  # None: nothing was trained
    cost: float | None
    percent: Interval | None  # of its cost against the first contestant's mean, paired by day
    refused: str | None


def size_rows(
    contestants: Sequence[Contestant],
    sizes: Mapping[str, float],
    days: int,
    seeds_of: Callable[[int], Sequence[int]],
    watch: Watch,
    workers: Workers | None = None,
) -> list[SizeRow]:
    """Every contestant on every size, at least two days; `seeds_of(n)` are the first n seeds."""
    rows: list[SizeRow] = []
    for name, share in sizes.items():
        scenario, seeds = scenario_named(name), seeds_of(max(2, round(days * share)))
        first = None
        for one in contestants:
            why = one.refused(scenario)
            if why is not None:
                rows.append(SizeRow(name, one.name, 0, _in_training(one, scenario), None, None, why))
                continue
            cost = np.array([day.cost for day in kpis_by(one, scenario, seeds, watch, workers or InProcess())])
            percent = None
            if one is contestants[0]:
                first = cost
            elif first is not None:
                percent = paired_difference(100.0 * cost / first.mean(), 100.0 * first / first.mean())
            rows.append(
                SizeRow(name, one.name, len(seeds), _in_training(one, scenario), float(cost.mean()), percent, None)
            )
    return rows


def _in_training(one: Contestant, scenario: Scenario) -> bool | None:
    if one.largest_trained is None:
        return None
    return max(count for count, _ in scenario.driver_counts) <= one.largest_trained
