"""`scripts/demo.py` as `make demo` runs it, with a bundle of the test's own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.bundle.tiny_bundle import write_tiny_bundle

ROOT = Path(__file__).parents[2]


def demo(bundle: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "demo.py"), "--bundle-dir", str(bundle)]
    without_numba = {**os.environ, "QDISPATCH_COMPILED": "0"}  # `make demo` does not install it
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=without_numba)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    bundle = tmp_path_factory.mktemp("demo") / "tiny"
    write_tiny_bundle(bundle)
    return demo(bundle)


def test_it_ends_well_and_shows_what_it_promises(shown: subprocess.CompletedProcess[str]) -> None:
    assert shown.returncode == 0, shown.stderr
    text = shown.stdout
    assert re.search(r"booking-\d+ +\d\d:\d\d +assign now +→ driver-\d", text)
    assert "nobody can, because 1× UNAVAILABLE, 3× WHEELCHAIR, 1× TIME_CONFLICT" in text
    assert "Source MODEL, model tiny-1, features " in text
    assert re.search(r"the caller waited +p50 +\d+\.\d ms +p95 +\d+\.\d ms", text)
    assert "The server was drained." in text


def test_the_day_is_today(shown: subprocess.CompletedProcess[str]) -> None:
    first = shown.stdout.splitlines()[0]
    today = datetime.now(ZoneInfo("Europe/Zurich"))
    assert f"{today:%d %B %Y}" in first
    assert "09:10 (Europe/Zurich)" in first


def test_without_a_bundle_it_fails_and_says_so(tmp_path: Path) -> None:
    result = demo(tmp_path / "nothing")
    assert result.returncode == 1
    assert "no model bundle" in result.stderr


def test_a_refused_bundle_is_no_success(tmp_path: Path) -> None:
    """A server without its model answers by the heuristic; the demo must not pass that off as the model."""
    bundle = tmp_path / "tiny"
    write_tiny_bundle(bundle, feature_fingerprint="0" * 64)
    result = demo(bundle)
    assert result.returncode == 1
    assert "the model did not answer" in result.stderr
