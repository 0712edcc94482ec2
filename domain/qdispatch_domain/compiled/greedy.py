"""The greedy pass over pairs: the twin of the loop in `picking.py`."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.compiled.jit import kernel


@kernel
def first_come(
    order: np.ndarray, day: np.ndarray, driver: np.ndarray, booking: np.ndarray, shape: tuple[int, int, int]
) -> np.ndarray:
    """Of the pairs `order` [M], best first, those whose driver and booking are still free; `shape` is (N, D, B)."""
    taken_driver = np.zeros((shape[0], shape[1]), np.bool_)
    taken_booking = np.zeros((shape[0], shape[2]), np.bool_)
    picks = np.empty(order.shape[0], np.int64)
    count = 0
    for k in range(order.shape[0]):
        pair = order[k]
        n, d, b = day[pair], driver[pair], booking[pair]
        if not taken_driver[n, d] and not taken_booking[n, b]:
            taken_driver[n, d], taken_booking[n, b] = True, True
            picks[count] = pair
            count += 1
    return picks[:count]
