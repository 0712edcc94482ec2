"""One number for a policy over several scenarios: the mean of its cost relative to a reference on the same days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qdispatch_domain.situation import Scorer
from qdispatch_trainer.closed_loop import returns_of
from qdispatch_trainer.paired_difference import Interval, paired_difference
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose, seed_range
from qdispatch_trainer.workers import InProcess, Workers

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RelativeCosts:
    """Per scenario the cost of every day [days] divided by the reference's mean cost over the same days."""

    of_scenario: Mapping[str, F64]

    @property
    def mean(self) -> float:
        """Mean over the scenarios of their mean relative cost; 1 is the reference, less is better."""
        return float(np.mean([values.mean() for values in self.of_scenario.values()]))

    @property
    def by_scenario(self) -> dict[str, float]:
        """Mean relative cost of every scenario."""
        return {name: float(values.mean()) for name, values in self.of_scenario.items()}

    @property
    def weighted(self) -> F64:
        """All days in a row, each weighted so that their plain mean is `mean`: for paired differences."""
        total = sum(len(values) for values in self.of_scenario.values())
        shares = [values * (total / (len(values) * len(self.of_scenario))) for values in self.of_scenario.values()]
        return np.concatenate(shares)


class Yardstick:
    """Fixed validation days of several scenarios and what the reference costs there."""

    def __init__(
        self, days: Mapping[str, int], reference: Scorer, first_day: int = 0, workers: Workers | None = None
    ) -> None:
        self._workers = workers or InProcess()
        self._seeds = {name: seed_range(SeedPurpose.VALIDATION, count, first_day) for name, count in days.items()}
        self.reference_cost = {name: float(cost.mean()) for name, cost in self._costs(reference).items()}

    def measure(self, policy: Scorer) -> RelativeCosts:
        """Play the policy on all days."""
        return RelativeCosts({name: cost / self.reference_cost[name] for name, cost in self._costs(policy).items()})

    def _costs(self, policy: Scorer) -> dict[str, F64]:
        pieces = [(scenario_named(name), seeds, policy) for name, seeds in self._seeds.items()]
        return {name: -found for name, found in zip(self._seeds, self._workers.map(returns_of, pieces), strict=True)}


def gain(better: RelativeCosts, worse: RelativeCosts) -> Interval:
    """By how much `better` costs less than `worse`, relative to the reference, paired by day, with its interval."""
    return paired_difference(worse.weighted, better.weighted)
