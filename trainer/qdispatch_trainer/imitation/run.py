"""The recipe from its settings to a model: the composition root, which reads as what the recipe is."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from qdispatch_domain.situation import Scorer
from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from qdispatch_trainer.imitation.config import RECIPE, ImitateConfig
from qdispatch_trainer.imitation.learner import ImitationLearner
from qdispatch_trainer.imitation.q_stage import QStage
from qdispatch_trainer.imitation.reading import reading_for
from qdispatch_trainer.imitation.state_files import StateFiles
from qdispatch_trainer.imitation.states import States
from qdispatch_trainer.imitation.training import ImitationTraining
from qdispatch_trainer.imitation.training_mix import mix_digest
from qdispatch_trainer.imitation.yardstick import Yardstick, gain
from qdispatch_trainer.networks.build import QNetwork, build_network
from qdispatch_trainer.networks.set_network import SetNetwork
from qdispatch_trainer.networks.unseen_features import silence_unseen_features
from qdispatch_trainer.policies import HEURISTICS, network_scorer
from qdispatch_trainer.progress import Reporter
from qdispatch_trainer.run_directory import RunDirectory, RunError, write_json
from qdispatch_trainer.source_revision import git_revision
from qdispatch_trainer.stop_request import StopRequest
from qdispatch_trainer.threshold import Calibration, calibrate
from qdispatch_trainer.train import TrainResult, feature_fingerprint, network_config, versions
from qdispatch_trainer.training import Ending
from qdispatch_trainer.training_metrics import TrainingMetrics
from qdispatch_trainer.training_state import load_counters, save_state
from qdispatch_trainer.workers import Workers

F64 = npt.NDArray[np.float64]

CALIBRATION_FIRST_DAY = 100_000  # of the validation seeds; other days than those that choose the checkpoint
GATE_FIRST_DAY = 200_000
SCENARIO = "mix"  # what stands for the scenario in a checkpoint; its digest covers the whole mix


def build_training(config: ImitateConfig, workers: Workers | None = None) -> ImitationTraining:
    """Everything wired, before the first round. `workers` play the days; None: this process."""
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    network = build_network(network_config(config))
    if isinstance(network, SetNetwork):
        silence_unseen_features(network)
    reading = reading_for(config.network)
    learner = ImitationLearner(network, reading, config.learner)
    return ImitationTraining(config, learner, reading, workers)


def train(
    config: ImitateConfig,
    out: Path,
    reporter: Reporter,
    command: str,
    minutes: float | None = None,
    workers: Workers | None = None,
) -> TrainResult:
    """A new training in the empty directory `out`. Raises RunError when it already holds a run."""
    run = RunDirectory(out)
    run.create({"recipe": RECIPE, "config": config.to_dict(), "command": command, "versions": versions()})
    with run.held():
        return _Run(run, build_training(config, workers), reporter, command).go(minutes, resumed_round=None)


def resume(out: Path, reporter: Reporter, minutes: float | None = None, workers: Workers | None = None) -> TrainResult:
    """Continue the run in `out` from its last saved round. Raises RunError when there is nothing to continue."""
    run = RunDirectory(out)
    config = stored_config(run)
    command = str(run.read_config().get("command", ""))
    training = build_training(config, workers)
    with run.held():
        counters, parts = load_counters(run.state)
        training.restore(counters, parts)
        running = _Run(run, training, reporter, command)
        running.load_states()
        return running.go(minutes, resumed_round=training.progress.rounds)


def stored_config(run: RunDirectory) -> ImitateConfig:
    """The settings of an existing run. Raises RunError when they cannot be read."""
    try:
        return ImitateConfig.from_dict(run.read_config()["config"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{run.config} holds no settings of this version: {error}") from error


class _Run:
    """One process's work on a run."""

    def __init__(self, run: RunDirectory, training: ImitationTraining, reporter: Reporter, command: str) -> None:
        self._run, self._training, self._reporter, self._command = run, training, reporter, command
        self._files = StateFiles(run.states)
        self._reference = HEURISTICS[training.config.reference]()
        self._q_stage = self._new_q_stage()

    def _new_q_stage(self) -> QStage:
        training, config = self._training, self._training.config
        return QStage(
            config.q_stage,
            config.mix,
            config.seed,
            training.learner,
            training.reading,
            training.store,
            training.workers,
        )

    def load_states(self) -> None:
        """Read the states of the rounds done. Raises RunError."""
        training = self._training
        for number in range(1, training.progress.rounds + 1):
            if training.complete:
                break  # nothing is learned any more
            store = training.store if number <= training.config.rounds else self._q_stage.outcomes
            store.append(self._files.load(number))

    def go(self, minutes: float | None, resumed_round: int | None) -> TrainResult:
        training, config = self._training, self._training.config
        stop_at = None if minutes is None else time.monotonic() + 60.0 * minutes
        ending, reason = Ending.COMPLETE, f"all {config.all_rounds} rounds done"
        with StopRequest() as stop, TrainingMetrics(self._run, resumed_round) as metrics, self._reporter:
            if resumed_round is None:
                save_state(self._run.state, training.progress, training.state_parts())
            while not training.complete:
                try:
                    values, states = self._round()
                except FloatingPointError as error:
                    ending, reason = Ending.DIVERGED, str(error)
                    break
                number = training.progress.rounds
                self._files.save(number, states)
                metrics.write("round", number, values)
                self._reporter.round(values)
                if number <= config.rounds and (number % config.validate_every_rounds == 0 or number == config.rounds):
                    self._validate(metrics)
                save_state(self._run.state, training.progress, training.state_parts())
                if stop.asked or (stop_at is not None and time.monotonic() >= stop_at and not training.complete):
                    ending = Ending.INTERRUPTED if stop.asked else Ending.TIME_LIMIT
                    reason = "stopped by a signal" if stop.asked else f"{minutes:g} minutes of wall time"
                    break
        return self._finish(ending, reason)

    def _round(self) -> tuple[dict[str, Any], States]:
        """One round of the stage that is due: the Q stage begins from the best network that has imitated."""
        training, config = self._training, self._training.config
        if not training.imitated:
            values, states = training.run_round()
            return {"stage": "imitate", **values}, states
        progress, number = training.progress, training.progress.rounds - config.rounds
        if number == 0:
            network = load_checkpoint(self._run.best).network
            training.learner = ImitationLearner(network, training.reading, config.learner)
            self._q_stage = self._new_q_stage()
        values, states = self._q_stage.run_round(number, progress.days)
        progress.rounds += 1
        progress.days += self._q_stage.days_per_round
        progress.updates += config.q_stage.updates_per_round
        progress.seconds += values["acting_seconds"] + values["updating_seconds"]
        counters = {"rounds": progress.rounds, "days": progress.days, "updates": progress.updates}
        return {"stage": "q", **counters, "seconds": progress.seconds, **values}, states

    @cached_property
    def _yardstick(self) -> Yardstick:
        return Yardstick(self._training.config.validation_days, self._reference, workers=self._training.workers)

    def _validate(self, metrics: TrainingMetrics) -> None:
        training = self._training
        measured = self._yardstick.measure(network_scorer(training.learner.average))
        is_best = training.note_validation(measured.mean)
        values = {
            "days": training.progress.days,
            "relative_cost": measured.mean,
            "by_scenario": measured.by_scenario,
            "reference": training.config.reference,
            "is_best": is_best,
        }
        metrics.write("validation", training.progress.rounds, values)
        self._reporter.validation(values)
        if is_best:
            chosen_on = {"days_per_scenario": dict(training.config.validation_days), **values}
            save_checkpoint(self._checkpoint(training.learner.average, chosen_on), self._run.best)

    def _checkpoint(self, network: QNetwork, validation: dict[str, Any]) -> Checkpoint:
        config = self._training.config
        return Checkpoint(
            network=network,
            feature_fingerprint=feature_fingerprint(config.network),
            scenario=SCENARIO,
            scenario_digest=mix_digest(config.mix),
            weights_digest=WEIGHTS.digest(),
            seed=config.seed,
            training={
                "recipe": RECIPE,
                **config.to_dict(),
                "command": self._command,
                "versions": versions(),
                "git_revision": git_revision(),
            },
            progress=_finite(asdict(self._training.progress)),
            validation=validation,
        )

    def _finish(self, ending: Ending, reason: str) -> TrainResult:
        progress = self._training.progress
        summary: dict[str, Any] = {
            "recipe": RECIPE,
            "ending": ending.value,
            "reason": reason,
            "progress": _finite(asdict(progress)),
        }
        if ending is Ending.INTERRUPTED or progress.best_round < 0:
            write_json(self._run.summary, summary)
            return TrainResult(ending, reason, None, summary, _rows(summary))
        best = load_checkpoint(self._run.best)
        network, gate = self._gated(best.network)
        network, bias, threshold = self._calibrate(network)
        validation = {**best.validation, **gate, **threshold}
        model = replace(
            best,
            network=network,
            wait_bias_min=bias,
            validation=validation,
            training={**best.training, **self._training.config.to_dict()},  # a resumed run may calibrate anew
            progress={**best.progress, "training_seconds": progress.seconds},
        )
        save_checkpoint(model, self._run.model)
        if self._training.complete:
            self._files.remove()
        summary |= {"model": self._run.model.name, "wait_bias_min": bias, "validation": validation}
        write_json(self._run.summary, summary)
        return TrainResult(ending, reason, self._run.model, summary, _rows(summary))

    def _gated(self, imitated: QNetwork) -> tuple[QNetwork, dict[str, Any]]:
        """The network that ships, and the paired measurement on fresh days that decided it."""
        training, config = self._training, self._training.config
        if config.q_stage.rounds == 0 or not training.complete:
            return imitated, {}
        self._reporter.say(f"Gate: does the Q stage's network ship? {dict(config.gate_days)}")
        yardstick = Yardstick(config.gate_days, self._reference, GATE_FIRST_DAY, training.workers)
        before = yardstick.measure(network_scorer(imitated))
        after = yardstick.measure(network_scorer(training.learner.average))
        found = gain(after, before)
        ships = found.low is not None and found.low > 0.0
        record = {
            "ships": ships,
            "gain": found.mean,
            "gain_half_width": found.half_width,
            "imitated": before.by_scenario,
            "q_stage": after.by_scenario,
        }
        half = math.inf if found.half_width is None else found.half_width
        self._reporter.say(f"Gain {found.mean:+.4f} ± {half:.4f}: {'it ships' if ships else 'the imitated one ships'}")
        return training.learner.average if ships else imitated, {"gate": record}

    def _calibrate(self, network: QNetwork) -> tuple[QNetwork, float, dict[str, Any]]:
        """The network with its haste, the commit threshold, minutes-equivalent, and what was tried."""
        config = self._training.config
        if not config.calibration_days:
            return network, 0.0, {}
        self._reporter.say(f"Calibrating the commit threshold on {dict(config.calibration_days)}")
        workers = self._training.workers
        yardstick = Yardstick(config.calibration_days, self._reference, CALIBRATION_FIRST_DAY, workers)
        tried: dict[str, Any] = {}

        def returns_of(policy: Scorer) -> F64:
            return -yardstick.measure(policy).weighted

        if isinstance(network, SetNetwork) and config.calibration_sooner_min:
            of = network
            haste = calibrate(lambda x: returns_of(network_scorer(of.sooner(x))), config.calibration_sooner_min)
            tried["sooner_per_doubling"] = _tried(haste)
            network = of.sooner(haste.chosen_min)
        final = network
        threshold = calibrate(lambda x: returns_of(network_scorer(final, x)), config.calibration_biases_min)
        return final, threshold.chosen_min, {**tried, "threshold": _tried(threshold)}


def _tried(found: Calibration) -> dict[str, Any]:
    return {
        "chosen_min": found.chosen_min,
        "gain": found.gain.mean,
        "gain_half_width": found.gain.half_width,
        "mean_return": {f"{tried:g}": mean for tried, mean in found.mean_return.items()},
    }


def _rows(summary: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    progress = summary["progress"]
    rows = [
        ("days, states, updates", f"{progress['days']}, {progress['states']}, {progress['updates']}"),
        ("training time", f"{progress['seconds']:.0f} s"),
    ]
    validation = summary.get("validation")
    if validation:
        rows.append((f"cost against {validation['reference']}'s", f"{validation['relative_cost']:.4f}"))
        rows += [(f"  {name}", f"{cost:.4f}") for name, cost in validation["by_scenario"].items()]
        gate = validation.get("gate")
        if gate:
            rows.append(("gain of the Q stage", f"{gate['gain']:+.4f} ± {gate['gain_half_width']:.4f}"))
            rows.append(("ships", "Q stage" if gate["ships"] else "imitated"))
        haste = validation.get("sooner_per_doubling")
        if haste:
            rows.append(("sooner per doubling of the fleet", f"{haste['chosen_min']:g} min"))
        rows.append(("commit threshold", f"{summary['wait_bias_min']:+g} min"))
    return tuple(rows)


def _finite(progress: dict[str, Any]) -> dict[str, Any]:
    """JSON knows no infinity: before the first validation there is no best cost."""
    best = progress["best_relative_cost"]
    return {**progress, "best_relative_cost": best if math.isfinite(best) else None}
