"""What a study is about: the same for every trial and every worker, stored in the study, checked by whoever joins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.train_config import TrainConfig
from qdispatch_trainer.tuning.space import Value, settings_of, space_digest

ROUNDS = 10  # of a trial: after each its policy is judged, and it may be pruned


class StudyError(Exception):
    """The study cannot be used as asked; the message says why."""


@dataclass(frozen=True, slots=True)
class Task:
    """The scenario, how long a trial trains and on how many validation days it is judged."""

    scenario: str
    network: str
    trials: int
    episodes: int  # training days of a trial
    eval_episodes: int
    seed: int

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be trained."""
        for name, least in (("trials", 1), ("episodes", 1), ("eval_episodes", 2), ("seed", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"Expected {name} >= {least}, got {getattr(self, name)}.")
        self.config({})

    def config(self, settings: Mapping[str, Any]) -> TrainConfig:
        """A trial's training. The task's own values win over `settings`."""
        return TrainConfig.from_dict({**settings, **self.fixed()})

    def fixed(self) -> dict[str, Any]:
        """The settings that no trial changes."""
        return {
            "scenario": self.scenario,
            "network": self.network,
            "seed": self.seed,
            "days": self.episodes,
            "days_per_round": max(1, -(-self.episodes // ROUNDS)),
            "warmup_decisions": min(2_000, 10 * self.episodes),
        }

    def config_of(self, values: Mapping[str, Value]) -> TrainConfig:
        """The training of a trial's values."""
        return self.config(settings_of(values, self.network))

    def to_dict(self) -> dict[str, Any]:
        """What the study stores: these values and the digests of all that they mean."""
        return {
            **asdict(self),
            "scenario_digest": scenario_named(self.scenario).digest(),
            "weights_digest": WEIGHTS.digest(),
            "space_digest": space_digest(self.network),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Task:
        """The inverse. Raises StudyError when the digests are not those of this code."""
        try:
            task = cls(**{name: stored[name] for name in cls.__dataclass_fields__})
            differing = [name for name, value in task.to_dict().items() if stored[name] != value]
        except (KeyError, TypeError, ValueError) as error:
            raise StudyError(f"The study is of another version: {error}") from error
        if differing:
            raise StudyError(f"The study is about another task than this code's: other {', '.join(differing)}.")
        return task
