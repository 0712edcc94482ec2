"""The Q stage: from the imitated network on, learn advantages from rollouts, with the imitation loss as anchor.

The target is the double-Q one (van Hasselt 2010) with n to the end of the day: the slow average of the network chooses
what is tried and plays the copies out, the network that is updated is judged by what they return.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch

from qdispatch_trainer.imitation.advantage_loss import Outcomes, advantage_loss, value_loss
from qdispatch_trainer.imitation.learner import ImitationLearner
from qdispatch_trainer.imitation.reading import PAIR, Reading
from qdispatch_trainer.imitation.rollout_play import Sampling, play_rollouts
from qdispatch_trainer.imitation.states import STATE, States, StateStore, join
from qdispatch_trainer.imitation.training_mix import MixGroup, training_days
from qdispatch_trainer.networks.build import QNetwork
from qdispatch_trainer.policies import network_scorer
from qdispatch_trainer.workers import Workers

ROLL, DRAW, DROP = 21, 22, 23  # purposes of random streams


@dataclass(frozen=True, slots=True)
class QStageConfig:
    """How the Q stage goes; `rounds` 0 leaves it out."""

    rounds: int = 6
    days_per_round: dict[str, int] = field(default_factory=lambda: {"small": 96, "middle": 12})  # by group of the mix
    updates_per_round: int = 200
    batch_size: int = 256  # of tried decisions
    learning_rate: float = 2e-4
    final_learning_rate: float = 2e-5
    anchor_weight: float = 1.0
    advantage_weight: float = 1.0
    value_weight: float = 0.1
    unit_min: float = 10.0  # minutes-equivalent of advantage per unit of its error
    clip_min: float = 100.0
    value_unit_min: float = 200.0
    sampling: Sampling = field(default_factory=Sampling)

    def __post_init__(self) -> None:
        if self.rounds < 0:
            raise ValueError(f"Expected rounds >= 0, got {self.rounds}.")
        for name in ("updates_per_round", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"Expected {name} >= 1, got {getattr(self, name)}.")
        if not self.days_per_round or min(self.days_per_round.values()) < 1:
            raise ValueError("Expected days_per_round >= 1 of at least one group.")
        if not 0.0 < self.final_learning_rate <= self.learning_rate:
            raise ValueError("Expected 0 < final_learning_rate <= learning_rate.")
        for name in ("anchor_weight", "advantage_weight", "value_weight"):
            if not getattr(self, name) >= 0.0:
                raise ValueError(f"Expected {name} >= 0, got {getattr(self, name)}.")
        for name in ("unit_min", "clip_min", "value_unit_min"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"Expected {name} > 0, got {getattr(self, name)}.")
        object.__setattr__(self, "days_per_round", dict(sorted(self.days_per_round.items())))

    def to_dict(self) -> dict[str, Any]:
        """Plain values; `from_dict` is the inverse."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> QStageConfig:
        """Raises TypeError for an unknown name, ValueError for a wrong value."""
        return cls(**{**values, "sampling": Sampling(**values.get("sampling", {}))})


class QStage:
    """Rounds of rollouts and updates of a learner that has imitated; `store` holds what it imitated."""

    def __init__(
        self,
        config: QStageConfig,
        mix: Mapping[str, MixGroup],
        seed: int,
        learner: ImitationLearner,
        reading: Reading,
        store: StateStore,
        workers: Workers,
    ) -> None:
        self.config = config
        self._workers = workers
        self.outcomes = StateStore(2_000)
        self._mix, self._seed = mix, seed
        self._learner, self._reading, self._store = learner, reading, store

    def run_round(self, number: int, first_day: int) -> tuple[dict[str, float], States]:
        """The `number`-th round (from 0): play out, remember, update. Returns its numbers and its tried decisions."""
        started = time.perf_counter()
        tried = self._play(number, first_day)
        self.outcomes.append(tried)
        played = time.perf_counter()
        losses = self._update(number) if len(self.outcomes) else {}
        return {
            "decisions": len(self.outcomes),
            "mean_gain": mean_gain(tried),
            "acting_seconds": played - started,
            "updating_seconds": time.perf_counter() - played,
            **losses,
        }, tried

    @property
    def days_per_round(self) -> int:
        """Days played in every round."""
        return sum(self.config.days_per_round.values())

    def _play(self, number: int, first_day: int) -> States:
        groups = []
        for index, (name, count) in enumerate(self.config.days_per_round.items()):
            key = (self._seed, ROLL, number, index)
            given = (self._mix[name], first_day, count, self._learner.average, self._reading, self.config.sampling, key)
            groups.append(given)
            first_day += count
        return join(self._workers.map(_roll_group, groups))

    def _update(self, number: int) -> dict[str, float]:
        config, learner = self.config, self._learner
        rng = np.random.default_rng((self._seed, DRAW, number))
        torch.manual_seed(int(np.random.default_rng((self._seed, DROP, number)).integers(2**31)))
        sums: dict[str, float] = {}
        for step in range(config.updates_per_round):
            share = (number + step / config.updates_per_round) / config.rounds
            rate = config.learning_rate + (config.final_learning_rate - config.learning_rate) * share
            anchor = self._store.gather(rng.integers(len(self._store), size=learner.config.batch_size))
            tried = self.outcomes.gather(rng.integers(len(self.outcomes), size=config.batch_size))
            learner.network.train()
            imitation, _ = learner.loss(self._reading.values(learner.network, anchor), anchor)
            values, outcomes = self._reading.values(learner.network, tried), outcomes_of(tried)
            terms = {
                "anchor": imitation,
                "advantage": advantage_loss(values, outcomes, config.unit_min, config.clip_min),
                "value": value_loss(values, outcomes, config.value_unit_min),
            }
            loss = sum((getattr(config, f"{name}_weight") * term for name, term in terms.items()), torch.zeros(()))
            learner.step(loss, rate)
            for name, term in terms.items():
                sums[f"loss_{name}"] = sums.get(f"loss_{name}", 0.0) + float(term.detach()) / config.updates_per_round
        return sums


def _roll_group(
    group: MixGroup,
    first: int,
    count: int,
    network: QNetwork,
    reading: Reading,
    sampling: Sampling,
    key: tuple[int, int, int, int],
) -> States:
    """The decisions tried on `count` days of one group."""
    return play_rollouts(training_days(group, first, count), network_scorer(network), reading, sampling, key)


def outcomes_of(states: States) -> Outcomes:
    """What the branches of stored decisions returned."""
    pairs = states.columns[PAIR]
    return Outcomes(
        torch.from_numpy(pairs["tried"]),
        torch.from_numpy(pairs["gain"]),
        torch.from_numpy(states.columns[STATE]["remaining"]),
    )


def mean_gain(states: States) -> float:
    """Mean gain of the tried pairs over holding, minutes-equivalent."""
    pairs = states.columns[PAIR]
    tried = pairs["tried"].astype(np.bool_)
    return float(pairs["gain"][tried].astype(np.float64).mean()) if tried.any() else 0.0
