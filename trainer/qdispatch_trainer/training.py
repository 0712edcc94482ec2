"""The training loop: play a round of days, remember them, update, validate now and then, keep the best.

Rounds are the unit of everything: days of a round start and end together, the network is updated between rounds, and
a state saved after a round continues exactly as if the training had never stopped.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Protocol

import numpy as np
import torch

from qdispatch_trainer.dqn.agent import DqnAgent
from qdispatch_trainer.dqn.divergence_alarm import DivergenceAlarm
from qdispatch_trainer.dqn.exploration import EpsilonSchedule
from qdispatch_trainer.networks.build import QNetwork
from qdispatch_trainer.replay.day_trace import DayTrace, ObservationT
from qdispatch_trainer.replay.replay_memory import ReplayMemory
from qdispatch_trainer.seeds import SEEDS_PER_PURPOSE, SeedPurpose, seed_at
from qdispatch_trainer.train_config import TrainConfig
from qdispatch_trainer.training_state import Progress, to_arrays

EXPLORE, SAMPLE, DROPOUT = 1, 2, 3  # purposes of random streams


class Ending(StrEnum):
    """Why a training ended."""

    COMPLETE = "complete"
    EARLY_STOP = "early stop"
    TIME_LIMIT = "time limit"
    INTERRUPTED = "interrupted"
    DIVERGED = "diverged"


@dataclass(frozen=True, slots=True)
class PlayedRound(Generic[ObservationT]):
    """What acting returns: the traces, the mean return (minutes-equivalent) and how much was decided."""

    traces: Sequence[DayTrace[ObservationT]]
    mean_return: float
    decisions: int  # decisions taken in this round


class Actor(Protocol[ObservationT]):
    """Plays training days with an exploring policy."""

    def play(
        self, seeds: Sequence[int], epsilon: float, rng: np.random.Generator, guided: int
    ) -> PlayedRound[ObservationT]:
        """The days of `seeds`, decisions random with probability `epsilon`; the first `guided` days by the guide."""


class Training(Generic[ObservationT]):
    """Holds what changes during a training; `run_round` is one step of it."""

    def __init__(
        self,
        config: TrainConfig,
        agent: DqnAgent[ObservationT],
        memory: ReplayMemory[ObservationT],
        actor: Actor[ObservationT],
        alarm: DivergenceAlarm,
    ) -> None:
        self.config = config
        self.agent = agent
        self.memory = memory
        self.alarm = alarm
        self.progress = Progress()
        self._actor = actor
        self._schedule = EpsilonSchedule(config.epsilon_start, config.epsilon_end, config.epsilon_decay_share)
        self._guidance = EpsilonSchedule(config.guided_start, 0.0, config.guided_decay_share)

    @property
    def share_done(self) -> float:
        """How much of the training is done, in [0, 1]: the larger share of days and decisions."""
        by_days = self.progress.days / self.config.days
        by_decisions = 0.0 if self.config.decisions is None else self.progress.decisions / self.config.decisions
        return min(1.0, max(by_days, by_decisions))

    def epsilon(self) -> float:
        """Exploration rate of the next round."""
        return self._schedule.at(self.share_done)

    def run_round(self) -> dict[str, float]:
        """Play, remember, update. Raises Diverged."""
        started = time.perf_counter()
        config, progress = self.config, self.progress
        count = min(config.days_per_round, config.days - progress.days)
        seeds = [seed_at(SeedPurpose.TRAIN, (progress.days + k) % SEEDS_PER_PURPOSE) for k in range(count)]
        epsilon = self.epsilon()
        guided = round(count * self._guidance.at(self.share_done))
        played = self._actor.play(seeds, epsilon, self._rng(EXPLORE), guided)
        for trace in played.traces:
            self.memory.add(trace)
        progress.days += count
        progress.decisions += played.decisions
        acted = time.perf_counter()
        updates = 0
        if progress.decisions >= config.warmup_decisions:
            updates = max(1, round(played.decisions * config.updates_per_decision))
        losses = self._update(updates)
        progress.rounds += 1
        progress.updates += updates
        progress.seconds += time.perf_counter() - started
        return {
            "days": progress.days,
            "decisions": progress.decisions,
            "updates": progress.updates,
            "mean_return": played.mean_return,
            "epsilon": epsilon,
            "guided_days": guided,
            "learning_rate": self.agent.learning_rate(self.share_done),
            "replay_steps": len(self.memory),
            "replay_mebibytes": self.memory.n_bytes / 2**20,
            "acting_seconds": acted - started,
            "seconds": progress.seconds,
            **losses,
        }

    def _update(self, updates: int) -> dict[str, float]:
        if updates == 0:
            return {}
        rng = self._rng(SAMPLE)
        torch.manual_seed(int(self._rng(DROPOUT).integers(2**31)))
        replay = self.config.replay
        beta = replay.priority_beta + (1.0 - replay.priority_beta) * self.share_done
        sums = np.zeros(4)
        largest_q = 0.0
        for _ in range(updates):
            batch = self.memory.sample(self.config.agent.batch_size, beta, rng)
            report = self.agent.update(batch, self.share_done)
            mean_error = float(np.abs(report.td_error_G).mean())
            self.alarm.check(report.loss, mean_error, report.largest_q)
            self.memory.set_errors(batch.slot_G, report.td_error_G)
            sums += (report.loss, mean_error, report.mean_q, report.gradient_norm)
            largest_q = max(largest_q, report.largest_q)
        loss, error, mean_q, norm = (sums / updates).tolist()
        return {
            "loss": loss,
            "td_error_min": error,
            "mean_q_min": mean_q,
            "gradient_norm": norm,
            "largest_q_min": largest_q,
        }

    def _rng(self, purpose: int) -> np.random.Generator:
        return np.random.default_rng((self.config.seed, purpose, self.progress.rounds))

    @property
    def complete(self) -> bool:
        """All days played or all decisions taken."""
        return self.share_done >= 1.0

    def note_validation(self, mean_return: float) -> bool:
        """Whether this validation is the best so far; counts those that are not."""
        if mean_return > self.progress.best_mean_return:
            self.progress.best_mean_return = mean_return
            self.progress.best_round = self.progress.rounds
            self.progress.validations_since_best = 0
            return True
        self.progress.validations_since_best += 1
        return False

    @property
    def out_of_patience(self) -> bool:
        """Whether validations have stopped getting better."""
        patience = self.config.patience
        return patience is not None and self.progress.validations_since_best >= patience

    def state_parts(self) -> dict[str, Any]:
        """Agent, memory and alarm, for `save_state`."""
        return {
            "agent": self.agent.state_dict(),
            "memory": self.memory.state_dict(),
            "alarm": self.alarm.state_dict(),
        }

    def restore(self, progress: Progress, parts: dict[str, Any]) -> None:
        """Continue from a saved state."""
        self.progress = progress
        self.agent.load_state_dict(parts["agent"])
        self.memory.load_state_dict(to_arrays(parts["memory"]))
        self.alarm.load_state_dict(parts["alarm"])

    @property
    def network(self) -> QNetwork:
        """The network that is judged and kept: the average of the online one."""
        return self.agent.average
