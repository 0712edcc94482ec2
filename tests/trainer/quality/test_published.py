"""What is published is what the files say, and what this code does."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pytest

from qdispatch_trainer.closed_loop import kpis_of
from qdispatch_trainer.comparators import comparator
from qdispatch_trainer.policies import HEURISTICS
from qdispatch_trainer.quality.figure import draw
from qdispatch_trainer.quality.page import quality_page
from qdispatch_trainer.quality.quality_command import FIGURE, check, check_one_model
from qdispatch_trainer.quality.result import Result, columns, read_results, slug
from qdispatch_trainer.quality.targets import SUBJECT
from qdispatch_trainer.scenarios import SCENARIOS, scenario_named
from qdispatch_trainer.seeds import SeedPurpose

BENCHMARKS = Path(__file__).parents[3] / "docs" / "benchmarks"
SMALL = [name for name, scenario in SCENARIOS.items() if scenario.max_bookings <= 60]
REPLAYED = 2  # days
REPLAYABLE = [name for name in HEURISTICS if name != "random feasible"]  # whose draws depend on the days beside


@pytest.fixture(scope="module")
def results() -> dict[str, dict[str, Result]]:
    return read_results(BENCHMARKS / "quality")


def test_the_files_are_of_this_code(results: dict[str, dict[str, Result]]) -> None:
    check(results, SeedPurpose.TEST)
    check_one_model(results)
    check(read_results(BENCHMARKS / "hindsight"), SeedPurpose.VALIDATION)


def test_the_page_and_the_figure_are_made_of_the_files(results: dict[str, dict[str, Result]], tmp_path: Path) -> None:
    page = quality_page(results, read_results(BENCHMARKS / "hindsight"), SUBJECT, FIGURE)
    assert (BENCHMARKS / "quality.md").read_text(encoding="utf-8") == page
    published = (BENCHMARKS / FIGURE).read_bytes()
    if f"Matplotlib v{mpl.__version__}".encode() not in published:
        pytest.skip("drawn with another Matplotlib")
    draw(results, tmp_path / FIGURE)
    assert (tmp_path / FIGURE).read_bytes() == published


@pytest.mark.parametrize("policy", REPLAYABLE)
@pytest.mark.parametrize("scenario", SMALL)
def test_the_published_days_are_what_the_code_plays(
    scenario: str, policy: str, results: dict[str, dict[str, Result]]
) -> None:
    found = results[scenario][slug(policy)]
    world = scenario_named(scenario)
    played = columns(kpis_of(world, found.seeds[:REPLAYED], comparator(policy, world).build()))
    for name, values in played.items():
        assert found.kpis[name][:REPLAYED] == pytest.approx(values, abs=2e-3, nan_ok=True), name


def test_no_file_reports_a_broken_rule(results: dict[str, dict[str, Result]]) -> None:
    broken = {f"{s}/{stem}": row.validated.examples for s, rows in results.items() for stem, row in rows.items()}
    assert {name: examples for name, examples in broken.items() if examples} == {}
