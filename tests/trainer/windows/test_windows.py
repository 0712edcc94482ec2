"""Windows are chosen by cost on validation days, kept, and frozen as they were found."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from qdispatch_trainer.cli import app
from qdispatch_trainer.closed_loop import kpis_of
from qdispatch_trainer.matching import JointMatching
from qdispatch_trainer.paired_difference import Interval
from qdispatch_trainer.policies import MODEL
from qdispatch_trainer.scenarios import SCENARIOS, scenario_named
from qdispatch_trainer.windows.frozen import FROZEN_FILE, tuned_window
from qdispatch_trainer.windows.page import windows_page
from qdispatch_trainer.windows.record import WindowRecord, chosen
from qdispatch_trainer.windows.tuning import TUNABLES, Tunable, WindowCosts, tunables, tune

ROOT = Path(__file__).parents[3]
CLINIC = scenario_named("clinic-day")
NOTHING = Interval(0.0, None, 1)
JOINT = Tunable(lambda _, window: JointMatching(window), (20.0, 60.0), 60.0)


@pytest.mark.parametrize(
    ("costs", "best"),
    [({30.0: 5.0, 60.0: 4.0, 90.0: 6.0}, 60.0), ({90.0: 4.0, 60.0: 4.0}, 60.0), ({480.0: 1.0, 20.0: 2.0}, 480.0)],
)
def test_the_cheapest_window_wins_and_the_shorter_of_equals(costs: dict[float, float], best: float) -> None:
    assert WindowCosts(costs, 60.0, NOTHING).best == best


def test_tuning_plays_every_window_on_the_same_days() -> None:
    found = tune(CLINIC, JOINT, 4)
    seeds = range(1_000_000, 1_000_004)
    played = {w: np.array([day.cost for day in kpis_of(CLINIC, seeds, JointMatching(w))]) for w in JOINT.grid}
    assert found.costs == {w: costs.mean() for w, costs in played.items()}
    assert len(set(found.costs.values())) == 2
    assert found.default_minus_best.mean == pytest.approx((played[60.0] - played[found.best]).mean())
    with pytest.raises(ValueError, match="in the grid"):
        tune(CLINIC, Tunable(JOINT.build, (20.0,), 60.0), 2)


def test_a_record_knows_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "windows.json"
    record = WindowRecord(path)
    record.add(CLINIC, "joint matching", 4, WindowCosts({30.0: 5.0, 60.0: 4.0}, 60.0, NOTHING))
    again = WindowRecord(path)
    assert again.has(CLINIC, "joint matching", 4)
    assert not again.has(CLINIC, "joint matching", 4, "of a network")
    assert not again.has(CLINIC, "regret-2", 4)
    assert not again.has(CLINIC, "joint matching", 5)  # more days than were played
    assert not again.has(dataclasses.replace(CLINIC, urgent_share=0.5), "joint matching", 4)
    again.add(CLINIC, "regret-2", 5, WindowCosts({30.0: 3.0, 60.0: 4.0}, 60.0, NOTHING))
    assert again.best() == {"clinic-day": {"joint matching": 60.0, "regret-2": 30.0}}
    again.add(dataclasses.replace(CLINIC, urgent_share=0.5), "regret-2", 5, WindowCosts({60.0: 4.0}, 60.0, NOTHING))
    assert again.best() == {"clinic-day": {"regret-2": 60.0}}  # of another world: the old ones are dropped
    path.write_text("[]")
    with pytest.raises(ValueError, match="no record"):
        WindowRecord(path)


@pytest.mark.parametrize(("mean", "half", "window"), [(5.0, 4.0, 20.0), (5.0, 6.0, 0.0)])
def test_the_model_commits_ahead_only_where_that_is_proved(mean: float, half: float, window: float) -> None:
    gain = {"mean": mean, "half_width": half}
    row = {"best_min": 20.0, "default_min": 0.0, "default_minus_best": gain}
    assert chosen("model", row) == window
    assert chosen("regret-2", row) == 20.0


def test_the_command_tunes_freezes_and_continues(tmp_path: Path) -> None:
    arguments = ["tune-windows", "--scenario", "clinic-day", "--days", "2", "--comparator", "joint matching"]
    arguments += ["--out", str(tmp_path), "--frozen", str(tmp_path / "frozen.json")]
    first = CliRunner().invoke(app, arguments)
    assert first.exit_code == 0, first.output
    frozen = json.loads((tmp_path / "frozen.json").read_text())
    assert frozen == WindowRecord(tmp_path / "windows.json").best()
    page = (tmp_path / "windows.md").read_text()
    assert "| comparator, min | days | 20 | 30 | 40 |" in page  # as numbers, not as words
    assert "| joint matching | 2 |" in page
    assert "joint matching: " in first.stderr
    assert CliRunner().invoke(app, arguments).stderr == ""  # nothing is played twice
    assert "joint matching: " in CliRunner().invoke(app, [*arguments, "--again"]).stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scenario", "moon"], "unknown scenario"),
        (["--comparator", "oracle"], "unknown comparator"),
        (["--comparator", "model"], "model needs --model"),
    ],
)
def test_bad_input_is_named_and_exits_2(tmp_path: Path, arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(app, ["tune-windows", *arguments, "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert message in result.output


def test_an_untuned_window_is_never_guessed() -> None:
    with pytest.raises(ValueError, match="no tuned window of 'oracle'"):
        tuned_window("clinic-day", "oracle")


def test_the_frozen_windows_are_those_of_the_record() -> None:
    record = WindowRecord(ROOT / "docs" / "benchmarks" / "windows.json")
    assert json.loads(FROZEN_FILE.read_text(encoding="utf-8")) == record.best()
    for name, scenario in SCENARIOS.items():
        for comparator, tunable in TUNABLES.items():
            assert record.has(scenario, comparator, 2)  # the page says on how many
            assert tuned_window(name, comparator) in tunable.grid
    model = tunables(ROOT / "models" / "default")[MODEL]
    for name, scenario in SCENARIOS.items():
        assert record.has(scenario, MODEL, 2, model.digest)  # of the shipped network, not of one before it
        assert tuned_window(name, MODEL) in model.grid
    page = (ROOT / "docs" / "benchmarks" / "windows.md").read_text(encoding="utf-8")
    assert page == windows_page(record.scenarios)
