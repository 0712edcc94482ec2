"""The recipe `dqn`, the pure algorithm: its composition root, which reads as what a training is."""

from __future__ import annotations

import platform
import time
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from qdispatch_domain import features
from qdispatch_domain.classic import ACTIONS, STATE, classic_fingerprint
from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.acting import ExploringActor
from qdispatch_trainer.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from qdispatch_trainer.closed_loop import returns_of
from qdispatch_trainer.dqn.agent import DqnAgent
from qdispatch_trainer.dqn.divergence_alarm import Diverged, DivergenceAlarm
from qdispatch_trainer.dqn.guidance import Guide
from qdispatch_trainer.networks.adapter import Adapter, FlatAdapter, SetAdapter
from qdispatch_trainer.networks.build import QNetworkConfig, build_network
from qdispatch_trainer.networks.flat_network import FlatNetworkConfig
from qdispatch_trainer.networks.set_network import SetNetwork, SetNetworkConfig
from qdispatch_trainer.networks.unseen_features import silence_unseen_features
from qdispatch_trainer.paired_difference import paired_difference
from qdispatch_trainer.policies import HEURISTICS, REFERENCE, network_scorer
from qdispatch_trainer.progress import Reporter
from qdispatch_trainer.replay.packing import SparsePacking, StatePacking
from qdispatch_trainer.replay.replay_memory import ReplayMemory
from qdispatch_trainer.run_directory import RunDirectory, RunError, write_json
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose, seed_range
from qdispatch_trainer.source_revision import git_revision
from qdispatch_trainer.stop_request import StopRequest
from qdispatch_trainer.threshold import Calibration, calibrate
from qdispatch_trainer.train_config import TrainConfig
from qdispatch_trainer.training import Ending, Training
from qdispatch_trainer.training_metrics import TrainingMetrics
from qdispatch_trainer.training_state import load_state, save_state
from qdispatch_trainer.views import views_for

RECIPE = "dqn"
CALIBRATION_FIRST_DAY = 100_000  # of the validation seeds; other days than those that choose the checkpoint
LEAD_MIN = 5.0  # a departure this soon is due even if the next event comes first
WORST_DAYS = 2.0  # |Q| may reach this many days on which nothing is served


@dataclass(frozen=True, slots=True)
class TrainResult:
    """How a training ended; `model` is None unless there is a result to use."""

    ending: Ending
    reason: str
    model: Path | None
    summary: dict[str, Any]
    rows: tuple[tuple[str, str], ...]  # what a person reads of the summary


class NetworkSettings(Protocol):
    """The settings of any recipe that shape its network."""

    @property
    def network(self) -> str: ...

    @property
    def hidden_sizes(self) -> tuple[int, int, int] | None: ...

    @property
    def dropout(self) -> float: ...

    @property
    def value_unit_min(self) -> float: ...

    @property
    def advantage_unit_min(self) -> float: ...


def network_config(config: NetworkSettings) -> QNetworkConfig:
    """Sizes of the network: the features' from the domain, the rest from the training configuration."""
    if config.network == "flat":
        sizes = {} if config.hidden_sizes is None else {"hidden": config.hidden_sizes}
        return FlatNetworkConfig(STATE, ACTIONS, dropout=config.dropout, value_unit_min=config.value_unit_min, **sizes)
    departure, next_event = _column(features.PAIR, "departure_in"), _column(features.CONTEXT, "next_event_in")
    scale = features.PAIR[departure].scale
    if features.CONTEXT[next_event].scale != scale:
        raise ValueError("Expected departure_in and next_event_in in the same unit.")
    names = ("hidden", "context_hidden", "pair_hidden")
    widths = {} if config.hidden_sizes is None else dict(zip(names, config.hidden_sizes, strict=True))
    return SetNetworkConfig(
        features.N_DRIVER,
        features.N_BOOKING,
        features.N_PAIR,
        features.N_CONTEXT,
        departure_column=departure,
        next_event_column=next_event,
        lead=LEAD_MIN / scale,
        value_unit_min=config.value_unit_min,
        advantage_unit_min=config.advantage_unit_min,
        dropout=config.dropout,
        **widths,
    )


def _column(columns: tuple[features.Feature, ...], name: str) -> int:
    return [column.name for column in columns].index(name)


def feature_fingerprint(kind: str) -> str:
    """Fingerprint of what a network of this kind reads."""
    return classic_fingerprint() if kind == "flat" else features.fingerprint()


def build_training(config: TrainConfig) -> Training[Any]:
    """Everything wired, before the first round."""
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    scenario = scenario_named(config.scenario)
    adapter: Adapter[Any] = SetAdapter() if config.network == "set" else FlatAdapter()
    packing = SparsePacking() if config.network == "set" else StatePacking()
    network = build_network(network_config(config))
    if isinstance(network, SetNetwork):
        silence_unseen_features(network)
    agent: DqnAgent[Any] = DqnAgent(network, adapter, config.agent)
    memory: ReplayMemory[Any] = ReplayMemory(config.replay, packing)
    actor: ExploringActor[Any] = ExploringActor(
        scenario, agent, views_for(config.network), Guide(config.guide_window_min)
    )
    alarm = DivergenceAlarm(value_limit_min=WORST_DAYS * scenario.max_bookings * WEIGHTS.unserved_urgent)
    return Training(config, agent, memory, actor, alarm)


def train(
    config: TrainConfig, out: Path, reporter: Reporter, command: str, minutes: float | None = None
) -> TrainResult:
    """A new training in the empty directory `out`. Raises RunError when it already holds a run.

    `minutes` ends it after so much wall time (then the result depends on the machine); `command` is recorded.
    """
    run = RunDirectory(out)
    run.create({"recipe": RECIPE, "config": config.to_dict(), "command": command, "versions": versions()})
    with run.held():
        return _run(run, build_training(config), reporter, command, minutes, resumed_round=None)


def resume(out: Path, reporter: Reporter, minutes: float | None = None) -> TrainResult:
    """Continue the run in `out` from its last saved state. Raises RunError when there is nothing to continue."""
    run = RunDirectory(out)
    config = stored_config(run)
    command = str(run.read_config().get("command", ""))
    training = build_training(config)
    with run.held():
        progress, parts = load_state(run.state)
        training.restore(progress, parts)
        return _run(run, training, reporter, command, minutes, resumed_round=progress.rounds)


def stored_config(run: RunDirectory) -> TrainConfig:
    """The settings of an existing run. Raises RunError when they cannot be read."""
    stored = run.read_config()
    try:
        return TrainConfig.from_dict(stored["config"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{run.config} holds no settings of this version: {error}") from error


def _run(
    run: RunDirectory,
    training: Training[Any],
    reporter: Reporter,
    command: str,
    minutes: float | None,
    resumed_round: int | None,
) -> TrainResult:
    config = training.config
    scenario = scenario_named(config.scenario)
    stop_at = None if minutes is None else time.monotonic() + 60.0 * minutes
    seeds = seed_range(SeedPurpose.VALIDATION, config.validation_days)
    reference = returns_of(scenario, seeds, HEURISTICS[REFERENCE]())
    ending, reason = Ending.COMPLETE, f"all {config.days} days played"
    with StopRequest() as stop, TrainingMetrics(run, resumed_round) as metrics, reporter:
        if resumed_round is None:
            _validate(run, training, command, metrics, reporter, reference)  # what there is to improve on
            save_state(run.state, training.progress, training.state_parts())
        while not training.complete:
            try:
                values = training.run_round()
            except Diverged as error:
                ending, reason = Ending.DIVERGED, str(error)
                reporter.say(f"Stopped: {reason} The best checkpoint is kept.")
                break
            metrics.write("round", training.progress.rounds, values)
            reporter.round(values)
            rounds = training.progress.rounds
            if rounds % config.validate_every_rounds == 0 or training.complete:
                _validate(run, training, command, metrics, reporter, reference)
            if rounds % config.checkpoint_every_rounds == 0 or training.complete:
                save_checkpoint(_checkpoint(training, command, {}), run.checkpoint(rounds))
                save_state(run.state, training.progress, training.state_parts())
            if training.out_of_patience:
                ending, reason = Ending.EARLY_STOP, f"{config.patience} validations without improvement"
                break
            if stop.asked or (stop_at is not None and time.monotonic() >= stop_at):
                ending = Ending.INTERRUPTED if stop.asked else Ending.TIME_LIMIT
                reason = "stopped by a signal" if stop.asked else f"{minutes:g} minutes of wall time"
                save_state(run.state, training.progress, training.state_parts())
                break
    return _finish(run, training, ending, reason, reporter)


def _validate(
    run: RunDirectory,
    training: Training[Any],
    command: str,
    metrics: TrainingMetrics,
    reporter: Reporter,
    reference: np.ndarray,
) -> None:
    config = training.config
    seeds = seed_range(SeedPurpose.VALIDATION, config.validation_days)
    returns = returns_of(scenario_named(config.scenario), seeds, network_scorer(training.network))
    gain = paired_difference(returns, reference)
    is_best = training.note_validation(float(returns.mean()))
    values = {
        "days": training.progress.days,
        "mean_return": float(returns.mean()),
        "reference": REFERENCE,
        "gain_over_reference": gain.mean,
        "gain_half_width": gain.half_width,
        "is_best": is_best,
    }
    metrics.write("validation", training.progress.rounds, values)
    reporter.validation(values)
    if is_best:
        chosen_on = {"first_seed": seeds[0], "seeds": len(seeds), **values}
        save_checkpoint(_checkpoint(training, command, chosen_on), run.best)


def _checkpoint(training: Training[Any], command: str, validation: dict[str, Any]) -> Checkpoint:
    config = training.config
    return Checkpoint(
        network=training.network,
        feature_fingerprint=feature_fingerprint(config.network),
        scenario=config.scenario,
        scenario_digest=scenario_named(config.scenario).digest(),
        weights_digest=WEIGHTS.digest(),
        seed=config.seed,
        training={
            "recipe": RECIPE,
            **config.to_dict(),
            "command": command,
            "versions": versions(),
            "git_revision": git_revision(),
        },
        progress=asdict(training.progress),
        validation=validation,
    )


def _finish(run: RunDirectory, training: Training[Any], ending: Ending, reason: str, reporter: Reporter) -> TrainResult:
    summary: dict[str, Any] = {"ending": ending.value, "reason": reason, "progress": asdict(training.progress)}
    if ending is Ending.INTERRUPTED or training.progress.best_round < 0:
        write_json(run.summary, _finite(summary))
        return TrainResult(ending, reason, None, summary, _rows(summary))
    best = load_checkpoint(run.best)
    calibration = _calibrate(training.config, best, reporter)
    validation = dict(best.validation)
    bias = 0.0
    if calibration is not None:
        bias = calibration.chosen_min
        validation["threshold"] = {
            "wait_bias_min": bias,
            "gain": calibration.gain.mean,
            "gain_half_width": calibration.gain.half_width,
            "mean_return": {f"{tried:g}": mean for tried, mean in calibration.mean_return.items()},
        }
    result = Checkpoint(
        **{
            **{name: getattr(best, name) for name in Checkpoint.__dataclass_fields__},
            "wait_bias_min": bias,
            "validation": validation,
            "progress": {**best.progress, "training_seconds": training.progress.seconds},
        }
    )
    save_checkpoint(result, run.model)
    summary |= {"model": run.model.name, "wait_bias_min": bias, "validation": validation}
    write_json(run.summary, _finite(summary))
    return TrainResult(ending, reason, run.model, summary, _rows(summary))


def _rows(summary: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    progress = summary["progress"]
    rows = [
        ("days, decisions, updates", f"{progress['days']}, {progress['decisions']}, {progress['updates']}"),
        ("training time", f"{progress['seconds']:.0f} s"),
    ]
    validation = summary.get("validation")
    if validation:
        gain, half = validation["gain_over_reference"], validation["gain_half_width"]
        best = f"{validation['mean_return']:.1f} after {validation['days']} days"
        rows += [
            ("best validation, mean return", best),
            (f"against {validation['reference']}", f"{gain:+.1f} ± {half:.1f} (95 %)"),
            ("commit threshold", f"{summary['wait_bias_min']:+g} min"),
        ]
    return tuple(rows)


def _calibrate(config: TrainConfig, best: Checkpoint, reporter: Reporter) -> Calibration | None:
    if config.calibration_days == 0:
        return None
    reporter.say(f"Calibrating the commit threshold on {config.calibration_days} validation days")
    scenario = scenario_named(config.scenario)
    seeds = seed_range(SeedPurpose.VALIDATION, config.calibration_days, CALIBRATION_FIRST_DAY)
    return calibrate(lambda bias: returns_of(scenario, seeds, network_scorer(best.network, bias)))


def _finite(summary: dict[str, Any]) -> dict[str, Any]:
    """JSON knows no infinity: before the first validation there is no best return."""
    progress = summary["progress"]
    best = progress["best_mean_return"] if progress["best_round"] >= 0 else None
    return {**summary, "progress": {**progress, "best_mean_return": best}}


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    found = {"python": platform.python_version()}
    for package in ("qdispatch", "numpy", "scipy", "torch"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
