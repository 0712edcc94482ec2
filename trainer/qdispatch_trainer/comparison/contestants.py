"""Who is compared: a checkpoint, a bundle, a run, training settings (trained first), or a comparator by name.

How a network is named with what the server may put behind it: `network_name.py`.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from qdispatch_bundle.sealing import read_sealed
from qdispatch_domain.situation import Scorer
from qdispatch_trainer.checkpoint import load_checkpoint
from qdispatch_trainer.comparators import COMPARATORS, comparator
from qdispatch_trainer.comparison.network_name import NetworkName, network_name
from qdispatch_trainer.loaded_policy import load_policy
from qdispatch_trainer.recipes import DEFAULT, recipe_named, recipe_of_run
from qdispatch_trainer.run_directory import RunDirectory
from qdispatch_trainer.scenarios import SCENARIOS, Scenario
from qdispatch_trainer.served_policy import as_served
from qdispatch_trainer.settings_file import read_settings
from qdispatch_trainer.training import Ending

FLAT_DRIVERS = 10


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
    asked = network_name(name)
    path = Path(asked.place)
    if not path.exists():
        raise ValueError(f"{asked.place!r} is no file or folder, and no comparator: {', '.join(COMPARATORS)}.")
    if path.suffix == ".json":
        path = trained(path, runs, say)
    elif path.is_dir() and RunDirectory(path).config.exists():
        path = _model_of(path)
    return _network(name, path, asked)


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


def _network(name: str, path: Path, asked: NetworkName) -> Contestant:
    _, about = load_policy(path)
    training = _training_of(path)
    scenario, digest = str(training.get("scenario")), training.get("scenario_digest")
    if scenario in SCENARIOS and digest is not None and digest != SCENARIOS[scenario].digest():
        raise OtherTaskError(f"{name} was trained on another {scenario} ({digest}) than today's.")
    flat = about["kind"] == "flat"
    build = partial(_scorer_at, path, asked)
    identity = {**about, "commit_ahead_min": asked.ahead, "search": asked.search}
    return Contestant(name, identity, build, _largest(training), FLAT_DRIVERS if flat else None)


def _scorer_at(path: Path, asked: NetworkName, scenario: Scenario) -> Scorer:
    """Loaded where it plays: an ONNX session cannot be sent to another process."""
    return as_served(load_policy(path)[0], asked.minutes(scenario), asked.search)


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
