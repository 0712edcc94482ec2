"""Hindsight's result file says whether PyVRP took part, and is made anew when that changes."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("pyvrp", reason="install the extra [pyvrp]: the file is compared with and without it")

from qdispatch_trainer.hindsight import estimate
from qdispatch_trainer.quality.hindsight import measure_hindsight
from qdispatch_trainer.quality.result import read_result
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose


def test_a_file_without_pyvrp_says_so_and_is_made_anew_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, said = tmp_path / "hindsight.json", list[str]()

    def measure(days: int) -> None:
        measure_hindsight(scenario_named("clinic-day"), SeedPurpose.VALIDATION.first_seed, days, path, said.append)

    with monkeypatch.context() as patched:
        patched.setattr(estimate, "find_spec", lambda name: None)
        measure(3)
    assert read_result(path).parameters["pyvrp"] == "absent"
    assert "[pyvrp]" in said[0]
    alone = read_result(path).kpis["cost"]
    said.clear()
    measure(2)
    found = read_result(path)
    assert found.parameters["pyvrp"] == "polished"
    assert found.days == 2
    assert (found.kpis["cost"] <= alone[:2] + 1e-6).all()
    assert "[pyvrp]" not in said[0]
