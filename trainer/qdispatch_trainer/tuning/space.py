"""What is tuned: the learner's hyperparameters, by name, where each goes in the settings, and between which values.

The task (scenario, fleet, cost) has no hyperparameter. Widths, and the learner's up to `target_rate`, are the twelve of
the tuner before this one: gamma is per minute here, epsilon's decay a share of the training, the target follows softly.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna

Value = int | float


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`, whole numbers when both are."""

    low: Value
    high: Value
    log: bool = False

    def suggest(self, trial: optuna.trial.BaseTrial, name: str) -> Value:
        """A value of the trial."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(name, self.low, self.high, log=self.log)
        return trial.suggest_float(name, float(self.low), float(self.high), log=self.log)


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of these."""

    values: Sequence[Value]

    def suggest(self, trial: optuna.trial.BaseTrial, name: str) -> Value:
        """A value of the trial."""
        chosen = trial.suggest_categorical(name, list(self.values))
        if not isinstance(chosen, int | float):
            raise TypeError(f"Expected a number for {name}, got {chosen!r}.")
        return chosen


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """`path`: where it goes in the settings; `usual`: what the untuned learner has (training/dqn.json)."""

    name: str
    path: str
    choice: Range | OneOf
    usual: Value


LEARNER = (
    Hyperparameter("dropout", "dropout", Range(0.0, 0.3), 0.0),
    Hyperparameter("learning_rate", "agent.learning_rate", Range(1e-5, 1e-2, log=True), 5e-4),
    Hyperparameter("gamma", "replay.discount_per_minute", Range(0.99, 1.0), 1.0),
    Hyperparameter("batch_size", "agent.batch_size", OneOf((32, 64, 128, 256)), 64),
    Hyperparameter("epsilon_start", "epsilon_start", Range(0.05, 1.0, log=True), 0.06),
    Hyperparameter("epsilon_end", "epsilon_end", Range(0.01, 0.05, log=True), 0.02),
    Hyperparameter("epsilon_decay", "epsilon_decay_share", Range(0.1, 1.0), 0.5),
    Hyperparameter("buffer_size", "replay.capacity_steps", OneOf((5_000, 20_000, 60_000)), 60_000),
    Hyperparameter("target_rate", "agent.target_rate", Range(1e-3, 1e-1, log=True), 0.01),
    # what this learner has beyond those
    Hyperparameter("n_step", "replay.n_step", Range(1, 10), 3),
    Hyperparameter("priority_alpha", "replay.priority_alpha", Range(0.0, 0.8), 0.0),
    Hyperparameter("priority_beta", "replay.priority_beta", Range(0.2, 1.0), 0.4),
    Hyperparameter("huber_width", "agent.huber_width", Range(1.0, 60.0, log=True), 10.0),
    Hyperparameter("final_rate_share", "agent.final_learning_rate", Range(0.01, 1.0, log=True), 0.04),
    Hyperparameter("average_rate", "agent.average_rate", Range(1e-3, 1.0, log=True), 1.0),
    Hyperparameter("updates_per_decision", "updates_per_decision", Range(0.1, 1.0, log=True), 0.4),
    Hyperparameter("guided_start", "guided_start", Range(0.0, 1.0), 0.5),
    Hyperparameter("guided_decay", "guided_decay_share", Range(0.1, 1.0), 1.0),
)
WIDTHS: Mapping[str, tuple[Hyperparameter, ...]] = {
    "set": (
        Hyperparameter("hidden_1", "hidden_sizes", OneOf((32, 48, 64, 96)), 48),
        Hyperparameter("hidden_2", "hidden_sizes", OneOf((32, 64, 128)), 64),
        Hyperparameter("hidden_3", "hidden_sizes", OneOf((48, 96, 192)), 96),
    ),
    "flat": (
        Hyperparameter("hidden_1", "hidden_sizes", OneOf((256, 512, 1024)), 512),
        Hyperparameter("hidden_2", "hidden_sizes", OneOf((128, 256, 512)), 256),
        Hyperparameter("hidden_3", "hidden_sizes", OneOf((64, 128, 256)), 128),
    ),
}


def space(network: str) -> tuple[Hyperparameter, ...]:
    """All hyperparameters of a network kind, `set` or `flat`."""
    return (*WIDTHS[network], *LEARNER)


def usual(network: str) -> dict[str, Value]:
    """The untuned learner."""
    return {one.name: one.usual for one in space(network)}


def suggest(trial: optuna.trial.BaseTrial, network: str) -> dict[str, Value]:
    """A value of every hyperparameter."""
    return {one.name: one.choice.suggest(trial, one.name) for one in space(network)}


def settings_of(values: Mapping[str, Value], network: str) -> dict[str, Any]:
    """The training settings of these values, nested as `TrainConfig.from_dict` takes them."""
    settings: dict[str, Any] = {"hidden_sizes": [values[one.name] for one in WIDTHS[network]]}
    for one in LEARNER:
        *groups, name = one.path.split(".")
        target = settings
        for group in groups:
            target = target.setdefault(group, {})
        target[name] = values[one.name]
    settings["agent"]["final_learning_rate"] = values["learning_rate"] * values["final_rate_share"]
    return settings


def space_digest(network: str) -> str:
    """First 12 hex digits of the SHA-256 of names, paths and bounds: trials of another space are of another study."""
    text = json.dumps([[one.name, one.path, repr(one.choice)] for one in space(network)])
    return hashlib.sha256(text.encode()).hexdigest()[:12]
