"""`evaluate --server` on a real server: the bundle's days over gRPC cost what they cost in process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qdispatch_trainer.cli import app
from tests.bundle.tiny_bundle import write_tiny_bundle
from tests.server.server_process import running_server


def test_a_bundle_plays_the_same_days_in_process_and_through_a_server(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path / "bundle")
    results = tmp_path / "results.json"
    with running_server(tmp_path, bundle_dir=tmp_path / "bundle") as server:
        arguments = ["evaluate", str(tmp_path / "bundle"), "--days", "2", "--json", str(results)]
        result = CliRunner().invoke(app, [*arguments, "--server", server.address])
    assert result.exit_code == 0, result.output
    found = json.loads(results.read_text())
    assert set(found["server"]["answers"]) == {"MODEL"}
    assert list(found["server"]["versions"]) == [found["model"]["version"]]
    costs = {name: policy["cost_per_day"] for name, policy in found["policies"].items()}
    assert costs["model through the server"] == pytest.approx(costs["model"], abs=1e-2)
    assert costs["model"] != costs["cheapest insertion"]
