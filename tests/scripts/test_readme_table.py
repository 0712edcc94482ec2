"""The README's table is what the evaluation's JSON says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qdispatch_domain.heuristics import RandomFeasible
from qdispatch_trainer.evaluation import MODEL, evaluate
from qdispatch_trainer.run_directory import write_json
from qdispatch_trainer.scenarios import scenario_named
from scripts import readme_table


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real evaluation of two days, as `qdispatch-trainer evaluate --json` writes it."""
    path = tmp_path_factory.mktemp("evaluated") / "clinic-day.json"
    days = range(2_000_000, 2_000_002)
    found = evaluate(scenario_named("clinic-day"), days, RandomFeasible(3), None, lambda _: None)
    write_json(path, found.to_dict())
    return path


@pytest.fixture
def root(tmp_path: Path, evaluated: Path) -> Path:
    (tmp_path / "docs/benchmarks").mkdir(parents=True)
    (tmp_path / "README.md").write_text(f"before\n{readme_table.BEGIN}\nold\n{readme_table.END}\nafter\n")
    (tmp_path / readme_table.SOURCE).write_bytes(evaluated.read_bytes())
    return tmp_path


def test_the_readme_is_in_step_with_the_evaluation() -> None:
    assert readme_table.main(["--check"]) == 0


def test_the_table_names_days_seeds_policies_and_intervals(root: Path) -> None:
    assert readme_table.main([], root) == 0
    text = (root / "README.md").read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "2 clinic-day test days (seeds from 2,000,000)" in text
    document = json.loads((root / readme_table.SOURCE).read_text())
    rows = [line for line in text.splitlines() if line.startswith("|")][2:]
    assert len(rows) == len(document["policies"])
    costs = [document["policies"][row.split("|")[1].strip(" *")]["kpis"]["cost"]["mean"] for row in rows]
    assert costs == sorted(costs)
    model = next(row for row in rows if row.startswith(f"| **{MODEL}** |"))
    assert f"| {document['policies'][MODEL]['kpis']['cost']['mean']:,.0f} | – |" in model
    regret = document["policies"]["regret-2"]["baseline_minus_this"]["cost"]
    assert f"{regret['mean']:+,.0f} [{regret['low']:+,.0f}, {regret['high']:+,.0f}]" in text


def test_a_number_changed_by_hand_is_noticed(root: Path) -> None:
    assert readme_table.main([], root) == 0
    assert readme_table.main(["--check"], root) == 0
    readme = root / "README.md"
    readme.write_text(readme.read_text().replace("| **model** | ", "| **model** | 1", 1))
    assert readme_table.main(["--check"], root) == 1


@pytest.mark.parametrize("broken", ["[]", "{}", '{"policies": {}, "baseline": "model"}', "no json"])
def test_an_unusable_evaluation_changes_nothing(root: Path, broken: str, capsys: pytest.CaptureFixture[str]) -> None:
    (root / readme_table.SOURCE).write_text(broken)
    before = (root / "README.md").read_text()
    assert readme_table.main([], root) == 2
    assert "readme_table:" in capsys.readouterr().err
    assert (root / "README.md").read_text() == before


def test_missing_markers_are_named(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "README.md").write_text("no markers\n")
    assert readme_table.main([], root) == 2
    assert "clinic-day: begin" in capsys.readouterr().err
