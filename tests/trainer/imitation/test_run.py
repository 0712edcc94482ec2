"""The whole recipe on a tiny configuration: it repeats exactly, and a killed and resumed run equals an unbroken one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from qdispatch_trainer.checkpoint import load_checkpoint
from qdispatch_trainer.cli import app
from qdispatch_trainer.imitation.config import ImitateConfig
from qdispatch_trainer.imitation.run import resume, train
from qdispatch_trainer.imitation.wording import WORDING
from qdispatch_trainer.progress import Reporter
from qdispatch_trainer.recipes import recipe_of_run
from qdispatch_trainer.run_directory import RunDirectory, RunError
from qdispatch_trainer.training import Ending
from qdispatch_trainer.training_metrics import read_metrics
from qdispatch_trainer.watching import Unwatched

SMOKE = Path(__file__).parents[3] / "training" / "smoke.json"
CHANGING = {"seconds", "acting_seconds", "updating_seconds"}  # wall time


def smoke_settings() -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(SMOKE.read_text())
    assert settings.pop("recipe") == "imitate-then-q"
    return settings


FLAT = {"small": {"drivers": [1, 9], "days_per_round": 1}}
TINY = ImitateConfig.from_dict(smoke_settings())


def quiet() -> Reporter:
    return Reporter(Unwatched(), TINY.all_rounds, WORDING)


def trace(run: Path) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in row.items() if name not in CHANGING} for row in read_metrics(RunDirectory(run))
    ]


def same_weights(a: Path, b: Path) -> bool:
    first, second = (load_checkpoint(path).network.state_dict() for path in (a, b))
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("unbroken") / "run"
    assert train(TINY, out, quiet(), "test").ending is Ending.COMPLETE
    return out


def test_a_run_leaves_everything_a_reader_needs(unbroken: Path) -> None:
    run = RunDirectory(unbroken)
    summary = json.loads(run.summary.read_text())
    assert summary["ending"] == "complete"
    assert summary["validation"]["by_scenario"].keys() == {"clinic-day"}
    assert set(summary["validation"]["threshold"]["mean_return"]) == {"-5", "0", "5"}
    gate = summary["validation"]["gate"]
    assert gate["ships"] is (gate["gain"] - gate["gain_half_width"] > 0.0)
    assert [row["stage"] for row in read_metrics(run) if row["kind"] == "round"] == ["imitate"] * 2 + ["q"] * 2
    model = load_checkpoint(run.model)
    assert model.scenario == "mix"
    assert model.training["recipe"] == "imitate-then-q"
    assert ImitateConfig.from_dict({k: v for k, v in model.training.items() if k in TINY.to_dict()}) == TINY
    assert not run.states.exists()


def test_equal_seeds_give_equal_runs_and_others_do_not(unbroken: Path, tmp_path: Path) -> None:
    train(TINY, tmp_path / "same", quiet(), "test")
    assert trace(tmp_path / "same") == trace(unbroken)
    assert same_weights(tmp_path / "same" / "model.pt", unbroken / "model.pt")
    train(replace(TINY, seed=1), tmp_path / "other", quiet(), "test")
    assert trace(tmp_path / "other") != trace(unbroken)


@pytest.mark.parametrize("rounds", range(1, TINY.all_rounds))
def test_a_killed_and_resumed_run_equals_an_unbroken_one(unbroken: Path, tmp_path: Path, rounds: int) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-m", "qdispatch_trainer.cli", "train", "--config", str(SMOKE), "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    metrics = RunDirectory(out).metrics
    while not (metrics.exists() and f'"round": {rounds}' in metrics.read_text()):
        assert process.poll() is None, "the training ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert resume(out, quiet()).ending is Ending.COMPLETE
    assert trace(out) == trace(unbroken)
    assert same_weights(out / "model.pt", unbroken / "model.pt")


def test_ctrl_c_leaves_a_run_that_can_be_resumed(unbroken: Path, tmp_path: Path) -> None:
    class Impatient(Reporter):
        def round(self, values: dict[str, Any]) -> None:
            if values["rounds"] == 1:
                os.kill(os.getpid(), signal.SIGINT)

    out = tmp_path / "run"
    first = train(TINY, out, Impatient(Unwatched(), 2, WORDING), "test")
    assert (first.ending, first.model) == (Ending.INTERRUPTED, None)
    assert resume(out, quiet()).ending is Ending.COMPLETE
    assert trace(out) == trace(unbroken)


def test_a_lost_file_of_states_is_told(tmp_path: Path) -> None:
    out = tmp_path / "run"
    train(TINY, out, quiet(), "test", minutes=0.0)
    run = RunDirectory(out)
    next(run.states.iterdir()).unlink()
    with pytest.raises(RunError, match="states of round 1"):
        resume(out, quiet())


def test_the_recipe_is_the_commands_default_and_a_run_knows_its_own(unbroken: Path, tmp_path: Path) -> None:
    assert recipe_of_run(unbroken) is not recipe_of_run(_old_run(tmp_path))
    found = CliRunner().invoke(app, ["train", "--out", str(tmp_path / "new"), "--set", "no_such_setting=1"])
    assert (found.exit_code, "Unknown training settings: no_such_setting" in found.output) == (2, True)
    found = CliRunner().invoke(app, ["train", "--out", str(tmp_path / "new"), "--recipe", "guess"])
    assert (found.exit_code, "imitate-then-q, dqn" in found.output) == (2, True)
    assert not (tmp_path / "new").exists()


def _old_run(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"recipe": "dqn", "config": {}}))
    return folder


def test_a_run_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"config": {}}))
    with pytest.raises(RunError, match="another version"):
        recipe_of_run(tmp_path)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"teacher": "nobody"}, "teacher"),
        ({"rounds": 0}, "rounds"),
        ({"beta_start": 1.5}, "beta_start"),
        ({"mix": {}}, "group"),
        ({"validation_days": {"clinic-day": 1}}, "at least 2 days"),
        ({"validation_days": {"moon": 10}}, "moon"),
        ({"learner": {"batch_size": 0}}, "batch_size"),
        ({"learner": {"no_such": 1}}, "no_such"),
        ({"network": "flat", "mix": {"small": {"drivers": [1, 10], "days_per_round": 1}}}, "at most 9"),
        ({"network": "flat", "mix": FLAT, "validation_days": {"fleet-10x60": 5}}, "fleet-10x60 has more"),
    ],
)
def test_settings_are_checked(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ImitateConfig.from_dict({**smoke_settings(), **wrong})


@pytest.mark.parametrize("name", ["default", "flat"])
def test_published_settings_are_complete_and_valid(name: str) -> None:
    settings = json.loads((SMOKE.parent / f"{name}.json").read_text())
    assert settings.pop("recipe") == "imitate-then-q"
    assert ImitateConfig.from_dict(settings).to_dict() == settings  # no value is left to a default that may change


def test_the_flat_network_trains_by_the_same_recipe(tmp_path: Path) -> None:
    settings = smoke_settings()
    del settings["mix"]["middle"]
    config = ImitateConfig.from_dict({**settings, "network": "flat"})
    assert train(config, tmp_path / "run", quiet(), "test").model is not None
    assert load_checkpoint(tmp_path / "run" / "model.pt").kind == "flat"
