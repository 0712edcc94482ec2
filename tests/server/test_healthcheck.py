from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.server.server_process import ServerProcess, running_server, server_environment


def check(folder: Path, server: ServerProcess, **settings: object) -> tuple[int, str]:
    host, port = server.address.rsplit(":", 1)
    environment = server_environment(folder, host=host, port=port) | {k: str(v) for k, v in settings.items()}
    command = [sys.executable, "-m", "qdispatch_server.healthcheck"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    return result.returncode, result.stderr


def test_0_only_while_it_serves(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        assert check(tmp_path, server) == (0, "")
        assert check(tmp_path, server, QDISPATCH_SERVER_HOST="0.0.0.0") == (0, "")
    code, text = check(tmp_path, server)
    assert code == 1
    assert "DEADLINE_EXCEEDED" in text or "UNAVAILABLE" in text


def test_a_server_on_a_refused_bundle_is_not_healthy(tmp_path: Path) -> None:
    with running_server(tmp_path, bundle_dir=tmp_path / "nothing") as server:
        assert check(tmp_path, server) == (1, f"{server.address}: NOT_SERVING\n")
