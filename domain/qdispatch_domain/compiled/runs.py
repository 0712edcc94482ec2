"""Runs of equal neighbours in a sorted column."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.compiled.jit import kernel


@kernel
def run_end(keys: np.ndarray, first: int) -> int:
    """Index after the last of the keys [P] that equal `keys[first]` and stand directly behind it."""
    last = first + 1
    while last < keys.shape[0] and keys[last] == keys[first]:
        last += 1
    return last
