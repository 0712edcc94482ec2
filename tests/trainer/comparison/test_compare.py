"""`compare`: the same days for everybody, a verdict that claims what is proved, and refusals that say why."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from qdispatch_domain.committing_ahead import CommittingAhead
from qdispatch_domain.futures_search import FuturesSearch
from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from qdispatch_trainer.cli import app
from qdispatch_trainer.closed_loop import kpis_of
from qdispatch_trainer.comparators import comparator
from qdispatch_trainer.comparison import command
from qdispatch_trainer.comparison.comparing import Comparison, compare, differences
from qdispatch_trainer.comparison.contestants import Contestant, contestant, trained
from qdispatch_trainer.comparison.key_figures import KEY_FIGURES
from qdispatch_trainer.comparison.verdict import verdict
from qdispatch_trainer.networks.build import build_network
from qdispatch_trainer.run_directory import RunDirectory
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.train import feature_fingerprint, network_config
from qdispatch_trainer.train_config import TrainConfig
from qdispatch_trainer.watching import Unwatched
from qdispatch_trainer.windows.frozen import tuned_window

ROOT = Path(__file__).parents[3]
CLINIC = scenario_named("clinic-day")
SEEDS = range(1_000_000, 1_000_006)
FIGURES = {figure.name: figure for figure in KEY_FIGURES}


def silent(text: str) -> None:
    del text


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["compare", *arguments])


def checkpoint(path: Path, network: str = "set", **changes: Any) -> Path:
    scenario = "classic-10x20" if network == "flat" else "clinic-day"
    config = TrainConfig(network=network, scenario=scenario)
    made = Checkpoint(
        network=build_network(network_config(config)),
        feature_fingerprint=feature_fingerprint(network),
        scenario=scenario,
        scenario_digest=scenario_named(scenario).digest(),
        weights_digest=WEIGHTS.digest(),
        seed=0,
        training=config.to_dict(),
    )
    save_checkpoint(replace(made, **changes), path)
    return path


def made(cost: np.ndarray, served: np.ndarray) -> dict[str, np.ndarray]:
    return {
        name: cost if name == "cost" else served if name == "served_percent" else np.zeros(len(cost))
        for name in FIGURES
    }


def comparison_of(values: dict[str, dict[str, np.ndarray]]) -> Comparison:
    contestants = tuple(Contestant(name, {}, lambda _: comparator("regret-2", CLINIC).build()) for name in values)
    seeds = tuple(range(1_000_000, 1_000_000 + len(next(iter(values.values()))["cost"])))
    return Comparison(CLINIC, seeds, contestants, values, differences(values))


def test_every_contestant_plays_the_same_days() -> None:
    names = ("cheapest insertion", "regret-2")
    found = compare([contestant(name, Path("none"), silent) for name in names], CLINIC, SEEDS, Unwatched())
    for name in names:
        wanted = kpis_of(CLINIC, SEEDS, comparator(name, CLINIC).build())
        np.testing.assert_array_equal(found.values[name]["cost"], [day.cost for day in wanted])
    cost = found.differences["regret-2"]["cost"].paired
    assert cost is not None
    both = found.values
    assert cost.difference.mean == pytest.approx((both["regret-2"]["cost"] - both["cheapest insertion"]["cost"]).mean())


def test_the_verdict_names_what_is_proved_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    base, served = rng.normal(1000, 100, 200), rng.normal(98, 1, 200)
    values = {
        "old": made(base, served),
        "new": made(base - 50 + rng.normal(0, 20, 200), served + rng.normal(0, 1, 200)),
    }
    found = comparison_of(values)
    sentence = verdict(found, "new")
    cost = found.differences["new"]["cost"].paired
    assert cost is not None
    assert cost.difference.high is not None
    assert cost.difference.low is not None
    low, high = f"{-cost.difference.high:,.0f}", f"{-cost.difference.low:,.0f}"
    assert sentence.startswith(f"new against old: costs {-cost.difference.mean:,.0f} ({low} to {high}) min less a day;")
    assert "no difference is proved in served" in sentence
    assert verdict(comparison_of({"a": values["old"], "b": values["old"]}), "b").startswith(
        "b against a: no difference"
    )


def test_more_contestants_need_stronger_proof() -> None:
    rng = np.random.default_rng(1)
    base = rng.normal(1000, 100, 60)
    slightly = made(base - 6 + rng.normal(0, 20, 60), np.full(60, 98.0))
    alone = comparison_of({"a": made(base, np.full(60, 98.0)), "b": slightly})
    same = {f"c{k}": made(base + rng.normal(0, 20, 60), np.full(60, 98.0)) for k in range(20)}
    many = comparison_of({"a": made(base, np.full(60, 98.0)), "b": slightly, **same})
    first, later = alone.differences["b"]["cost"], many.differences["b"]["cost"]
    assert first.paired == later.paired
    assert first.adjusted_p < later.adjusted_p


def test_the_command_prints_figures_and_a_verdict_and_writes_both(tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    result = invoke("random feasible", "cheapest insertion", "regret-2", "--days", "60", "--json", str(out))
    assert result.exit_code == 0, result.output
    found = json.loads(out.read_text())
    assert found["compared_with"] == "random feasible"
    assert found["seed_purpose"] == "validation"
    for name in ("cheapest insertion", "regret-2"):
        assert found["differences"][name]["cost"]["proved"]
        assert found["verdicts"][name] in " ".join(result.stdout.split())
        assert "costs" in found["verdicts"][name]
    days = found["differences"]["regret-2"]["cost"]
    assert days["days_higher"] + days["days_equal"] + days["days_lower"] == 60


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("regret-2",), "two different policies"),
        (("regret-2", "regret-2"), "two different policies"),
        (("regret-2", "no such thing"), "no comparator"),
        (("regret-2", "nearest driver", "--scenario", "moon"), "clinic-day"),
        (("regret-2", "nearest driver", "--seeds-from", "1999999"), "cross the border"),
    ],
)
def test_bad_input_says_what_is_wrong(arguments: tuple[str, ...], message: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_other_tasks_are_refused(tmp_path: Path) -> None:
    other = checkpoint(tmp_path / "other.pt", scenario_digest="000000000000")
    result = invoke("regret-2", str(other), "--days", "2")
    assert result.exit_code == 5
    assert "another clinic-day" in " ".join(result.stderr.split())
    weights = checkpoint(tmp_path / "weights.pt", weights_digest="000000000000")
    result = invoke("regret-2", str(weights), "--days", "2")
    assert result.exit_code == 2
    assert "other cost weights" in " ".join(result.stderr.split())
    flat = checkpoint(tmp_path / "flat.pt", "flat")
    result = invoke("regret-2", str(flat), "--days", "2", "--scenario", "fleet-30x200")
    assert result.exit_code == 5
    assert "10 drivers at most, fleet-30x200 has 33" in " ".join(result.stderr.split())


def test_sizes_say_what_was_in_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "SIZES", {"clinic-day": 1.0, "fleet-10x60": 0.5})
    model, flat = checkpoint(tmp_path / "set.pt"), checkpoint(tmp_path / "flat.pt", "flat")
    out = tmp_path / "sizes.json"
    result = invoke("regret-2", str(model), str(flat), "--sizes", "--days", "4", "--json", str(out))
    assert result.exit_code == 0, result.output
    rows = {(row["scenario"], row["contestant"]): row for row in json.loads(out.read_text())["sizes"]}
    assert rows["clinic-day", str(model)]["in_training"] is True
    assert rows["fleet-10x60", str(model)]["in_training"] is False  # trained on clinic-day alone: up to 5 drivers
    assert rows["fleet-10x60", "regret-2"]["in_training"] is None
    assert rows["fleet-10x60", "regret-2"]["days"] == 2
    assert "10 drivers at most" in rows["fleet-10x60", str(flat)]["refused"]
    assert rows["clinic-day", str(model)]["percent"]["mean"] > 0.0


def test_settings_are_trained_once_and_continued_when_interrupted(tmp_path: Path) -> None:
    said: list[str] = []
    settings = ROOT / "training" / "smoke.json"
    model = trained(settings, tmp_path, said.append)
    before = load_checkpoint(model).network.state_dict()
    assert trained(settings, tmp_path, said.append) == model
    assert [line.split()[0] for line in said] == ["Training"]
    run = RunDirectory(model.parent)
    run.summary.write_text(json.dumps({**json.loads(run.summary.read_text()), "ending": "interrupted"}))
    assert trained(settings, tmp_path, said.append) == model
    assert said[-1].startswith("Continuing")
    after = load_checkpoint(model).network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert contestant(str(model.parent), tmp_path, silent).largest_trained == 8


def test_a_tuned_file_that_stopped_early_is_a_contestant(tmp_path: Path) -> None:
    quick = {"days": 8, "days_per_round": 2, "validation_days": 2, "calibration_days": 0, "warmup_decisions": 10_000}
    settings = {"recipe": "dqn", **quick, "validate_every_rounds": 1, "patience": 1, "tuning": {"study": "made"}}
    path = tmp_path / "tuned.json"
    path.write_text(json.dumps(settings))
    run = RunDirectory(trained(path, tmp_path / "runs", silent).parent)
    assert json.loads(run.summary.read_text())["ending"] == "early stop"
    said: list[str] = []
    assert contestant(str(path), tmp_path / "runs", said.append).largest_trained == 5
    assert not said  # used again, not trained again


def test_a_network_commits_as_far_ahead_as_its_name_says(tmp_path: Path) -> None:
    model = checkpoint(tmp_path / "model.pt")
    plain, ahead = (contestant(name, tmp_path, silent) for name in (str(model), f"{model}@30"))
    built = ahead.build(CLINIC)
    assert isinstance(built, CommittingAhead)
    assert built.minutes == 30.0
    assert not isinstance(plain.build(CLINIC), CommittingAhead)
    assert (plain.identity["commit_ahead_min"], ahead.identity["commit_ahead_min"]) == (0.0, 30.0)
    large = scenario_named("fleet-100x700")
    tuned = contestant(f"{model}@tuned", tmp_path, silent).build(large)
    assert isinstance(tuned, CommittingAhead)
    assert tuned.minutes == tuned_window("fleet-100x700", "model") > 0.0
    searching = contestant(f"{model}@30+search", tmp_path, silent)
    served = searching.build(CLINIC)
    assert isinstance(served, FuturesSearch)
    assert served.policy.__class__ is CommittingAhead
    assert searching.identity["search"]
    odd = checkpoint(tmp_path / "a@5")  # a file of that name is the file
    assert contestant(str(odd), tmp_path, silent).identity["commit_ahead_min"] == 0.0
    for wrong in ("soon", "-1", "inf", ""):
        with pytest.raises(ValueError, match="expected minutes"):
            contestant(f"{model}@{wrong}", tmp_path, silent)
