"""`kernel`: numba's njit with a cache that notices every change of the code a kernel is made of.

numba compares only the file of the function itself; a kernel also holds, as constants or inlined code, what its module
imports (rules, weights, speeds, other kernels). The cache folder is therefore named after the text of all of them.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from numba import njit
from numba.core import config as numba_config

P = ParamSpec("P")
R = TypeVar("R")

config: Any = numba_config  # its settings come from the environment, unknown to type checkers

_OURS = re.compile(r"^(?:from|import) (qdispatch_\w+(?:\.\w+)*)", re.MULTILINE)


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile on first use, cached on disk where a folder can be written (`NUMBA_CACHE_DIR` names another one)."""
    return _compiled(function)


def loop_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """A kernel that makes no arrays, and so counts no references to those it is given: counting them takes half of the
    time where arrays are handed on in a loop.
    """
    return _compiled(function, _nrt=False)


def loop_part(function: Callable[P, R]) -> Callable[P, R]:
    """A loop kernel whose machine code goes into that of its callers."""
    return _compiled(function, _nrt=False, forceinline=True)


def part(function: Callable[P, R]) -> Callable[P, R]:
    """A piece of one kernel, pasted into it: for functions that take a whole `FleetArrays`, slow to hand on."""
    return cast("Callable[P, R]", njit(inline="always")(function))


def _compiled(function: Callable[P, R], **options: Any) -> Callable[P, R]:
    base = _cache_folder()
    if base is None:
        return cast("Callable[P, R]", njit(**options)(function))
    before = config.CACHE_DIR
    config.CACHE_DIR = str(base / f"kernels-{_digest(function.__module__)}")
    try:
        return cast("Callable[P, R]", njit(cache=True, **options)(function))
    finally:
        config.CACHE_DIR = before


@cache
def _cache_folder() -> Path | None:
    """The first of these folders that can be written; None: kernels are compiled anew in every process."""
    named = config.CACHE_DIR
    user = Path(os.path.expanduser("~/.cache/qdispatch"))
    for folder in [Path(named)] if named else [Path(__file__).parent / "__pycache__", user]:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return None


@cache
def _digest(module: str) -> str:
    """Of the text of `module` and of all modules of this tree that it imports, directly or through others."""
    seen: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen[name] = _text(name)
            waiting += _imports(seen[name])
    whole = "\0".join(f"{name}\0{seen[name]}" for name in sorted(seen))
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


def _imports(text: str) -> Iterator[str]:
    """Modules of this tree named by the import lines at the beginning of a line, as far as they are loaded."""
    return (name for name in _OURS.findall(text) if name in sys.modules)


@cache
def _text(module: str) -> str:
    file = sys.modules[module].__file__
    if file is None:
        raise RuntimeError(f"Expected a source file of {module}.")
    return Path(file).read_text(encoding="utf-8")
