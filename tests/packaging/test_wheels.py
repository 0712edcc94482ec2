"""Both wheels in an empty environment: who owns which file, what is required, and what the console scripts say."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"qdispatch_bundle", "qdispatch_domain", "qdispatch_export", "qdispatch_server", "qdispatch_trainer"}
DISTRIBUTIONS = ("qdispatch", "qdispatch-client")

# Prints {distribution: [absolute path, ...]} of the running environment.
LIST_FILES = """
import json, sys
from importlib.metadata import distribution
print(json.dumps({name: [str(f.locate().resolve()) for f in distribution(name).files] for name in sys.argv[1:]}))
"""


@dataclass(frozen=True)
class Wheels:
    root: Path
    client: Path
    python: Path  # of an environment into which both are installed

    def script(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.python.parent / name, *arguments], capture_output=True, text=True, check=False, timeout=60
        )


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=300)
    assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    folder = tmp_path_factory.mktemp("wheels")
    for project, name in ((ROOT, "root"), (ROOT / "clients/python", "client")):
        run(
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "-q",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            folder / name,
            project,
        )
    (root,) = (folder / "root").glob("*.whl")
    (client,) = (folder / "client").glob("*.whl")
    venv = folder / "venv"
    run(sys.executable, "-m", "venv", venv)
    python = venv / "bin/python"
    run(python, "-m", "pip", "install", "-q", root, client)
    return Wheels(root, client, python)


def names_in(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


def metadata_of(wheel: Path) -> str:
    (name,) = (name for name in names_in(wheel) if name.endswith(".dist-info/METADATA"))
    return zipfile.ZipFile(wheel).read(name).decode()


def test_no_file_belongs_to_two_distributions(wheels: Wheels) -> None:
    files = json.loads(run(wheels.python, "-c", LIST_FILES, *DISTRIBUTIONS))
    owned = {name: set(paths) for name, paths in files.items()}
    assert all(len(paths) > 10 for paths in owned.values()), "the environment does not hold both distributions"
    assert not owned["qdispatch"] & owned["qdispatch-client"]


def test_root_wheel_holds_exactly_the_five_packages(wheels: Wheels) -> None:
    tops = {name.split("/")[0] for name in names_in(wheels.root)}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES
    assert {f"{package}/py.typed" for package in PACKAGES} <= names_in(wheels.root)


def test_root_wheel_does_not_require_the_client(wheels: Wheels) -> None:
    required = [line for line in metadata_of(wheels.root).splitlines() if line.startswith("Requires-Dist:")]
    assert any(line.startswith("Requires-Dist: numpy") for line in required)
    assert not [line for line in required if "qdispatch-client" in line or "qdispatch_client" in line]


def test_client_requires_only_grpcio_and_protobuf(wheels: Wheels) -> None:
    required = [line for line in metadata_of(wheels.client).splitlines() if line.startswith("Requires-Dist:")]
    names = {line.removeprefix("Requires-Dist: ").split(">")[0].split("=")[0].strip() for line in required}
    assert names == {"grpcio", "protobuf"}


@pytest.mark.parametrize("name", ["server", "trainer", "export"])
def test_a_script_without_its_extra_names_it_and_exits_2(wheels: Wheels, name: str) -> None:
    done = wheels.script(f"qdispatch-{name}", "--help")
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"[{name}]" in done.stderr
    assert "pip install" in done.stderr
    assert "Traceback" not in done.stderr


def test_client_script_runs_on_its_own(wheels: Wheels) -> None:
    done = wheels.script("qdispatch", "--help")
    assert done.returncode == 0, done.stderr
    assert "suggest" in done.stdout
