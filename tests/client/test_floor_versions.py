"""The client installed alone, at exactly the oldest versions it allows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "clients/python/pyproject.toml").read_text("utf-8"))["project"]
FLOORS = dict(requirement.split(">=") for requirement in PROJECT["dependencies"])
EXAMPLE = ROOT / "clients/python/examples/clinic_day.json"


def test_the_client_needs_grpcio_and_protobuf_only() -> None:
    assert set(FLOORS) == {"grpcio", "protobuf"}


def test_the_stubs_are_generated_at_the_floors() -> None:
    stubs = ROOT / "clients/python/qdispatch_client/stubs"
    message = (stubs / "v1/snapshot_pb2.py").read_text("utf-8")
    service = (stubs / "v1/dispatch_service_pb2_grpc.py").read_text("utf-8")
    assert re.findall(r"Protobuf Python Version: (\S+)", message) == [FLOORS["protobuf"]]
    assert re.findall(r"GRPC_GENERATED_VERSION = '(.*)'", service) == [FLOORS["grpcio"]]


@pytest.mark.long
def test_the_client_works_alone_at_its_floors(tmp_path: Path) -> None:
    environment = tmp_path / "floor"
    venv.create(environment, with_pip=True)
    python = environment / "bin/python"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    pins = [f"{name}=={floor}" for name, floor in FLOORS.items()]

    def run(*command: str | Path) -> str:
        done = subprocess.run(
            command, cwd=tmp_path, env=clean, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ROOT / "clients/python", *pins)
    run(python, "-m", "pip", "check", "--disable-pip-version-check")
    assert run(python, ROOT / "tests/client/floor_program.py").split()[:2] == [FLOORS["grpcio"], FLOORS["protobuf"]]
    assert "suggest" in run(environment / "bin/qdispatch", "--help")
    done = subprocess.run(
        [environment / "bin/qdispatch", "suggest", EXAMPLE, "--company", "c", "--target", "127.0.0.1:1"],
        env=clean,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3, done.stderr


def test_no_newer_python_than_the_floor_is_needed() -> None:
    """The linter of the client's own target finds syntax and names that Python 3.10 lacks."""
    assert PROJECT["requires-python"] == ">=3.10"
    for arguments in (["ruff", "check", "--quiet"], ["mypy", "--python-version", "3.10", "--no-error-summary"]):
        done = subprocess.run(
            [sys.executable, "-m", *arguments, "clients/python"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
