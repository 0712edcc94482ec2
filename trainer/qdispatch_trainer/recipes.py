"""The training recipes by name: settings to a configuration, a configuration to a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from qdispatch_trainer.imitation import run as imitation
from qdispatch_trainer.imitation.config import RECIPE, ImitateConfig
from qdispatch_trainer.imitation.wording import WORDING
from qdispatch_trainer.progress import reporter
from qdispatch_trainer.run_directory import RunDirectory, RunError
from qdispatch_trainer.train import RECIPE as DQN
from qdispatch_trainer.train import TrainResult, resume, stored_config, train
from qdispatch_trainer.train_config import TrainConfig
from qdispatch_trainer.workers import Workers

DEFAULT = RECIPE


class Recipe(Protocol):
    """One way to train."""

    def train(
        self, settings: dict[str, Any], out: Path, command: str, minutes: float | None, workers: Workers | None = None
    ) -> TrainResult:
        """A new run. Raises ValueError for settings that do not fit, RunError for a directory in use.

        `workers` play the days; None: this process. A recipe that cannot share its days raises ValueError for any.
        """

    def resume(self, out: Path, minutes: float | None, workers: Workers | None = None) -> TrainResult:
        """Continue a run. Raises RunError."""


def _not_shared(workers: Workers | None) -> None:
    if workers is not None:
        raise ValueError(f"The recipe {DQN} plays its days in one process: leave --ray out, or tune with it.")


@dataclass(frozen=True, slots=True)
class _Dqn:
    def train(
        self, settings: dict[str, Any], out: Path, command: str, minutes: float | None, workers: Workers | None = None
    ) -> TrainResult:
        _not_shared(workers)
        config = TrainConfig.from_dict(settings)
        return train(config, out, reporter(config.days), command, minutes)

    def resume(self, out: Path, minutes: float | None, workers: Workers | None = None) -> TrainResult:
        _not_shared(workers)
        return resume(out, reporter(stored_config(RunDirectory(out)).days), minutes)


@dataclass(frozen=True, slots=True)
class _ImitateThenQ:
    def train(
        self, settings: dict[str, Any], out: Path, command: str, minutes: float | None, workers: Workers | None = None
    ) -> TrainResult:
        config = ImitateConfig.from_dict(settings)
        return imitation.train(config, out, reporter(config.all_rounds, WORDING), command, minutes, workers)

    def resume(self, out: Path, minutes: float | None, workers: Workers | None = None) -> TrainResult:
        config = imitation.stored_config(RunDirectory(out))
        return imitation.resume(out, reporter(config.all_rounds, WORDING), minutes, workers)


RECIPES: Mapping[str, Recipe] = MappingProxyType({RECIPE: _ImitateThenQ(), DQN: _Dqn()})


def recipe_named(name: str) -> Recipe:
    """The recipe of that name; ValueError, naming all of them, if there is none."""
    if name not in RECIPES:
        raise ValueError(f"unknown recipe {name!r}; expected one of {', '.join(RECIPES)}")
    return RECIPES[name]


def recipe_of_run(out: Path) -> Recipe:
    """The recipe that a run was started with. Raises RunError when the run does not say."""
    name = str(RunDirectory(out).read_config().get("recipe"))
    if name not in RECIPES:
        raise RunError(f"{out} was started by another version: its recipe is {name!r}.")
    return RECIPES[name]
