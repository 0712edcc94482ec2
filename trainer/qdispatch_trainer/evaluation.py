"""Model and comparators on the same days: key figures and paired differences.

The heuristics look as far ahead as is best for the scenario (`windows/frozen.json`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from qdispatch_domain.situation import Scorer
from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.action_agreement import AgreementCounter
from qdispatch_trainer.closed_loop import kpis_of
from qdispatch_trainer.comparators import Policy, comparator
from qdispatch_trainer.paired_difference import Interval, interval, paired_difference
from qdispatch_trainer.policies import HEURISTICS, MODEL, REFERENCE
from qdispatch_trainer.scenarios import Scenario
from qdispatch_trainer.seeds import purpose_of, require_seeds
from qdispatch_trainer.simulator.kpi import DayKpi
from qdispatch_trainer.watching import Watch

SERVER = "model through the server"
DAYS_AT_ONCE = 25
KPIS = tuple(f.name for f in fields(DayKpi) if f.name not in ("scenario", "seed", "bookings"))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Per policy the key figures [days] of every KPI, all on the same seeds; NaN where a day has nothing to count."""

    scenario: Scenario
    seeds: tuple[int, ...]
    kpis: Mapping[str, Mapping[str, npt.NDArray[np.float64]]]  # policy -> KPI -> [N]
    agreement: float | None  # share of the model's decisions that are cheapest insertion's; None without a model
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # of the comparators: windows, moves

    @property
    def baseline(self) -> str:
        """The policy that differences are taken from: the model, else the reference heuristic, else the first one."""
        return next(name for name in (MODEL, SERVER, REFERENCE, *self.kpis) if name in self.kpis)

    def mean(self, policy: str, kpi: str) -> Interval | None:
        """Mean over the days with its interval; None when no day has a value."""
        values = self.kpis[policy][kpi]
        return interval(values) if np.isfinite(values).any() else None

    def difference(self, policy: str, kpi: str) -> Interval | None:
        """Baseline minus policy, paired by day; for the cost, below 0 means the baseline is cheaper."""
        mine, theirs = self.kpis[self.baseline][kpi], self.kpis[policy][kpi]
        return paired_difference(mine, theirs) if np.isfinite(mine - theirs).any() else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; None where nothing could be counted."""
        return {
            "scenario": self.scenario.name,
            "scenario_digest": self.scenario.digest(),
            "weights_digest": WEIGHTS.digest(),
            "days": len(self.seeds),
            "first_seed": self.seeds[0],
            "last_seed": self.seeds[-1],
            "seed_purpose": purpose_of(self.seeds[0]).value,
            "baseline": self.baseline,
            "agreement_with_cheapest_insertion": self.agreement,
            "policies": {policy: self._policy(policy) for policy in self.kpis},
            "parameters": {policy: dict(values) for policy, values in self.parameters.items()},
        }

    def _policy(self, policy: str) -> dict[str, Any]:
        return {
            "kpis": {kpi: _plain(self.mean(policy, kpi)) for kpi in KPIS},
            "baseline_minus_this": None
            if policy == self.baseline
            else {kpi: _plain(self.difference(policy, kpi)) for kpi in KPIS},
            "cost_per_day": [round(float(cost), 6) for cost in self.kpis[policy]["cost"]],
        }


def evaluate(
    scenario: Scenario,
    seeds: Sequence[int],
    model: Scorer | None,
    through_server: Callable[[Scenario, Sequence[int]], list[DayKpi]] | None,
    watch: Watch,
    comparators: Sequence[str] = tuple(HEURISTICS),
) -> Evaluation:
    """Play every policy on the same days.

    Raises SeedRangeError when the seeds belong to different purposes, ValueError for an unknown comparator,
    ExtraMissing for one whose packages are not installed.
    """
    checked = require_seeds(purpose_of(seeds[0]), seeds)
    policies: list[Policy] = [comparator(name, scenario) for name in comparators]
    played: dict[str, list[DayKpi]] = {}
    agreement = None

    def watched(name: str, play: Callable[[Scenario, Sequence[int]], list[DayKpi]]) -> None:
        watch.begin(name, len(checked), "days")
        days: list[DayKpi] = []
        for first in range(0, len(checked), DAYS_AT_ONCE):
            days += play(scenario, checked[first : first + DAYS_AT_ONCE])
            watch.done(len(days), f"cost {np.mean([day.cost for day in days]):,.0f} a day")
        played[name] = days

    if model is not None:
        counter = AgreementCounter(model, comparator(REFERENCE, scenario).build())
        watched(MODEL, partial(_played_by, counter))
        agreement = counter.share
    if through_server is not None:
        watched(SERVER, through_server)
    for policy in policies:
        watched(policy.name, partial(_played_by, policy.build()))
    arrays = {
        name: {kpi: np.array([getattr(day, kpi) for day in days], dtype=np.float64) for kpi in KPIS}
        for name, days in played.items()
    }
    return Evaluation(scenario, checked, arrays, agreement, {policy.name: policy.parameters for policy in policies})


def _played_by(scorer: Scorer, scenario: Scenario, seeds: Sequence[int]) -> list[DayKpi]:
    return kpis_of(scenario, seeds, scorer)


def _plain(value: Interval | None) -> dict[str, Any] | None:
    return None if value is None else {**asdict(value), "low": value.low, "high": value.high}
