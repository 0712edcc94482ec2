"""Whether compiled kernels stand in for numpy: the one place that looks for numba, and the one switch.

`QDISPATCH_COMPILED` in the environment: unset, the kernels are used where numba is installed; `0`, numpy is used;
`1`, the kernels are required. Both give the same results (tests/domain/test_compiled.py).
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from functools import cache
from types import ModuleType

SWITCH = "QDISPATCH_COMPILED"


@cache
def kernels() -> ModuleType | None:
    """`qdispatch_domain.compiled.kernels`, or None for numpy. Decided once per process, at the first call.

    Raises ValueError for a setting that is none, and ModuleNotFoundError where numba is required and not installed.
    """
    wish = os.environ.get(SWITCH, "")
    if wish not in ("", "0", "1"):
        raise ValueError(f"Expected {SWITCH} to be unset, 0 or 1.")
    if wish == "0":
        return None
    if importlib.util.find_spec("numba") is None:
        if wish == "1":
            raise ModuleNotFoundError(f"{SWITCH}=1 needs numba: install the extra [search] or [trainer].")
        return None
    return importlib.import_module("qdispatch_domain.compiled.kernels")
