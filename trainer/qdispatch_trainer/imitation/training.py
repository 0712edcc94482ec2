"""Rounds of the imitation: play the mix, remember what the teacher says, update. The caller validates and saves.

Every random number comes from (seed, purpose, round), so a training that continues after a round equals one that
never stopped.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from qdispatch_trainer.imitation.config import ImitateConfig
from qdispatch_trainer.imitation.labelled_play import Keeping, LabelledPlay, play_labelled
from qdispatch_trainer.imitation.learner import ImitationLearner
from qdispatch_trainer.imitation.reading import Reading
from qdispatch_trainer.imitation.states import States, StateStore, join
from qdispatch_trainer.imitation.teachers import teacher_named
from qdispatch_trainer.imitation.training_mix import MixGroup, training_days
from qdispatch_trainer.networks.build import QNetwork
from qdispatch_trainer.policies import network_scorer
from qdispatch_trainer.workers import InProcess, Workers

PLAY, SAMPLE, DROPOUT, TEACH = 11, 12, 13, 14  # purposes of random streams


@dataclass(slots=True)
class ImitationProgress:
    """Counters of a training; `seconds` is wall time over all its processes."""

    rounds: int = 0
    days: int = 0
    states: int = 0
    updates: int = 0
    seconds: float = 0.0
    best_relative_cost: float = float("inf")
    best_round: int = -1


class ImitationTraining:
    """Holds what changes during the imitation; `run_round` is one step of it."""

    def __init__(
        self, config: ImitateConfig, learner: ImitationLearner, reading: Reading, workers: Workers | None = None
    ) -> None:
        self.config = config
        self.workers = workers or InProcess()
        self.learner = learner
        self.store = StateStore(config.store_mebibytes)
        self.progress = ImitationProgress()
        self.reading = reading

    @property
    def imitated(self) -> bool:
        """Whether all rounds of the imitation are done."""
        return self.progress.rounds >= self.config.rounds

    @property
    def complete(self) -> bool:
        """Whether all rounds of both stages are done."""
        return self.progress.rounds >= self.config.all_rounds

    def beta(self) -> float:
        """Share of the next round's days on which the teacher acts."""
        done = self.progress.rounds / self.config.rounds
        return self.config.beta_start * max(0.0, 1.0 - done / self.config.beta_end_share)

    def run_round(self) -> tuple[dict[str, float], States]:
        """Play, remember, update. Returns the numbers of the round and its states. Raises FloatingPointError."""
        started = time.perf_counter()
        progress, beta = self.progress, self.beta()
        values, states = self._play(beta)
        self.store.append(states)
        progress.states = len(self.store)
        played = time.perf_counter()
        values |= self._update()
        progress.rounds += 1
        ended = time.perf_counter()
        progress.seconds += ended - started
        counters = {
            "rounds": progress.rounds,
            "days": progress.days,
            "states": progress.states,
            "updates": progress.updates,
            "beta": beta,
            "learning_rate": self.learner.learning_rate(progress.rounds / self.config.rounds),
            "store_mebibytes": self.store.n_bytes / 2**20,
            "acting_seconds": played - started,
            "updating_seconds": ended - played,
            "seconds": progress.seconds,
        }
        return {**counters, **values}, states

    def _play(self, beta: float) -> tuple[dict[str, float], States]:
        config, progress = self.config, self.progress
        parts, values = [], {}
        met = teacher = network = both = 0
        groups, first = [], progress.days
        for number, group in enumerate(config.mix.values()):
            key = (config.seed, progress.rounds, number)
            groups.append((config.teacher, group, first, self.learner.average, self.reading, beta, key))
            first += group.days_per_round
        for name, played in zip(config.mix, self.workers.map(_play_group, groups), strict=True):
            progress.days += config.mix[name].days_per_round
            parts += played.states
            met += played.met
            teacher, network = teacher + played.teacher_commits, network + played.network_commits
            both += played.both_commit
            if played.returns is not None:
                values[f"return_{name}"] = float(played.returns.mean())
        return {
            **values,
            "met_states": met,
            "recall": both / max(teacher, 1),  # of the pairs the teacher commits, what share the network commits
            "precision": both / max(network, 1),
        }, join(parts)

    def _update(self) -> dict[str, float]:
        config = self.config
        rng = self.rng(SAMPLE)
        torch.manual_seed(int(self.rng(DROPOUT).integers(2**31)))
        sums: dict[str, float] = {}
        for number in range(config.updates_per_round):
            batch = self.store.gather(rng.integers(len(self.store), size=config.learner.batch_size))
            done = (self.progress.rounds + number / config.updates_per_round) / config.rounds
            for name, value in self.learner.update(batch, done).items():
                sums[name] = sums.get(name, 0.0) + value
        self.progress.updates += config.updates_per_round
        return {f"loss_{name}": value / config.updates_per_round for name, value in sums.items()}

    def rng(self, purpose: int) -> np.random.Generator:
        """The random stream of a purpose in the next round."""
        return np.random.default_rng((self.config.seed, purpose, self.progress.rounds))

    def note_validation(self, relative_cost: float) -> bool:
        """Whether this validation is the best so far."""
        if relative_cost >= self.progress.best_relative_cost:
            return False
        self.progress.best_relative_cost = relative_cost
        self.progress.best_round = self.progress.rounds
        return True

    def state_parts(self) -> dict[str, Any]:
        """What `restore` needs beside the counters and the states' files."""
        return {"learner": self.learner.state_dict()}

    def restore(self, counters: dict[str, Any], parts: dict[str, Any]) -> None:
        """Continue from a saved state; the caller appends the states of the rounds done."""
        self.progress = ImitationProgress(**counters)
        self.learner.load_state_dict(parts["learner"])


def _play_group(
    teacher: str,
    group: MixGroup,
    first: int,
    network: QNetwork,
    reading: Reading,
    beta: float,
    key: tuple[int, int, int],
) -> LabelledPlay:
    """A round's days of one group, from the `first`-th train seed on; `key`: (seed, round, number of the group)."""
    seed, rounds, number = key
    days = training_days(group, first, group.days_per_round)
    return play_labelled(
        days,
        network_scorer(network),
        teacher_named(teacher, group)(days, (seed, TEACH, rounds, number)),
        beta,
        reading,
        Keeping(group.due_share, group.idle_share),
        (seed, PLAY, rounds, number),
    )
