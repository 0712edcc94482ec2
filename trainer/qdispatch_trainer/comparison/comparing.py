"""Play every contestant on the same days and pair the others with the first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qdispatch_domain.situation import Scorer
from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.closed_loop import kpis_of
from qdispatch_trainer.comparison.contestants import Contestant, OtherTaskError
from qdispatch_trainer.comparison.key_figures import KEY_FIGURES
from qdispatch_trainer.comparison.statistics import LEVEL, Paired, holm, paired
from qdispatch_trainer.paired_difference import Interval, interval
from qdispatch_trainer.scenarios import Scenario
from qdispatch_trainer.seeds import purpose_of, require_seeds
from qdispatch_trainer.simulator.kpi import DayKpi
from qdispatch_trainer.watching import Watch
from qdispatch_trainer.workers import InProcess, Workers

F64 = npt.NDArray[np.float64]
DAYS_AT_ONCE = 25


@dataclass(frozen=True, slots=True)
class Difference:
    """One key figure of one contestant, against the first one's."""

    paired: Paired | None  # None: fewer than two days have a value
    adjusted_p: float  # Holm's, over all contestants and key figures of the comparison; 1 without a pair

    @property
    def proved(self) -> bool:
        """Whether the difference stands at the level of the whole comparison."""
        return self.adjusted_p < LEVEL


@dataclass(frozen=True, slots=True)
class Comparison:
    """Per contestant the key figures of every day [N], and the differences from the first contestant."""

    scenario: Scenario
    seeds: tuple[int, ...]
    contestants: tuple[Contestant, ...]
    values: Mapping[str, Mapping[str, F64]]  # contestant -> key figure -> [N]
    differences: Mapping[str, Mapping[str, Difference]]  # contestant but the first -> key figure

    @property
    def first(self) -> str:
        """The contestant that the others are compared with."""
        return self.contestants[0].name

    def mean(self, contestant: str, figure: str) -> Interval | None:
        """Over the days that have a value; None when there is none."""
        values = self.values[contestant][figure]
        return interval(values) if np.isfinite(values).any() else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "scenario": self.scenario.name,
            "scenario_digest": self.scenario.digest(),
            "weights_digest": WEIGHTS.digest(),
            "first_seed": self.seeds[0],
            "days": len(self.seeds),
            "seed_purpose": purpose_of(self.seeds[0]).value,
            "compared_with": self.first,
            "contestants": {one.name: dict(one.identity) for one in self.contestants},
            "means": {
                name: {figure: _plain(self.mean(name, figure)) for figure in figures}
                for name, figures in self.values.items()
            },
            "differences": {
                name: {figure: _difference(found) for figure, found in figures.items()}
                for name, figures in self.differences.items()
            },
            "cost_per_day": {name: figures["cost"].tolist() for name, figures in self.values.items()},
        }


def compare(
    contestants: Sequence[Contestant],
    scenario: Scenario,
    seeds: Sequence[int],
    watch: Watch,
    workers: Workers | None = None,
) -> Comparison:
    """Raises ValueError for fewer than two or two of one name, OtherTaskError when one cannot be played there."""
    names = [one.name for one in contestants]
    if len(set(names)) != len(names) or len(names) < 2:
        raise ValueError(f"Expected at least two different policies, got {', '.join(names)}.")
    checked = require_seeds(purpose_of(seeds[0]), seeds)
    for one in contestants:
        why = one.refused(scenario)
        if why is not None:
            raise OtherTaskError(f"{why}: not the same task.")
    values: dict[str, dict[str, F64]] = {}
    for one in contestants:
        days = kpis_by(one, scenario, checked, watch, workers or InProcess())
        values[one.name] = {
            figure.name: np.array([getattr(day, figure.name) for day in days], dtype=np.float64)
            for figure in KEY_FIGURES
        }
    return Comparison(scenario, checked, tuple(contestants), values, differences(values))


def kpis_by(one: Contestant, scenario: Scenario, seeds: Sequence[int], watch: Watch, workers: Workers) -> list[DayKpi]:
    """Key figures of every day, in the order of the seeds; the same days share a batch wherever they are played."""
    chunks = [seeds[first : first + DAYS_AT_ONCE] for first in range(0, len(seeds), DAYS_AT_ONCE)]
    costs: list[float] = []

    def landed(results: list[list[DayKpi]]) -> None:
        costs.extend(day.cost for days in results for day in days)
        watch.done(len(costs), f"cost {np.mean(costs):,.0f} a day" if costs else "")

    watch.begin(f"{scenario.name}, {one.name}", len(seeds), "days")
    played = workers.map(_kpis_of_chunk, [(one.build, scenario, chunk) for chunk in chunks], landed)
    return [day for days in played for day in days]


def _kpis_of_chunk(build: Callable[[Scenario], Scorer], scenario: Scenario, seeds: Sequence[int]) -> list[DayKpi]:
    return kpis_of(scenario, seeds, build(scenario))


def differences(values: Mapping[str, Mapping[str, F64]]) -> dict[str, dict[str, Difference]]:
    """Of every contestant but the first, minus the first; all their p-values are adjusted together."""
    first, *others = values
    found = {
        (other, figure): paired(values[other][figure], values[first][figure])
        for other in others
        for figure in values[other]
    }
    tested = [pair for pair, one in found.items() if one is not None]
    adjusted = dict(zip(tested, holm([one.p_value for one in found.values() if one is not None]), strict=True))
    out: dict[str, dict[str, Difference]] = {other: {} for other in others}
    for (other, figure), one in found.items():
        out[other][figure] = Difference(one, adjusted.get((other, figure), 1.0))
    return out


def _plain(value: Interval | None) -> dict[str, Any]:
    return {} if value is None else {**asdict(value), "low": value.low, "high": value.high}


def _difference(found: Difference) -> dict[str, Any] | None:
    if found.paired is None:
        return None
    return {
        **_plain(found.paired.difference),
        "effect_size": found.paired.effect_size,
        "p_value": found.paired.p_value,
        "adjusted_p": found.adjusted_p,
        "proved": found.proved,
        "days_higher": found.paired.higher,
        "days_equal": found.paired.ties,
        "days_lower": found.paired.lower,
    }
