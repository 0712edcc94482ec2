"""The training loop on real simulated days: it learns, it repeats exactly, and a resumed run equals an unbroken one."""

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

import numpy as np
import pytest
import torch

from qdispatch_trainer.acting import ExploringActor
from qdispatch_trainer.checkpoint import load_checkpoint
from qdispatch_trainer.closed_loop import returns_of
from qdispatch_trainer.dqn.agent import DqnAgent
from qdispatch_trainer.dqn.agent_config import AgentConfig
from qdispatch_trainer.dqn.divergence_alarm import DivergenceAlarm
from qdispatch_trainer.networks.adapter import SetAdapter
from qdispatch_trainer.networks.build import build_network
from qdispatch_trainer.policies import network_scorer
from qdispatch_trainer.progress import Reporter
from qdispatch_trainer.replay.packing import SparsePacking
from qdispatch_trainer.replay.replay_memory import ReplayConfig, ReplayMemory
from qdispatch_trainer.run_directory import RunDirectory, RunError
from qdispatch_trainer.scenarios import Scenario
from qdispatch_trainer.seeds import SeedPurpose, seed_range
from qdispatch_trainer.train import build_training, network_config, resume, train
from qdispatch_trainer.train_config import TrainConfig
from qdispatch_trainer.training import Ending, Training
from qdispatch_trainer.training_metrics import read_metrics
from qdispatch_trainer.views import SparseViews
from qdispatch_trainer.watching import Unwatched

QUICK = TrainConfig(
    days=8,
    days_per_round=2,
    warmup_decisions=20,
    updates_per_decision=0.1,
    validation_days=2,
    validate_every_rounds=2,
    checkpoint_every_rounds=1,
    calibration_days=0,
    agent=AgentConfig(batch_size=16),
    replay=ReplayConfig(capacity_steps=400, n_step=2, priority_alpha=0.5),
)
CHANGING = {"seconds", "acting_seconds"}  # wall time


def quiet() -> Reporter:
    return Reporter(Unwatched(), QUICK.days)


def trace(run: Path) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in row.items() if name not in CHANGING} for row in read_metrics(RunDirectory(run))
    ]


def weights(path: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(path).network.state_dict()


def same_weights(a: Path, b: Path) -> bool:
    first, second = weights(a), weights(b)
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("unbroken") / "run"
    result = train(QUICK, out, quiet(), "test")
    assert result.ending is Ending.COMPLETE
    return out


def test_a_run_leaves_everything_a_reader_needs(unbroken: Path) -> None:
    run = RunDirectory(unbroken)
    assert json.loads(run.config.read_text())["config"]["seed"] == QUICK.seed
    summary = json.loads(run.summary.read_text())
    assert summary["ending"] == "complete"
    assert summary["progress"]["days"] == 8
    rows = read_metrics(run)
    assert [row["round"] for row in rows if row["kind"] == "round"] == [1, 2, 3, 4]
    assert [row["round"] for row in rows if row["kind"] == "validation"] == [0, 2, 4]
    assert all(row["replay_steps"] <= 400 for row in rows if row["kind"] == "round")
    assert list(run.events.glob("events.out.tfevents.*"))
    assert {path.name for path in run.checkpoints.iterdir()} >= {"state.pt", "best.pt", "round-000004.pt"}
    model = load_checkpoint(run.model)
    assert model.training["agent"]["batch_size"] == 16
    assert model.progress["days"] <= 8
    assert model.validation["first_seed"] >= 1_000_000


def test_equal_seeds_give_equal_runs(unbroken: Path, tmp_path: Path) -> None:
    train(QUICK, tmp_path / "run", quiet(), "test")
    assert trace(tmp_path / "run") == trace(unbroken)
    assert same_weights(
        tmp_path / "run" / "checkpoints" / "round-000004.pt", unbroken / "checkpoints" / "round-000004.pt"
    )


def test_another_seed_gives_another_run(unbroken: Path, tmp_path: Path) -> None:
    train(replace(QUICK, seed=1), tmp_path / "run", quiet(), "test")
    assert trace(tmp_path / "run") != trace(unbroken)


def test_a_killed_and_resumed_run_equals_an_unbroken_one(unbroken: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps(QUICK.to_dict()))
    command = [
        sys.executable,
        "-m",
        "qdispatch_trainer.cli",
        "train",
        "--recipe",
        "dqn",
        "--config",
        str(settings),
        "--out",
        str(out),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    metrics = RunDirectory(out).metrics
    while not (metrics.exists() and '"round": 2' in metrics.read_text()):  # in the middle of round 3, or later
        assert process.poll() is None, "the training ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    result = resume(out, quiet())
    assert result.ending is Ending.COMPLETE
    assert trace(out) == trace(unbroken)
    assert same_weights(out / "model.pt", unbroken / "model.pt")
    assert same_weights(out / "checkpoints" / "round-000004.pt", unbroken / "checkpoints" / "round-000004.pt")


def test_ctrl_c_leaves_a_run_that_can_be_resumed(unbroken: Path, tmp_path: Path) -> None:
    class Impatient(Reporter):
        def round(self, values: dict[str, Any]) -> None:
            if values["days"] == 4:
                os.kill(os.getpid(), signal.SIGINT)

    out = tmp_path / "run"
    first = train(QUICK, out, Impatient(Unwatched(), 8), "test")
    assert first.ending is Ending.INTERRUPTED
    assert first.model is None
    assert resume(out, quiet()).ending is Ending.COMPLETE
    assert trace(out) == trace(unbroken)


def test_a_finished_directory_is_not_overwritten(unbroken: Path) -> None:
    with pytest.raises(RunError, match="already holds a run"):
        train(QUICK, unbroken, quiet(), "test")


def test_two_processes_never_train_in_one_directory(unbroken: Path) -> None:
    with RunDirectory(unbroken).held(), pytest.raises(RunError, match="Another process"):
        resume(unbroken, quiet())


def test_nothing_to_resume_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run to resume"):
        resume(tmp_path, quiet())


def test_early_stop(tmp_path: Path) -> None:
    config = replace(QUICK, days=300, validate_every_rounds=1, patience=2)
    config = replace(config, agent=replace(config.agent, learning_rate=1e-9, final_learning_rate=1e-9))
    result = train(config, tmp_path / "run", quiet(), "test")  # it learns nothing, so no validation is better
    assert result.ending is Ending.EARLY_STOP
    assert result.summary["progress"]["days"] < 300
    assert result.model is not None


def test_divergence_stops_the_run_and_keeps_the_best(tmp_path: Path) -> None:
    agent = AgentConfig(batch_size=16, learning_rate=1e6, final_learning_rate=1e6, gradient_clip=1e9)
    result = train(replace(QUICK, days=300, calibration_days=2, agent=agent), tmp_path / "run", quiet(), "test")
    assert result.ending is Ending.DIVERGED
    assert result.model is not None
    kept = load_checkpoint(result.model)
    assert kept.progress["updates"] == 0
    assert set(kept.validation["threshold"]["mean_return"]) >= {"-8", "0", "8"}


TOY = Scenario(
    name="toy",
    driver_counts=((2, 1.0),),
    legs=8,
    urgent_share=0.0,
    known_at_start_share=1.0,
    travel_sigma=0.0,
    service_sigma=0.0,
)


def test_learning_improves_a_toy_day() -> None:
    config = replace(
        QUICK,
        days=160,
        days_per_round=40,
        updates_per_decision=0.2,
        guided_start=0.0,
        advantage_unit_min=50.0,
        epsilon_end=0.05,
        agent=AgentConfig(batch_size=32, learning_rate=3e-3, final_learning_rate=3e-4, target_rate=0.02),
        replay=ReplayConfig(capacity_steps=8_000, n_step=3),
    )
    torch.set_num_threads(1)
    torch.manual_seed(0)
    agent = DqnAgent(build_network(network_config(config)), SetAdapter(), config.agent)
    memory = ReplayMemory(config.replay, SparsePacking())
    training = Training(
        config, agent, memory, ExploringActor(TOY, agent, SparseViews()), DivergenceAlarm(value_limit_min=50_000.0)
    )
    seeds = seed_range(SeedPurpose.VALIDATION, 80)
    before = returns_of(TOY, seeds, network_scorer(agent.network))
    while not training.complete:
        training.run_round()
    after = returns_of(TOY, seeds, network_scorer(agent.network))
    gain = after - before
    assert gain.mean() > 2.5 * gain.std() / np.sqrt(len(gain))


def test_traces_hold_the_whole_return_and_an_insertion_earns_minus_its_cost() -> None:
    training = build_training(QUICK)
    actor: ExploringActor[Any] = training._actor  # type: ignore[assignment]
    played = actor.play([3, 4], 0.5, np.random.default_rng(0))
    assert played.decisions == sum(len(trace_.steps) for trace_ in played.traces) > 10
    rewards = [sum(step.reward for step in trace_.steps) for trace_ in played.traces]
    # The first decision comes before anything has cost anything, so nothing of the return is left out.
    assert np.mean(rewards) == pytest.approx(played.mean_return)
    insertions = 0
    for trace_ in played.traces:
        for step in trace_.steps:
            assert step.mask[step.action]
            if step.action > 0 and step.elapsed_min == 0.0:  # the next decision is at the same instant
                assert step.reward == pytest.approx(-float(step.observation.pair_cost[step.action - 1]), abs=1e-3)
                insertions += 1
    assert insertions > 5
