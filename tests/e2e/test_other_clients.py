"""Programs with nothing of ours but the protocol get a suggestion: buf curl by reflection, Node by the proto files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bundle.tiny_bundle import write_tiny_bundle
from tests.server.requests import EXAMPLE
from tests.server.server_process import ServerProcess, running_server
from tests.system_packages import require_system

ROOT = Path(__file__).parents[2]
NODE_CLIENT = Path(__file__).parent / "node_client"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("server")
    write_tiny_bundle(folder / "tiny")
    with running_server(folder, bundle_dir=folder / "tiny", reflection=True) as running:
        yield running


def test_buf_curl_by_reflection(server: ServerProcess, tmp_path: Path) -> None:
    question = tmp_path / "question.json"
    snapshot = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    question.write_text(json.dumps({"request_id": "buf-1", "company_id": "company-1", "snapshot": snapshot}))
    buf = Path(sys.executable).with_name("buf")
    url = f"http://{server.address}/qdispatch.v1.DispatchService/Suggest"
    # No file of ours: an empty folder, the schema by reflection; --timeout becomes the call's deadline.
    command = [str(buf), "curl", "--protocol", "grpc", "--http2-prior-knowledge", "--timeout", "30s"]
    result = subprocess.run(
        [*command, "-d", f"@{question}", url],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["requestId"] == "buf-1"
    assert answer["provenance"]["source"] == "SOURCE_MODEL"
    assert len(answer["bookings"]) == len(snapshot["bookings"])


@pytest.fixture(scope="module")
def node() -> Path:
    """Node with the packages of the lock file; installed once into an ignored folder."""
    found, npm = require_system("node", "npm")
    if not (NODE_CLIENT / "node_modules" / ".package-lock.json").is_file():
        command = [str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        installed = subprocess.run(command, cwd=NODE_CLIENT, capture_output=True, text=True, timeout=300)
        if installed.returncode != 0:
            line = f"npm ci in tests/e2e/node_client failed:\n{installed.stderr}"
            if os.environ.get("QDISPATCH_REQUIRE_SYSTEM") == "1":
                pytest.fail(line, pytrace=False)
            pytest.skip(line)
    return found


def test_node_by_the_proto_files(server: ServerProcess, node: Path) -> None:
    result = subprocess.run(
        [str(node), "suggest.mjs", server.address, str(ROOT / "proto"), str(EXAMPLE)],
        capture_output=True,
        text=True,
        cwd=NODE_CLIENT,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    snapshot = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    assert (answer["request_id"], answer["source"], answer["model_version"]) == ("node-1", "SOURCE_MODEL", "tiny-1")
    assert answer["bookings"] == len(snapshot["bookings"])


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((NODE_CLIENT / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert package["integrity"], name
