"""A result file holds what was measured, and a file that is none is refused by name."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from qdispatch_trainer.quality.result import Agreement, Result, ResultError, read_result, read_results, slug
from tests.trainer.quality.made_results import all_results, result


def as_plain(one: Result) -> dict[str, object]:
    return {f.name: getattr(one, f.name) for f in dataclasses.fields(one) if f.name != "kpis"}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    one = result("clinic-day", "model", 100.0, days=3)
    one = dataclasses.replace(one, kpis={"cost": np.array([1.5, 2.0, 3.125]), "gap_trips": np.array([1, np.nan, 2])})
    path = tmp_path / "a" / "model.json"
    one.write(path)
    found = read_result(path)
    assert as_plain(found) == as_plain(one)
    assert found.days == 3
    assert found.seeds == range(2_000_000, 2_000_003)
    for name, values in one.kpis.items():
        np.testing.assert_array_equal(found.kpis[name], values)
    assert '"gap_trips": [1,null,2]' in path.read_text()
    assert not list(path.parent.glob("*.partial"))


def test_a_folder_is_read_by_scenario_and_name(tmp_path: Path) -> None:
    for scenario, rows in all_results().items():
        for stem, row in rows.items():
            row.write(tmp_path / scenario / f"{stem}.json")
    found = read_results(tmp_path)
    assert {name: set(rows) for name, rows in found.items()} == {n: set(r) for n, r in all_results().items()}
    assert found["clinic-day"]["planner-0.25-ms"].policy == "planner 0.25 ms"


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: "no json",
        lambda content: "[]",
        lambda content: json.dumps(content | {"format": 99}),
        lambda content: json.dumps(content | {"kind": "oracle"}),
        lambda content: json.dumps(content | {"kpis": {"cost": [1, 2], "gap_trips": [1]}}),
        lambda content: json.dumps({k: v for k, v in content.items() if k != "weights_digest"}),
        lambda content: json.dumps(content | {"surprise": 1}),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, damage: object) -> None:
    path = tmp_path / "clinic-day" / "model.json"
    result("clinic-day", "model", 1.0, days=2).write(path)
    path.write_text(damage(json.loads(path.read_text())))  # type: ignore[operator]
    with pytest.raises(ResultError, match=r"model\.json"):
        read_results(tmp_path)


@pytest.mark.parametrize(
    "change",
    [{"parameters": {"window_min": 70.0}}, {"weights_digest": "0"}, {"scenario_digest": "0"}, {"first_seed": 1}],
)
def test_other_parameters_are_another_policy(change: dict[str, object]) -> None:
    one = result("clinic-day", "model", 1.0)
    assert one.same_policy(dataclasses.replace(one, revision="another", play_seconds=9.0))
    assert not one.same_policy(dataclasses.replace(one, **change))  # type: ignore[arg-type]


def test_agreement_adds_up() -> None:
    total = Agreement(10, 5, 4, 2) + Agreement(30, 5, 0, 0)
    assert (total.share, total.share_when_both_act) == (0.25, 0.5)
    assert Agreement(0, 0, 0, 0).share is None


def test_file_names() -> None:
    assert [slug(n) for n in ("joint matching", "PyVRP 100 ms", "regret-2")] == [
        "joint-matching", "pyvrp-100-ms", "regret-2",
    ]  # fmt: skip
