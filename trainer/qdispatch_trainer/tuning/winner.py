"""The winner trained again and judged on days that chose nothing, beside the untuned learner on the same days."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from qdispatch_trainer.closed_loop import returns_of
from qdispatch_trainer.paired_difference import Interval, paired_difference
from qdispatch_trainer.policies import network_scorer
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose, seed_range
from qdispatch_trainer.train_config import TrainConfig
from qdispatch_trainer.tuning.task import Task
from qdispatch_trainer.tuning.trial import train_trial

FIRST_FRESH_DAY = 700_000  # of the validation seeds


@dataclass(frozen=True, slots=True)
class Measured:
    """Gain of the winner over the untuned learner, minutes-equivalent a day, of mean returns."""

    tuning_value: float  # of the winner, on the days that chose it
    trained_again_value: float  # the same days after the second training: equal, where training is repeatable
    untuned_tuning_value: float | None  # None: the untuned learner was pruned or diverged
    fresh_value: float
    untuned_fresh_value: float
    fresh_gain: Interval  # paired by day
    fresh_days: int

    @property
    def tuning_gain(self) -> float | None:
        """On the days that chose the winner: too kind to it, which is why there are fresh ones."""
        return None if self.untuned_tuning_value is None else self.tuning_value - self.untuned_tuning_value

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        gain = {**asdict(self.fresh_gain), "low": self.fresh_gain.low, "high": self.fresh_gain.high}
        return {**asdict(self), "fresh_gain": gain, "tuning_gain": self.tuning_gain}


def measure_winner(
    task: Task, winner: TrainConfig, value: float, untuned: TrainConfig, untuned_value: float | None, days: int
) -> Measured:
    """Both trained with the study's seed, both on the same fresh days. Raises Diverged."""
    seeds = seed_range(SeedPurpose.VALIDATION, days, FIRST_FRESH_DAY)
    scenario = scenario_named(task.scenario)
    found, again = [], list[float]()
    for config in (winner, untuned):
        network, on_tuning_days = train_trial(config, task.eval_episodes, lambda _round, _value: None)
        again.append(on_tuning_days)
        found.append(returns_of(scenario, seeds, network_scorer(network)))
    tuned, plain = found
    gain = paired_difference(tuned, plain)
    return Measured(value, again[0], untuned_value, float(tuned.mean()), float(plain.mean()), gain, days)
