"""Hindsight's result file says whether PyVRP took part, and is made anew when that changes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

pytest.importorskip("pyvrp", reason="install the extra [pyvrp]: the file is compared with and without it")

from qdispatch_trainer.hindsight import estimate
from qdispatch_trainer.quality.hindsight import measure_hindsight
from qdispatch_trainer.quality.result import read_result
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose
from qdispatch_trainer.watching import PlainWatch


def test_a_file_without_pyvrp_says_so_and_is_made_anew_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, said = tmp_path / "hindsight.json", io.StringIO()
    watch = PlainWatch(Console(file=said, width=200))

    def measure(days: int) -> None:
        measure_hindsight(scenario_named("clinic-day"), SeedPurpose.VALIDATION.first_seed, days, path, watch)

    with monkeypatch.context() as patched:
        patched.setattr(estimate, "find_spec", lambda name: None)
        measure(3)
    assert read_result(path).parameters["pyvrp"] == "absent"
    assert "[pyvrp]" in said.getvalue()
    alone = read_result(path).kpis["cost"]
    said.truncate(0)
    measure(2)
    found = read_result(path)
    assert found.parameters["pyvrp"] == "polished"
    assert found.days == 2
    assert (found.kpis["cost"] <= alone[:2] + 1e-6).all()
    assert "[pyvrp]" not in said.getvalue()
