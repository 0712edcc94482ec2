"""Who is compared: a checkpoint, a bundle, a run, training settings (trained first), or a comparator by name.

`NAME@MINUTES` is a network that commits so far ahead, `NAME@tuned` one by the minutes tuned for the scenario.
"""

from __future__ import annotations

import hashlib
import json
import math
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from qdispatch_bundle.sealing import read_sealed
from qdispatch_domain.committing_ahead import committing_ahead
from qdispatch_domain.situation import Scorer
from qdispatch_trainer.checkpoint import load_checkpoint
from qdispatch_trainer.comparators import COMPARATORS, comparator
from qdispatch_trainer.loaded_policy import load_policy
from qdispatch_trainer.recipes import DEFAULT, recipe_named, recipe_of_run
from qdispatch_trainer.run_directory import RunDirectory
from qdispatch_trainer.scenarios import SCENARIOS, Scenario
from qdispatch_trainer.settings_file import read_settings
from qdispatch_trainer.training import Ending
from qdispatch_trainer.windows.frozen import tuned_window
from qdispatch_trainer.windows.tuning import MODEL

FLAT_DRIVERS = 10
AHEAD = "@"
TUNED = "tuned"
Minutes = Callable[[Scenario], float]


class OtherTaskError(Exception):
    """Two policies were made for different tasks, so their results would not be comparable; the message says how."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A policy under the name it was asked for."""

    name: str
    identity: Mapping[str, Any]  # plain values: what exactly was played
    build: Callable[[Scenario], Scorer]
    largest_trained: int | None = None  # REGULAR drivers; None: nothing was trained
    most_drivers: int | None = None  # that it takes at all; None: any number

    def refused(self, scenario: Scenario) -> str | None:
        """Why it cannot be played there, or None."""
        if self.most_drivers is not None and scenario.max_drivers > self.most_drivers:
            return f"{self.name} takes {self.most_drivers} drivers at most, {scenario.name} has {scenario.max_drivers}"
        return None


def contestant(name: str, runs: Path, say: Callable[[str], None]) -> Contestant:
    """The policy called so. Settings (.json) are trained in the folder `runs` unless that has been done.

    Raises ValueError for a name that is nothing of that kind, OtherTaskError for a network of another task, RunError,
    CheckpointError and BundleError for files that cannot be used, ExtraMissing for a comparator without its packages.
    """
    if name in COMPARATORS:
        return Contestant(name, {"comparator": name}, lambda scenario: comparator(name, scenario).build())
    place, ahead, minutes = _ahead(name)
    path = Path(place)
    if not path.exists():
        raise ValueError(f"{place!r} is no file or folder, and no comparator: {', '.join(COMPARATORS)}.")
    if path.suffix == ".json":
        path = trained(path, runs, say)
    elif path.is_dir() and RunDirectory(path).config.exists():
        path = _model_of(path)
    return _network(name, path, ahead, minutes)


def _ahead(name: str) -> tuple[str, float | str, Minutes]:
    """Where the network is, how far ahead it commits in words, and in minutes on a scenario."""
    place, sign, said = name.rpartition(AHEAD)
    if not sign or Path(name).exists():
        return name, 0.0, lambda _: 0.0
    if said == TUNED:
        return place, TUNED, lambda scenario: tuned_window(scenario.name, MODEL)
    try:
        minutes = float(said)
    except ValueError:
        minutes = -1.0
    if not 0.0 <= minutes < math.inf:
        raise ValueError(f"{name!r}: expected minutes, or {TUNED!r}, behind the {AHEAD}.")
    return place, minutes, lambda _: minutes


def trained(settings: Path, runs: Path, say: Callable[[str], None]) -> Path:
    """The model of a training by these settings: the one in `runs` if it is complete, else continued or begun."""
    content = read_settings(settings)
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
    run = RunDirectory(runs / f"{settings.stem}-{digest}")
    if not run.config.exists():
        say(f"Training by {settings} in {run.root}")
        command = shlex.join(["qdispatch-trainer", *sys.argv[1:]])
        recipe_named(str(content.pop("recipe", DEFAULT))).train(content, run.root, command, None)
    elif not _done(run):
        say(f"Continuing the training in {run.root}")
        recipe_of_run(run.root).resume(run.root, None)
    return _model_of(run.root)


def _model_of(run: Path) -> Path:
    directory = RunDirectory(run)
    if not directory.model.exists() or not _done(directory):
        raise ValueError(f"{run} holds no complete training; continue it with train --resume --out {run}.")
    return directory.model


def _done(run: RunDirectory) -> bool:
    """Whether its training came to an end of its own: all rounds, or patience."""
    if not run.summary.exists():
        return False
    return json.loads(run.summary.read_text(encoding="utf-8")).get("ending") in (Ending.COMPLETE, Ending.EARLY_STOP)


def _network(name: str, path: Path, ahead: float | str, minutes: Minutes) -> Contestant:
    _, about = load_policy(path)
    training = _training_of(path)
    scenario, digest = str(training.get("scenario")), training.get("scenario_digest")
    if scenario in SCENARIOS and digest is not None and digest != SCENARIOS[scenario].digest():
        raise OtherTaskError(f"{name} was trained on another {scenario} ({digest}) than today's.")
    flat = about["kind"] == "flat"
    build = partial(_scorer_at, path, minutes)
    identity = {**about, "commit_ahead_min": ahead}
    return Contestant(name, identity, build, _largest(training), FLAT_DRIVERS if flat else None)


def _scorer_at(path: Path, minutes: Minutes, scenario: Scenario) -> Scorer:
    """Loaded where it plays: an ONNX session cannot be sent to another process."""
    return committing_ahead(load_policy(path)[0], minutes(scenario))


def _training_of(path: Path) -> Mapping[str, Any]:
    if path.is_dir():
        return read_sealed(path).manifest.training.configuration
    checkpoint = load_checkpoint(path)
    named = {"scenario": checkpoint.scenario, "scenario_digest": checkpoint.scenario_digest}
    return {**checkpoint.training, **named}


def _largest(training: Mapping[str, Any]) -> int | None:
    """REGULAR drivers of the largest fleet in training, None when the training does not say."""
    mix = training.get("mix")
    if isinstance(mix, Mapping):
        return max(int(group["drivers"][1]) for group in mix.values())
    scenario = str(training.get("scenario"))
    if scenario not in SCENARIOS:
        return None
    return max(count for count, _ in SCENARIOS[scenario].driver_counts)
