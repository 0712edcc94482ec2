"""Which of several computations is faster here: times of runs that take turns.

Every round runs each once, and every second round in the reverse order, so that whatever else the machine does, and
whatever one run leaves in the caches for the next, falls on all of them alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt

K = TypeVar("K")
Seconds = npt.NDArray[np.float64]


def interleaved_seconds(
    computations: Mapping[K, Callable[[], object]],
    *,
    rounds: int,
    warm_up: int,
    least: int | None = None,
    budget_seconds: float = float("inf"),
) -> dict[K, Seconds]:
    """Times of each computation [rounds made], at most `rounds`, after `warm_up` unmeasured ones.

    No round is begun after `budget_seconds` (warm-up included) once `least` rounds, by default all, are done.
    """
    fewest = rounds if least is None else least
    if not 1 <= fewest <= rounds or warm_up < 0:
        raise ValueError("Expected 1 <= least <= rounds and warm_up >= 0.")
    seconds: dict[K, list[float]] = {name: [] for name in computations}
    order = list(computations.items())
    begun = time.perf_counter()
    for turn in range(warm_up + rounds):
        if turn - warm_up >= fewest and time.perf_counter() - begun >= budget_seconds:
            break
        for name, compute in order if turn % 2 else reversed(order):
            start = time.perf_counter()
            compute()
            if turn >= warm_up:
                seconds[name].append(time.perf_counter() - start)
    return {name: np.array(samples) for name, samples in seconds.items()}
