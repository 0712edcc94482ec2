"""`measure` and `quality` end to end, on real days."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from qdispatch_domain.futures_search import FuturesSearch
from qdispatch_domain.heuristics import CheapestInsertion
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Situation
from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.checkpoint import Checkpoint, save_checkpoint
from qdispatch_trainer.cli import app
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.networks.build import build_network
from qdispatch_trainer.quality.model_policies import model_policy
from qdispatch_trainer.quality.result import read_result, read_results
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.simulator.play import play
from qdispatch_trainer.train import feature_fingerprint, network_config
from qdispatch_trainer.train_config import TrainConfig


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("trained") / "model.pt"
    save_checkpoint(
        Checkpoint(
            network=build_network(network_config(TrainConfig())),
            feature_fingerprint=feature_fingerprint("set"),
            scenario="clinic-day",
            scenario_digest=scenario_named("clinic-day").digest(),
            weights_digest=WEIGHTS.digest(),
            seed=3,
        ),
        path,
    )
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> Path:
    """Result files of a few policies on three clinic days."""
    out = tmp_path_factory.mktemp("quality")
    arguments = ["measure", "--scenario", "clinic-day", "--days", "3", "--out", str(out), "--model", str(checkpoint)]
    for policy in ("joint matching", "regret-2", "planner 1 ms", "model", "model with search"):
        arguments += ["--policy", policy]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return out


def test_measure_writes_a_file_a_policy(folder: Path, checkpoint: Path) -> None:
    rows = read_results(folder)["clinic-day"]
    assert set(rows) == {"joint-matching", "regret-2", "planner-1-ms", "model", "model-with-search"}
    for row in rows.values():
        assert (row.days, row.first_seed, row.validated.days, row.validated.broken_rules) == (3, 2_000_000, 3, 0)
        assert row.timing["day"].moments == 48
        assert row.timing_revision
    assert rows["model"].parameters["digest"]
    labelled = ["measure", "--scenario", "clinic-day", "--days", "2", "--out", str(folder / "labelled")]
    labelled += ["--model", str(checkpoint), "--policy", "model", "--label", "seed-2", "--no-timing"]
    assert CliRunner().invoke(app, labelled).exit_code == 0
    assert read_result(folder / "labelled" / "clinic-day" / "model--seed-2.json").days == 2


def test_measure_keeps_days_and_times_unless_told(folder: Path, checkpoint: Path) -> None:
    path = folder / "clinic-day" / "regret-2.json"
    before = read_result(path)
    kept = {"day": dataclasses.replace(before.timing["day"], mean_ms=1234.5)}  # what nobody measures
    dataclasses.replace(before, timing=kept).write(path)
    arguments = ["measure", "--policy", "regret-2", "--scenario", "clinic-day", "--days", "3", "--out", str(folder)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert read_result(path).timing == kept
    assert CliRunner().invoke(app, [*arguments, "--retime"]).exit_code == 0
    after = read_result(path)
    assert 0 < after.timing["day"].mean_ms < 1000
    assert after.kpis["cost"].tolist() == before.kpis["cost"].tolist()


def test_quality_renders_page_and_figure(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "quality.md"
    arguments = ["quality", str(folder), "--validation", str(tmp_path / "none"), "--page", str(page)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    text = page.read_text()
    assert "## Targets (model with search)" in text
    assert "| **model with search** | 3 |" in text
    assert (tmp_path / "quality.svg").stat().st_size > 1000
    assert "open   cheaper than every heuristic, whole interval, clinic-day: not measured" in result.stdout


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scenario_digest": "0"}, "on another clinic-day"),
        ({"weights_digest": "0"}, "other cost weights"),
        ({"first_seed": 1_000_000}, "on validation days"),
        ({"parameters": {"window_min": 61.0}}, "other parameters"),
    ],
)
def test_a_stale_file_stops_the_page(folder: Path, tmp_path: Path, change: dict[str, object], message: str) -> None:
    stale = dataclasses.replace(read_result(folder / "clinic-day" / "regret-2.json"), **change)  # type: ignore[arg-type]
    stale.write(tmp_path / "quality" / "clinic-day" / "regret-2.json")
    page = tmp_path / "quality.md"
    result = CliRunner().invoke(app, ["quality", str(tmp_path / "quality"), "--page", str(page)])
    assert result.exit_code == 2
    assert message in result.output
    assert not page.exists()


@pytest.mark.parametrize(
    ("file", "changed", "message"),
    [
        ("model.json", {"commit_ahead_min": 17.0}, "commits 17 min ahead"),
        ("model-with-search.json", {"lead_min": 17.0}, "was measured with another search"),
    ],
)
def test_a_model_measured_otherwise_than_it_is_served_stops_the_page(
    folder: Path, tmp_path: Path, file: str, changed: dict[str, float], message: str
) -> None:
    found = read_result(folder / "clinic-day" / file)
    stale = dataclasses.replace(found, parameters={**found.parameters, **changed})
    stale.write(tmp_path / "quality" / "clinic-day" / file)
    result = CliRunner().invoke(app, ["quality", str(tmp_path / "quality"), "--page", str(tmp_path / "quality.md")])
    assert result.exit_code == 2
    assert message in result.output


def test_two_models_under_one_name_stop_the_page(folder: Path, tmp_path: Path) -> None:
    model = read_result(folder / "clinic-day" / "model.json")
    model.write(tmp_path / "quality" / "clinic-day" / "model.json")
    other = scenario_named("fleet-10x60")
    changed = {"scenario": other.name, "scenario_digest": other.digest(), "parameters": {"digest": "another"}}
    dataclasses.replace(model, **changed).write(tmp_path / "quality" / other.name / "model.json")  # type: ignore[arg-type]
    result = CliRunner().invoke(app, ["quality", str(tmp_path / "quality"), "--page", str(tmp_path / "quality.md")])
    assert result.exit_code == 2
    assert "model.json is of different models" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--policy", "oracle"], "unknown policy 'oracle'"),
        (["--policy", "regret-2", "--scenario", "moon"], "unknown scenario"),
        (["--policy", "model"], "needs --model"),
        (["--policy", "model", "--model", "nothing.pt"], "no checkpoint"),
        (["--policy", "regret-2", "--seeds-from", "1999999"], "seed 2000000"),
    ],
)
def test_bad_input_is_named_and_exits_2(tmp_path: Path, arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(app, ["measure", "--scenario", "clinic-day", "--out", str(tmp_path), *arguments])
    assert result.exit_code == 2
    assert message in result.output


def test_a_network_is_measured_under_its_own_name(tmp_path: Path, checkpoint: Path) -> None:
    arguments = ["measure", "--scenario", "clinic-day", "--out", str(tmp_path), "--model", str(checkpoint)]
    result = CliRunner().invoke(app, [*arguments, "--policy", "flat network"])
    assert (result.exit_code, "holds a set network" in result.output) == (2, True)
    result = CliRunner().invoke(app, [*arguments, "--policy", "model", "--moves", "9"])
    assert (result.exit_code, "--moves is of 'model with search'" in result.output) == (2, True)


def test_the_search_behind_the_model_is_the_servers_unless_told(checkpoint: Path) -> None:
    shipped = model_policy("model with search", checkpoint, scenario_named("clinic-day"), None)
    scorer = shipped.build()
    assert isinstance(scorer, FuturesSearch)
    assert scorer == FuturesSearch(scorer.policy)
    small = scorer.efforts[0]
    named = [(effort["most_drivers"], effort["moves"]) for effort in shipped.parameters["efforts"]]
    assert named == [(small.most_drivers, small.search.moves)]
    nine = model_policy("model with search", checkpoint, scenario_named("clinic-day"), 9).parameters["efforts"]
    assert [effort["moves"] for effort in nine] == [9]


def test_the_identity_of_a_search_is_the_efforts_of_the_scenarios_fleets(checkpoint: Path) -> None:
    both = dataclasses.replace(scenario_named("clinic-day"), driver_counts=((3, 0.5), (30, 0.5)))
    scenarios = [both, *(scenario_named(name) for name in ("fleet-10x60", "fleet-30x200", "fleet-100x700"))]
    named = [
        [
            effort["most_drivers"]
            for effort in model_policy("model with search", checkpoint, scenario, None).parameters["efforts"]
        ]
        for scenario in scenarios
    ]
    assert named == [[22, 44], [22], [44], [120]]


def test_every_driver_of_a_simulated_day_is_usable_all_day() -> None:
    """So a fleet's effort is that of its size from morning to night."""
    scenario = scenario_named("clinic-day")
    day = generate_day(scenario, 1_000_000)
    met = set()

    class Counting:
        def score(self, situation: Situation) -> Scores:
            met.update(situation.fleet.usable.sum(axis=1).tolist())
            return CheapestInsertion().score(situation)

    play([day], Counting())
    assert met == {len(day.drivers)}
    assert len(day.drivers) in scenario.fleet_sizes
