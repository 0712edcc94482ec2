"""Each import contract is broken once, in a copy of the tree, and reports it; the tree itself breaks none."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("domain", "bundle", "server", "trainer", "export", "clients/python")

# contract -> (file to add, what it imports against the contract)
BREACHES = {
    "domain-is-the-heart": ("domain/qdispatch_domain/breach.py", "import qdispatch_bundle.extras"),
    "domain-numpy-only": ("domain/qdispatch_domain/breach.py", "import scipy.optimize"),
    "numba-by-kernel": ("trainer/qdispatch_trainer/hindsight/breach.py", "from numba import njit"),
    "bundle-below": ("bundle/qdispatch_bundle/breach.py", "import qdispatch_server.entry"),
    "bundle-light": ("bundle/qdispatch_bundle/breach.py", "from google.protobuf import message"),
    "server-slim": ("server/qdispatch_server/breach.py", "import torch"),
    "server-stubs-only": ("server/qdispatch_server/breach.py", "from qdispatch_client import snapshot"),
    "trainer-below-export": ("trainer/qdispatch_trainer/breach.py", "import qdispatch_export.entry"),
    "export-no-server": ("export/qdispatch_export/breach.py", "import qdispatch_server.entry"),
    "client-alone": ("clients/python/qdispatch_client/breach.py", "import numpy"),
    "stubs-lowest": ("clients/python/qdispatch_client/stubs/breach.py", "from qdispatch_client import snapshot"),
}


def lint(tree: Path, *options: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(str(tree / folder) for folder in FOLDERS)
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache", *options],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    skip = shutil.ignore_patterns("__pycache__", "*.egg-info", "node_modules", "build")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=skip)
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def test_every_contract_has_a_breach() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter")
    names = {section.split(":")[2] for section in config.sections() if section.startswith("importlinter:contract:")}
    assert names == set(BREACHES)


def test_the_tree_keeps_all_contracts(tree: Path) -> None:
    done = lint(tree)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Contracts: {len(BREACHES)} kept, 0 broken" in done.stdout


@pytest.mark.parametrize("contract", sorted(BREACHES))
def test_a_broken_contract_is_reported(tree: Path, contract: str) -> None:
    file, line = BREACHES[contract]
    (tree / file).write_text(f"{line}\n")
    done = lint(tree, "--contract", contract)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "0 kept, 1 broken" in done.stdout
    assert "breach" in done.stdout
