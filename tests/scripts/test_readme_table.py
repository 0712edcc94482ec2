"""The README's figure and table are what the result files say."""

from __future__ import annotations

from pathlib import Path

import pytest

from qdispatch_trainer.quality.readme import readme_section
from qdispatch_trainer.quality.result import read_results
from qdispatch_trainer.quality.targets import SCENARIOS, SUBJECT
from scripts import readme_table
from tests.trainer.quality.made_results import all_results


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for scenario, rows in all_results().items():
        for stem, row in rows.items():
            row.write(tmp_path / readme_table.SOURCE / scenario / f"{stem}.json")
    (tmp_path / "README.md").write_text(f"before\n{readme_table.BEGIN}\nold\n{readme_table.END}\nafter\n")
    return tmp_path


def test_the_readme_is_in_step_with_the_files() -> None:
    assert readme_table.main(["--check"]) == 0


def test_the_section_stands_between_the_markers(root: Path) -> None:
    assert readme_table.main([], root) == 0
    text = (root / "README.md").read_text()
    assert text.startswith(f"before\n{readme_table.BEGIN}\n![")
    assert text.endswith(f"{readme_table.END}\nafter\n")
    assert readme_section(read_results(root / readme_table.SOURCE), SUBJECT) in text
    assert all(f"\n| {scenario} | 850 |" in text for scenario in SCENARIOS)


def test_a_number_changed_by_hand_is_noticed(root: Path) -> None:
    assert readme_table.main([], root) == 0
    assert readme_table.main(["--check"], root) == 0
    readme = root / "README.md"
    readme.write_text(readme.read_text().replace("| fleet-10x60 | 850 ", "| fleet-10x60 | 840 ", 1))
    assert readme_table.main(["--check"], root) == 1


@pytest.mark.parametrize("broken", ["[]", "{}", "no json"])
def test_an_unusable_file_changes_nothing(root: Path, broken: str, capsys: pytest.CaptureFixture[str]) -> None:
    (root / readme_table.SOURCE / "clinic-day" / "model.json").write_text(broken)
    before = (root / "README.md").read_text()
    assert readme_table.main([], root) == 2
    assert "model.json is no result file" in capsys.readouterr().err
    assert (root / "README.md").read_text() == before


def test_missing_markers_are_named(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "README.md").write_text("no markers\n")
    assert readme_table.main([], root) == 2
    assert "quality: begin" in capsys.readouterr().err
