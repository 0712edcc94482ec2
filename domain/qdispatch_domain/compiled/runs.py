"""Runs of equal neighbours in a sorted column."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.compiled.jit import kernel, loop_kernel


@kernel
def run_end(keys: np.ndarray, first: int) -> int:
    """Index after the last of the keys [P] that equal `keys[first]` and stand directly behind it."""
    last = first + 1
    while last < keys.shape[0] and keys[last] == keys[first]:
        last += 1
    return last


@loop_kernel
def mark_best(keys: np.ndarray, first: np.ndarray, second: np.ndarray, third: np.ndarray, best: np.ndarray) -> None:
    """Mark in `best` [P] the one of each run of keys that is largest by `first`, then `second`, then `third`.

    Of equals the one in front is marked; `best` comes without marks.
    """
    top = 0
    for i in range(keys.shape[0]):
        new = i == 0 or keys[i] != keys[i - 1]
        if not new and not (
            first[i] > first[top]
            or (first[i] == first[top] and second[i] > second[top])
            or (first[i] == first[top] and second[i] == second[top] and third[i] > third[top])
        ):
            continue
        if not new:
            best[top] = False
        best[i], top = True, i
