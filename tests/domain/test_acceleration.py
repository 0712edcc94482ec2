"""The switch between numpy and the kernels, each way in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from qdispatch_domain.acceleration import SWITCH
from qdispatch_domain.compiled import jit

SHOW = """
import sys
{first}
from qdispatch_domain.acceleration import kernels
found = kernels()
print(found is not None, "numba" in sys.modules)
"""
WITHOUT_NUMBA = """
import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "numba" else real(name, *rest)
"""


def run(setting: str | None, first: str = "") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != SWITCH}
    if setting is not None:
        environment[SWITCH] = setting
    return subprocess.run(
        [sys.executable, "-c", SHOW.format(first=first)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("setting", "first", "told"),
    [
        (None, "", "True True"),
        ("1", "", "True True"),
        ("0", "", "False False"),
        (None, WITHOUT_NUMBA, "False False"),
        ("0", WITHOUT_NUMBA, "False False"),
    ],
)
def test_the_switch(setting: str | None, first: str, told: str) -> None:
    assert run(setting, first).stdout.strip() == told


@pytest.mark.parametrize(
    ("setting", "first", "message"),
    [("1", WITHOUT_NUMBA, "needs numba"), ("yes", "", "unset, 0 or 1")],
)
def test_a_wish_that_cannot_be_met_is_an_error(setting: str, first: str, message: str) -> None:
    done = run(setting, first)
    assert done.returncode != 0
    assert message in done.stderr


def test_the_cache_notices_a_change_in_any_module_a_kernel_is_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    real = jit._text.__wrapped__  # without the memory of this process

    def digest(changed: str) -> str:
        monkeypatch.setattr(jit, "_text", lambda name: real(name) + ("# changed" if name == changed else ""))
        return jit._digest.__wrapped__("qdispatch_domain.compiled.candidates")

    import qdispatch_domain.compiled.candidates  # noqa: F401 - its imports are followed where it is loaded

    before = digest("nothing")
    for module in ("compiled.candidates", "compiled.timing", "compiled.roads", "travel", "weights", "fleet", "reasons"):
        assert digest(f"qdispatch_domain.{module}") != before, module
    assert digest("qdispatch_domain.encoding") == before


@pytest.mark.parametrize(
    ("decorate", "counted"), [(jit.kernel, True), (jit.loop_kernel, False), (jit.loop_part, False)]
)
def test_a_loop_kernel_counts_no_references(
    decorate: Callable[[Callable[..., int]], Any], counted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most of a search's time went there; the option that spares it is one that numba may change."""
    monkeypatch.setattr(jit, "_cache_folder", lambda: None)  # a kernel out of the cache does not show its code

    def pick(table: np.ndarray, i: int) -> int:
        row = table[i]
        if row[0] > 3:
            return int(row[1])
        return int(row[0])

    of_row = decorate(pick)

    def whole(table: np.ndarray) -> int:
        found = 0
        for i in range(table.shape[0]):
            if i != 1:
                found += of_row(table, i)
        return found

    compiled = decorate(whole)
    assert compiled(np.arange(6).reshape(3, 2)) == 5
    (text,) = compiled.inspect_llvm().values()
    assert ("NRT_decref" in text) == counted


def test_a_loop_kernel_that_makes_an_array_is_refused() -> None:
    def zeros(count: int) -> float:
        return float(np.zeros(count).sum())

    with pytest.raises(Exception, match="No implementation of function"):
        jit.loop_kernel(zeros)(3)
