"""The report of a run: right numbers, every part present or saying what it lacks, shown by a real browser."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from qdispatch_trainer.cli import app
from qdispatch_trainer.closed_loop import returns_on
from qdispatch_trainer.comparators import comparator
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.imitation.config import ImitateConfig
from qdispatch_trainer.imitation.run import train
from qdispatch_trainer.imitation.wording import WORDING
from qdispatch_trainer.progress import Reporter
from qdispatch_trainer.report.calibration import Calibrated, calibration_of
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.watching import Unwatched
from tests.browser import visit

ROOT = Path(__file__).parents[3]
CLINIC = scenario_named("clinic-day")
TITLES = ("Run", "Learning curves", "Key figures", "Action agreement", "Calibration of Q", "Tuning", "Quantization")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny, complete training."""
    out = tmp_path_factory.mktemp("report") / "run"
    settings = json.loads((ROOT / "training" / "smoke.json").read_text())
    del settings["recipe"]
    config = replace(ImitateConfig.from_dict(settings), calibration_days={})
    train(config, out, Reporter(Unwatched(), config.all_rounds, WORDING), "qdispatch-trainer train")
    return out


@pytest.fixture
def tuned(tmp_path: Path) -> Path:
    """What `tune` writes, with made-up numbers."""
    row = {"state": "complete", "params": {"gamma": 1.0}}
    gain = {"mean": 12.5, "half_width": 30.0, "low": -17.5, "high": 42.5, "days": 40}
    content = {
        "study": "made",
        "best_value": -1000.0,
        "best_trial": 2,
        "best_params": {"gamma": 0.995, "n_step": 4},
        "importances": {"gamma": 0.75, "n_step": 0.25},
        "optimization_history": [
            {**row, "number": 0, "value": -1100.0},
            {**row, "number": 1, "value": None, "state": "pruned"},
            {**row, "number": 2, "value": -1000.0},
        ],
        "winner": {"tuning_gain": 100.0, "fresh_gain": gain, "fresh_days": 40},
    }
    path = tmp_path / "tuned.json"
    path.write_text(json.dumps({"recipe": "dqn", "tuning": content}))
    return path


def test_calibration_by_hand() -> None:
    found = Calibrated(np.array([-3.0, -2.0, -1.0, 0.0]), np.array([-6.0, -4.0, -2.0, 0.0]))
    assert found.slope == pytest.approx(2.0)
    assert found.correlation == pytest.approx(1.0)
    assert found.bias == pytest.approx(1.5)
    predicted, realised = found.bins()
    np.testing.assert_allclose(realised, 2.0 * predicted)
    assert np.isnan(Calibrated(np.ones(3), np.arange(3.0)).slope)


def test_realised_returns_are_those_from_the_decision_on() -> None:
    days = [generate_day(CLINIC, seed) for seed in range(1_000_000, 1_000_003)]
    policy = comparator("regret-2", CLINIC).build()
    found = calibration_of(days, policy)
    total = returns_on(days, policy)
    assert len(found.predicted) == len(found.realised) > len(days)
    for value in total:  # at a day's first decision nothing has cost anything yet
        assert np.isclose(found.realised, value).any()
    assert found.realised.max() <= 1e-6
    assert found.realised.min() >= total.min() - 1e-6


def test_the_report_in_a_real_browser(run: Path, tuned: Path) -> None:
    out = run / "report.html"
    bundle = ROOT / "models" / "default"
    given = ["plot", str(run), "--days", "6", "--tuned", str(tuned), "--bundle", str(bundle)]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 0, result.output
    assert str(out) in result.stdout.replace("\n", "")
    seen = visit(out)
    assert not seen.console, seen.console
    assert 'data-ready="yes"' in seen.dom
    assert tuple(re.findall(r"<h2>(.*?)</h2>", seen.dom)) == TITLES
    places = re.findall(r'<div id="(figure-[^"]*)"', seen.dom)
    assert len(places) >= 8
    assert seen.dom.count('class="main-svg"') >= 2 * len(places)
    texts = [seen.text_of(f"section-{number}") for number in range(len(TITLES))]
    assert "4 rounds" in texts[1]
    assert "6 days, seeds 1800000 to 1800005" in texts[2]
    assert "of the decisions" in texts[3]
    assert "ranks with them" in texts[4]
    assert "+100.0 on the days that chose it, +12.5 ± 30.0 on 40 fresh days" in texts[5]
    assert "int8-dynamic" in texts[6]
    assert seen.picture.stat().st_size > 30_000


def test_what_is_missing_is_said(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "report.html"
    result = CliRunner().invoke(app, ["plot", str(run), "--days", "0", "--out", str(out)])
    assert result.exit_code == 0, result.output
    text = out.read_text(encoding="utf-8")
    for words in ("No policy was played", "No tuned settings were given", "No bundle was given"):
        assert words in text


def test_a_run_that_has_just_begun_has_a_report_too(run: Path, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    begun.mkdir()
    (begun / "config.json").write_bytes((run / "config.json").read_bytes())
    assert CliRunner().invoke(app, ["plot", str(begun)]).exit_code == 0
    text = (begun / "report.html").read_text(encoding="utf-8")
    assert "not finished" in text
    assert "No round has been played yet" in text


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("nowhere",), "holds no run"),
        (("RUN", "--days", "1"), "--days 0 or at least 2"),
        (("RUN", "--scenario", "moon"), "clinic-day"),
        (("RUN", "--tuned", "RUN/config.json"), "no tuned.json"),
        (("RUN", "--bundle", "nowhere"), "nowhere"),
    ],
)
def test_bad_input_says_what_is_wrong(given: tuple[str, ...], message: str, run: Path, tmp_path: Path) -> None:
    filled = [part.replace("RUN", str(run)) for part in given]
    result = CliRunner().invoke(app, ["plot", *filled, "--out", str(tmp_path / "report.html")])
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert not (tmp_path / "report.html").exists()
