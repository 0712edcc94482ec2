"""Model and heuristics on the same days: key figures and paired differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from qdispatch_domain.situation import Scorer
from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.action_agreement import AgreementCounter
from qdispatch_trainer.closed_loop import kpis_of
from qdispatch_trainer.paired_difference import Interval, interval, paired_difference
from qdispatch_trainer.policies import HEURISTICS, REFERENCE
from qdispatch_trainer.scenarios import Scenario
from qdispatch_trainer.seeds import purpose_of, require_seeds
from qdispatch_trainer.simulator.kpi import DayKpi

MODEL = "model"
SERVER = "model through the server"
KPIS = tuple(field.name for field in fields(DayKpi) if field.name not in ("scenario", "seed", "bookings"))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Per policy the key figures [days] of every KPI, all on the same seeds; NaN where a day has nothing to count."""

    scenario: Scenario
    seeds: tuple[int, ...]
    kpis: Mapping[str, Mapping[str, npt.NDArray[np.float64]]]  # policy -> KPI -> [N]
    agreement: float | None  # share of the model's decisions that are cheapest insertion's; None without a model

    @property
    def baseline(self) -> str:
        """The policy that differences are taken from: the model, without one the reference heuristic."""
        return next((name for name in (MODEL, SERVER) if name in self.kpis), REFERENCE)

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
    say: Callable[[str], None],
) -> Evaluation:
    """Play every policy on the same days. Raises SeedRangeError when the seeds belong to different purposes."""
    checked = require_seeds(purpose_of(seeds[0]), seeds)
    played: dict[str, list[DayKpi]] = {}
    agreement = None
    if model is not None:
        say(f"{MODEL}: {len(checked)} days")
        counter = AgreementCounter(model, HEURISTICS[REFERENCE]())
        played[MODEL] = kpis_of(scenario, checked, counter)
        agreement = counter.share
    if through_server is not None:
        say(f"{SERVER}: {len(checked)} days")
        played[SERVER] = through_server(scenario, checked)
    for name, build in HEURISTICS.items():
        say(f"{name}: {len(checked)} days")
        played[name] = kpis_of(scenario, checked, build())
    arrays = {
        policy: {kpi: np.array([getattr(day, kpi) for day in days], dtype=np.float64) for kpi in KPIS}
        for policy, days in played.items()
    }
    return Evaluation(scenario, checked, arrays, agreement)


def _plain(value: Interval | None) -> dict[str, Any] | None:
    return None if value is None else {**asdict(value), "low": value.low, "high": value.high}
