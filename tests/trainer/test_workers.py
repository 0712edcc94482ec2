"""Work on a real Ray cluster of two nodes gives the numbers of one process, seed by seed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ray.cluster_utils import Cluster
from typer.testing import CliRunner

from qdispatch_trainer import workers
from qdispatch_trainer.checkpoint import load_checkpoint
from qdispatch_trainer.cli import app
from qdispatch_trainer.comparison.comparing import compare
from qdispatch_trainer.comparison.contestants import contestant
from qdispatch_trainer.imitation.config import ImitateConfig
from qdispatch_trainer.imitation.run import train
from qdispatch_trainer.imitation.wording import WORDING
from qdispatch_trainer.progress import Reporter
from qdispatch_trainer.quality.hindsight import measure_hindsight
from qdispatch_trainer.quality.measure import measure
from qdispatch_trainer.quality.model_policies import model_policy
from qdispatch_trainer.run_directory import RunDirectory
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.training_metrics import read_metrics
from qdispatch_trainer.watching import Unwatched
from qdispatch_trainer.workers import InProcess, OnRay, Workers, WorkersError

ROOT = Path(__file__).parents[2]
WALL_TIME = {"seconds", "acting_seconds", "updating_seconds"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a cluster of two nodes with one core each."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    yield cluster.address
    cluster.shutdown()  # type: ignore[no-untyped-call]  # Ray's has no types


@pytest.fixture
def on_ray(address: str) -> Iterator[OnRay]:
    held = OnRay(address)
    yield held
    held.close()


def squared(number: int) -> int:
    if number < 0:
        raise ValueError(f"{number} is negative")
    return number * number


def trace(run: Path) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in row.items() if name not in WALL_TIME} for row in read_metrics(RunDirectory(run))
    ]


def trained(out: Path, played_by: Workers | None) -> Path:
    settings = json.loads((ROOT / "training" / "smoke.json").read_text())
    del settings["recipe"]
    config = replace(ImitateConfig.from_dict(settings), calibration_days={})
    train(config, out, Reporter(Unwatched(), config.all_rounds, WORDING), "test", workers=played_by)
    return out


def test_results_come_in_order_and_errors_come_through(on_ray: OnRay) -> None:
    assert on_ray.count == 2
    for held in (on_ray, InProcess()):
        assert held.map(squared, [(3,), (1,), (2,)]) == [9, 1, 4]
        with pytest.raises(ValueError, match="-1 is negative"):
            held.map(squared, [(1,), (-1,)])


@pytest.mark.long
def test_a_comparison_has_the_same_numbers(on_ray: OnRay) -> None:
    scenario, seeds = scenario_named("clinic-day"), range(1_000_000, 1_000_060)
    names = ("random feasible", "regret-2", str(ROOT / "models" / "default"))
    contestants = [contestant(name, Path("none"), print) for name in names]
    here = compare(contestants, scenario, seeds, Unwatched())
    there = compare(contestants, scenario, seeds, Unwatched(), on_ray)
    for name in names:
        for figure, values in here.values[name].items():
            np.testing.assert_array_equal(values, there.values[name][figure], err_msg=f"{name}, {figure}")


@pytest.mark.long
def test_a_measurement_has_the_same_days(on_ray: OnRay, tmp_path: Path) -> None:
    scenario, first = scenario_named("clinic-day"), 1_000_000
    policy = model_policy("model with search", ROOT / "models" / "default", scenario, 20)
    here = measure(policy, scenario, first, 70, tmp_path / "here.json", 60, Unwatched())
    there = measure(policy, scenario, first, 70, tmp_path / "there.json", 60, Unwatched(), on_ray)
    assert there.days == 70
    assert there.validated == here.validated
    assert there.agreement == here.agreement
    for name, values in here.kpis.items():
        np.testing.assert_array_equal(values, there.kpis[name], err_msg=name)
    alone, both = (
        measure_hindsight(scenario, first, 6, tmp_path / f"{name}.json", Unwatched(), workers)
        for name, workers in (("alone", InProcess()), ("both", on_ray))
    )
    np.testing.assert_array_equal(alone.kpis["cost"], both.kpis["cost"])


def test_a_training_has_the_same_numbers_and_weights(on_ray: OnRay, tmp_path: Path) -> None:
    here, there = trained(tmp_path / "here", None), trained(tmp_path / "there", on_ray)
    assert trace(here) == trace(there)
    first, second = (load_checkpoint(RunDirectory(run).model).network.state_dict() for run in (here, there))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.long
def test_trials_of_a_study_as_tasks(address: str, tmp_path: Path) -> None:
    given = ["tune", "--study-name", "x", "--trials", "4", "--episodes", "5", "--eval-episodes", "2"]
    given += ["--measure-days", "2", "--storage", str(tmp_path / "x.journal")]
    result = CliRunner().invoke(app, [*given, "--output", str(tmp_path / "tuned.json"), "--ray", address])
    assert result.exit_code == 0, result.output
    assert "x, 2 workers: 4 trials" in " ".join(result.stderr.split())
    rows = json.loads((tmp_path / "tuned.json").read_text())["tuning"]["optimization_history"]
    done = [row for row in rows if row["state"] in ("complete", "pruned")]
    assert len(done) == 4
    assert len({row["worker"] for row in done}) == 2  # both nodes took trials
    alone = tmp_path / "alone.json"
    single = [*given[:4], "1", *given[5:-1], str(tmp_path / "y.journal"), "--output", str(alone)]
    result = CliRunner().invoke(app, single)
    assert result.exit_code == 0, result.output
    untuned = json.loads(alone.read_text())["tuning"]["optimization_history"][0]
    assert untuned["value"] == next(row["value"] for row in done if row["params"] == untuned["params"])


def test_what_cannot_be_used_says_why(address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(WorkersError, match=r"127\.0\.0\.1:1"):
        OnRay("127.0.0.1:1")
    result = CliRunner().invoke(
        app, ["train", "--recipe", "dqn", "--episodes", "2", "--out", str(tmp_path / "run"), "--ray", address]
    )
    assert result.exit_code == 2
    assert "plays its days in one process" in " ".join(result.stderr.split())
    monkeypatch.setattr(workers, "find_spec", lambda _name: None)
    with pytest.raises(WorkersError, match="extra"):
        OnRay(address)
