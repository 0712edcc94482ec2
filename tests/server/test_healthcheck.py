"""The container's health check: SERVING is 0, everything else is not."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from tests.server.server_process import ServerProcess, running_server


def healthcheck(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "qdispatch_server.healthcheck", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_a_serving_server_is_healthy(server: ServerProcess) -> None:
    done = healthcheck("--target", server.address)
    assert done.returncode == 0, done.stderr
    assert "SERVING" in done.stdout


def test_the_port_is_the_one_of_the_settings(server: ServerProcess) -> None:
    port = server.address.rpartition(":")[2]
    assert healthcheck(QDISPATCH_SERVER_PORT=port).returncode == 0


def test_a_server_whose_bundle_was_refused_is_not_healthy(tmp_path: Path) -> None:
    with running_server(tmp_path, bundle_dir=tmp_path / "no-such-bundle") as server:
        done = healthcheck("--target", server.address)
    assert done.returncode == 1
    assert "NOT_SERVING" in done.stdout


def test_no_server_is_not_healthy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:  # bound, but it speaks no gRPC
        done = healthcheck("--target", f"127.0.0.1:{taken.getsockname()[1]}", "--timeout-seconds", "0.5")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
