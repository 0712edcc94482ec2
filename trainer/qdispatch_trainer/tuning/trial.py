"""One trial: train by its values, judge after every round on the study's validation days."""

from __future__ import annotations

from collections.abc import Callable

import torch

from qdispatch_trainer.closed_loop import returns_of
from qdispatch_trainer.networks.build import QNetwork
from qdispatch_trainer.policies import network_scorer
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose, seed_range
from qdispatch_trainer.train import build_training
from qdispatch_trainer.train_config import TrainConfig

FIRST_DAY = 600_000  # of the validation seeds


class Stopped(Exception):
    """The trial was given up between two rounds: pruned, or its worker was asked to stop."""


def mean_return(config: TrainConfig, network: QNetwork, days: int) -> float:
    """C(start) - C(end), mean over the study's validation days, minutes-equivalent; no threshold is calibrated."""
    seeds = seed_range(SeedPurpose.VALIDATION, days, FIRST_DAY)
    return float(returns_of(scenario_named(config.scenario), seeds, network_scorer(network)).mean())


def train_trial(config: TrainConfig, days: int, after_round: Callable[[int, float], None]) -> tuple[QNetwork, float]:
    """The trained network and its mean return. `after_round(round, mean return)` may raise `Stopped`.

    Raises Diverged.
    """
    torch.set_num_threads(config.threads)
    training = build_training(config)
    found = float("nan")
    while not training.complete:
        training.run_round()
        found = mean_return(config, training.network, days)
        after_round(training.progress.rounds, found)
    return training.network, found
