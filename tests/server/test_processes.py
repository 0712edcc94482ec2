"""What the processes import, how they start, and what they say when they cannot."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.requests import clinic_day, suggest
from tests.server.server_process import ServerProcess, channel_to, running_server, server_environment, spawn

MODULES = "import sys, json; {code}; print(json.dumps(sorted(sys.modules)))"


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import qdispatch_server.worker", {"torch", "qdispatch_trainer", "qdispatch_export", "numba", "scipy"}),
        (
            "import qdispatch_server.command, qdispatch_server.supervisor",
            {"torch", "grpc", "onnxruntime", "qdispatch_trainer", "qdispatch_export"},
        ),
    ],
    ids=["worker", "supervisor"],
)
def test_what_each_process_never_imports(code: str, absent: set[str]) -> None:
    result = subprocess.run(
        [sys.executable, "-c", MODULES.format(code=code)], capture_output=True, text=True, check=True, timeout=120
    )
    assert absent.isdisjoint(json.loads(result.stdout))


def test_no_torch_is_mapped_into_a_worker_that_has_answered(server: ServerProcess) -> None:
    with channel_to(server.address) as channel:
        suggest(channel, clinic_day())
    (worker,) = server.worker_pids()
    mapped = Path(f"/proc/{worker}/maps").read_text()
    assert "onnxruntime" in mapped
    assert "libtorch" not in mapped


def test_wrong_settings_end_with_2_and_every_fault(tmp_path: Path) -> None:
    environment = server_environment(tmp_path, port="x", workers=0)
    del environment["QDISPATCH_SERVER_COMPANY_DEFAULT"]
    command = [sys.executable, "-m", "qdispatch_server", "serve"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2
    assert [line.split(":")[1].strip() for line in result.stderr.splitlines()] == ["company_default", "port", "workers"]


def test_an_unreachable_database_at_start_is_told(tmp_path: Path) -> None:
    process = spawn(tmp_path, database_url="postgresql+psycopg://user:hush@127.0.0.1:1/x")
    assert process.wait(60) == 1
    log = (tmp_path / "server.log").read_text()
    assert "postgresql+psycopg://user:***@127.0.0.1:1/x: cannot be prepared" in log
    assert "hush" not in log


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_server_on_a_used_port_fails_clearly(tmp_path: Path, workers: int) -> None:
    with running_server(tmp_path, workers=workers) as server:
        port = server.address.rsplit(":", 1)[1]
        second = tmp_path / "second"
        second.mkdir()
        for theirs in (1, 2):
            process = spawn(second, port=port, workers=theirs)
            assert process.wait(60) == 1
            assert f"127.0.0.1:{port} cannot be used: Address already in use" in (second / "server.log").read_text()
        with channel_to(server.address) as channel:
            suggest(channel, clinic_day())  # the first goes on


def test_a_restart_on_the_same_port_works_at_once(tmp_path: Path) -> None:
    with running_server(tmp_path, workers=1) as server:
        port = server.address.rsplit(":", 1)[1]
        with channel_to(server.address) as channel:
            suggest(channel, clinic_day())
            assert server.stop() == 0  # the server closes first: its side of the connection lingers
    for workers in (1, 2):
        with running_server(tmp_path, workers=workers, port=port) as server, channel_to(server.address) as channel:
            suggest(channel, clinic_day())
