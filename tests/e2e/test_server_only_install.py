"""The README's `pip install ./clients/python '.[server]'` in an empty environment: it serves a bundle, without torch.

Nothing of the working tree is on the path: the environment holds built wheels, and commands run in their own folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.bundle.tiny_bundle import write_tiny_bundle
from tests.server.requests import EXAMPLE
from tests.server.server_process import server_environment, wait_until

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
# What training, export and the tests need: none of it may come with the server.
ABSENT = {"torch", "onnx", "onnxscript", "scipy", "gymnasium", "numba", "tensorboard", "matplotlib", "pytest"}
OURS = ["qdispatch_bundle", "qdispatch_client", "qdispatch_domain", "qdispatch_server"]
WHERE = "import importlib, sys; print(*(importlib.import_module(name).__file__ for name in sys.argv[1:]), sep='\\n')"


@dataclass(frozen=True)
class Installed:
    """An environment with the server and the client, and a folder to run them in."""

    programs: Path
    folder: Path

    def run(self, program: str, *arguments: str) -> str:
        """Output of a program of the environment, which must end well."""
        done = subprocess.run(
            [self.programs / program, *arguments],
            cwd=self.folder,
            env=own_python(os.environ.copy()),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{program} {arguments}: {done.stdout}\n{done.stderr}"
        return done.stdout


def own_python(environment: dict[str, str]) -> dict[str, str]:
    """Without the settings (PYTHONPATH, …) that would let another environment shine through."""
    return {name: value for name, value in environment.items() if not name.startswith("PYTHON")}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True, timeout=120)
    done = subprocess.run(
        [folder / "venv/bin/python", "-m", "pip", "install", "-q", "./clients/python", ".[server]"],
        cwd=ROOT,
        env=own_python(os.environ.copy()),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Installed(folder / "venv/bin", folder)


@pytest.fixture(scope="module")
def serving(installed: Installed) -> Iterator[tuple[psutil.Process, str]]:
    """The supervisor of two workers with a bundle, and the server's address."""
    folder = installed.folder
    write_tiny_bundle(folder / "bundle")
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [installed.programs / "qdispatch-server", "serve"],
            cwd=folder,
            env=own_python(server_environment(folder, bundle_dir=folder / "bundle", workers=2)),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: (folder / "ready.json").exists() or process.poll() is not None, 120, "the server is ready")
        assert process.poll() is None, (folder / "server.log").read_text()
        yield psutil.Process(process.pid), json.loads((folder / "ready.json").read_text())["address"]
    finally:
        process.terminate()
        process.wait(60)
    assert process.returncode == 0


def test_nothing_of_training_or_export_is_installed(installed: Installed) -> None:
    listed = json.loads(installed.run("python", "-m", "pip", "list", "--format=json"))
    names = {row["name"].lower() for row in listed}
    assert {"qdispatch", "qdispatch-client", "onnxruntime", "grpcio"} <= names
    assert names.isdisjoint(ABSENT)
    installed.run("python", "-m", "pip", "check")


def test_what_runs_is_what_was_installed(installed: Installed) -> None:
    for origin in installed.run("python", "-c", WHERE, *OURS).splitlines():
        assert Path(origin).is_relative_to(installed.folder / "venv"), origin


def test_the_bundle_is_served(installed: Installed, serving: tuple[psutil.Process, str]) -> None:
    _, address = serving
    example = ["suggest", str(EXAMPLE), "--target", address, "--company", "company-1", "--json"]
    answer = json.loads(installed.run("qdispatch", *example))
    assert (answer["provenance"]["source"], answer["provenance"]["model_version"]) == ("SOURCE_MODEL", "tiny-1")
    assert len(answer["bookings"]) == len(json.loads(EXAMPLE.read_text(encoding="utf-8"))["bookings"])
    assert any(booking["candidates"] for booking in answer["bookings"])
    installed.run("qdispatch-server", "--help")


def test_no_process_of_the_tree_maps_a_library_of_training(serving: tuple[psutil.Process, str]) -> None:
    supervisor, _ = serving
    tree = [supervisor, *supervisor.children(recursive=True)]
    maps = [Path(f"/proc/{process.pid}/maps").read_text() for process in tree]
    assert len(tree) >= 3
    assert sum("onnxruntime" in text for text in maps) == 2
    assert not [text for text in maps if "libtorch" in text or "/scipy/" in text]
