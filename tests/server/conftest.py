"""Servers and requests that many tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bundle.tiny_bundle import write_tiny_bundle
from tests.server.server_process import ServerProcess, running_server


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real bundle of an untrained network; never change it."""
    directory = tmp_path_factory.mktemp("bundle") / "tiny"
    write_tiny_bundle(directory)
    return directory


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Iterator[ServerProcess]:
    """One worker with a model, shared by the tests of a module that do not change it."""
    with running_server(tmp_path_factory.mktemp("server"), bundle_dir=tiny_bundle, reflection=True) as running:
        yield running
