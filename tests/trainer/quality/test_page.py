"""The page and the picture are made of the files alone, and say what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from qdispatch_trainer.comparators import JOINT_MATCHING, PYVRP, Kind
from qdispatch_trainer.quality.figure import draw
from qdispatch_trainer.quality.page import quality_page
from qdispatch_trainer.quality.readme import readme_section
from qdispatch_trainer.quality.result import slug
from qdispatch_trainer.quality.targets import HINDSIGHT, SCENARIOS, SUBJECT
from tests.trainer.quality.made_results import all_results, result

GENERALISATION = "Sizes unseen in training"
HINDSIGHT_TABLE = "What hindsight leaves to gain (before training, validation days)"


def section(page: str, title: str) -> list[str]:
    """Lines under a heading of the second level."""
    lines = page.split("\n")
    start = lines.index(f"## {title}") + 1
    end = next((n for n in range(start, len(lines)) if lines[n].startswith("## ")), len(lines))
    return lines[start:end]


def rows_of(lines: list[str]) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]


def test_a_scenario_lists_its_policies_cheapest_first() -> None:
    rows = rows_of(section(quality_page(all_results(), {}, SUBJECT, "quality.svg"), "fleet-10x60"))
    head, policies = rows[0], rows[2:]
    assert [row[0] for row in policies[:3]] == [
        "hindsight",
        f"**{SUBJECT}**",
        "planner 0.25 ms, 100 moves, 5 min ahead",
    ]
    assert policies[-1][0].endswith(", 60 min")
    model = dict(zip(head, policies[1], strict=True))
    assert model["cost"].startswith("850 ± ")
    assert model[f"{SUBJECT} − policy"] == "–"
    assert model["decision ms"] == "1.50 (3.00)"
    assert model["broken rules"] == "0 in 200 days"
    planner = dict(zip(head, policies[2], strict=True))
    assert planner[f"{SUBJECT} − policy"] == "-10 [-10, -10]"
    assert dict(zip(head, policies[0], strict=True))["broken rules"] == "–"


def test_what_is_missing_is_said() -> None:
    results = all_results()
    del results["fleet-10x60"][slug(PYVRP)]
    page = quality_page(results, {}, SUBJECT, "quality.svg")
    assert "Not measured: PyVRP 100 ms, model." in section(page, "fleet-10x60")
    assert "The flat network takes 10 drivers at most: none of these days." in section(page, "fleet-10x60")
    empty = quality_page({}, {}, SUBJECT, "quality.svg")
    verdict_rows = [row for row in rows_of(section(empty, f"Targets ({SUBJECT})")) if row[0] == "clinic-day"]
    assert verdict_rows
    assert all(row[1].startswith("not measured") and row[2] == "not measured" for row in verdict_rows)


def test_the_summary_counts_every_verdict() -> None:
    results = all_results()
    results["fleet-10x60"][slug(SUBJECT)] = result("fleet-10x60", SUBJECT, 990.0)
    lines = section(quality_page(results, {}, SUBJECT, "quality.svg"), f"Targets ({SUBJECT})")
    summary = {row[0]: row[1:] for row in rows_of(lines) if len(row) == 1 + len(SCENARIOS)}
    assert summary["cost ≥ 12 % below joint matching"] == ["", "**missed**", "met", "", "", ""]


@pytest.mark.parametrize(
    ("hindsight", "bites"), [(700.0, "half the gap (= 15 %)"), (900.0, "12 % (= 120 % of the gap)")]
)
def test_which_target_bites(hindsight: float, bites: str) -> None:
    rows = {
        slug(JOINT_MATCHING): result("fleet-10x60", JOINT_MATCHING, 1000.0),
        HINDSIGHT: result("fleet-10x60", HINDSIGHT, hindsight, kind=Kind.HINDSIGHT),
    }
    page = quality_page({}, {"fleet-10x60": rows}, SUBJECT, "quality.svg")
    (row,) = [r for r in rows_of(section(page, HINDSIGHT_TABLE)) if r[0] == "fleet-10x60"]
    assert row[-1] == bites
    assert row[1:4] == ["200", "1,000", f"{hindsight:,.0f}"]


def test_variants_stand_in_their_own_tables() -> None:
    results = all_results()
    subject = slug(SUBJECT)
    results["fleet-10x60"][f"{subject}--seed-2"] = result("fleet-10x60", SUBJECT, 840.0)
    results["fleet-10x60"][f"{subject}--few-moves"] = result("fleet-10x60", SUBJECT, 900.0)
    results["fleet-10x60"]["model"] = result("fleet-10x60", "model", 910.0)
    results["fleet-10x60"]["model--seed-2"] = result("fleet-10x60", "model", 920.0)
    page = quality_page(results, {}, SUBJECT, "quality.svg")
    seeds, ablations = rows_of(section(page, "Training seeds")), rows_of(section(page, "Ablations"))
    assert [row[0] for row in seeds[2:]] == ["model", "model--seed-2", subject, f"{subject}--seed-2"]
    assert seeds[5][1].startswith("-16.0 [")
    assert [row[0] for row in ablations[2:]] == [subject, "model", f"{subject}--few-moves"]
    assert sum(row[0] == f"**{SUBJECT}**" for row in rows_of(section(page, "fleet-10x60"))) == 1


def test_fewer_days_are_said() -> None:
    results = all_results()
    results["fleet-10x60"][f"{slug(SUBJECT)}--seed-2"] = result("fleet-10x60", SUBJECT, 840.0, days=30)
    results["fleet-10x60"][slug(HINDSIGHT)] = result("fleet-10x60", HINDSIGHT, 750.0, kind=Kind.HINDSIGHT, days=40)
    solver = result("fleet-10x60", PYVRP, 870.0, kind=Kind.SOLVER, days=50, parameters={"lead_min": 5.0})
    results["fleet-10x60"][slug(PYVRP)] = solver
    page = quality_page(results, {}, SUBJECT, "quality.svg")
    usual, fewer = (row[1] for row in rows_of(section(page, "Training seeds"))[2:])
    assert (usual.endswith(" %"), fewer.endswith(" % (30 days)")) == (True, True)
    (line,) = [row for row in rows_of(section(page, GENERALISATION)) if row[0] == "fleet-10x60"]
    assert (line[2].endswith(" %"), line[-1].endswith(" % (40 days)")) == (True, True)
    head, row = (rows_of(readme_section(results, SUBJECT).split("\n"))[n] for n in (0, 3))
    cells = dict(zip(head, row, strict=True))
    assert cells["gap to hindsight closed"].endswith(" % (40 days)")
    assert cells["against PyVRP 100 ms"].endswith(" % (50 days)")
    assert cells["against joint matching"].endswith(" %")


def test_the_picture_is_the_same_for_the_same_files(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        draw(all_results(), tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    draw(all_results(cost=900.0), tmp_path / "three.svg")
    assert (tmp_path / "three.svg").read_bytes() != (tmp_path / "one.svg").read_bytes()
    draw({}, tmp_path / "empty.svg")
    assert (tmp_path / "empty.svg").read_text().startswith("<?xml")


def test_the_readme_has_one_line_a_scenario() -> None:
    results = all_results()
    del results["clinic-day"][slug(PYVRP)]
    rows = rows_of(readme_section(results, SUBJECT).split("\n"))
    assert [row[0] for row in rows[2:]] == list(SCENARIOS)
    first, second = dict(zip(rows[0], rows[2], strict=True)), dict(zip(rows[0], rows[3], strict=True))
    assert first["against PyVRP 100 ms"] == "not measured"
    assert second["against PyVRP 100 ms"].startswith("-2.3 [")
    assert second["best heuristic"] == "1,000 (joint matching)"
    assert second["gap to hindsight closed"] == "60 %"
    assert second[f"cost of the {SUBJECT}"] == "850"
