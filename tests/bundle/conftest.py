from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.bundle.tiny_bundle import write_tiny_bundle


@pytest.fixture(scope="session")
def pristine_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One real bundle for all tests; never change it."""
    directory = tmp_path_factory.mktemp("pristine") / "tiny"
    write_tiny_bundle(directory)
    return directory


@pytest.fixture
def bundle_folder(pristine_bundle: Path, tmp_path: Path) -> Path:
    """A copy of the bundle that a test may spoil."""
    return Path(shutil.copytree(pristine_bundle, tmp_path / "tiny"))
