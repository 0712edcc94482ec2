"""The README's table is what the evaluation's JSON says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qdispatch_bundle import strict_json
from qdispatch_bundle.measurements import Interval, KpiRow, KpiTable
from scripts import readme_table

TABLE = KpiTable(
    scenario="clinic-day",
    days=200,
    first_seed=2_000_000,
    reference="cheapest insertion",
    rows=(
        KpiRow("model", "cost", "min", 1234.56, Interval(-12.3, -20.0, -4.6)),
        KpiRow("model", "served", "%", 99.5, None),
        KpiRow("cheapest insertion", "cost", "min", 1246.86, None),
        KpiRow("cheapest insertion", "served", "%", 99.0, None),
    ),
)


def tree(folder: Path, table: KpiTable = TABLE) -> Path:
    (folder / "docs/benchmarks").mkdir(parents=True)
    (folder / "README.md").write_text(f"before\n{readme_table.BEGIN}\nold\n{readme_table.END}\nafter\n")
    (folder / readme_table.SOURCE).write_text(json.dumps({"kpis": [strict_json.dump(table)], "seconds": 1.0}))
    return folder


def test_the_readme_is_in_step_with_the_evaluation() -> None:
    if not (readme_table.ROOT / readme_table.SOURCE).exists():
        pytest.skip(f"{readme_table.SOURCE} is not there yet: make train-default")
    assert readme_table.main(["--check"]) == 0


def test_the_table_names_days_seeds_reference_and_interval(tmp_path: Path) -> None:
    root = tree(tmp_path)
    assert readme_table.main([], root) == 0
    text = (root / "README.md").read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "200 clinic-day test days (seeds from 2,000,000)" in text
    assert "| model | 1,234.6 | -12.3 [-20.0, -4.6] | 99.5 |" in text
    assert "| cheapest insertion | 1,246.9 | – | 99.0 |" in text


def test_a_number_changed_by_hand_is_noticed(tmp_path: Path) -> None:
    root = tree(tmp_path)
    assert readme_table.main([], root) == 0
    assert readme_table.main(["--check"], root) == 0
    readme = root / "README.md"
    readme.write_text(readme.read_text().replace("99.5", "99.9"))
    assert readme_table.main(["--check"], root) == 1


@pytest.mark.parametrize("broken", ["[]", "{}", '{"kpis": []}', '{"kpis": [{"scenario": "clinic-day"}]}', "no json"])
def test_an_unusable_evaluation_changes_nothing(
    tmp_path: Path, broken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tree(tmp_path)
    (root / readme_table.SOURCE).write_text(broken)
    before = (root / "README.md").read_text()
    assert readme_table.main([], root) == 2
    assert "readme_table:" in capsys.readouterr().err
    assert (root / "README.md").read_text() == before


def test_missing_markers_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tree(tmp_path)
    (root / "README.md").write_text("no markers\n")
    assert readme_table.main([], root) == 2
    assert "clinic-day: begin" in capsys.readouterr().err
