"""Travel for kernels (`travel.py`): a clock that runs with the traffic, and free-flow minutes between places.

A leg of w free-flow minutes that departs at t arrives at unflow(flow(t) + w). With the caller's matrix (`matrix`) the
clock runs evenly. A place is four neighbouring columns of a table: x, y, z and its row in the matrix.
"""

from __future__ import annotations

import math

import numpy as np

from qdispatch_domain.compiled.jit import loop_kernel
from qdispatch_domain.travel import (
    _FLOW,
    _TIMES,
    ARCSIN_SERIES,
    DETOUR_FACTOR,
    EARTH_RADIUS_KM,
    FREE_FLOW_KM_PER_MIN,
    SMALL_ANGLE,
    SPEED_FACTORS,
)

EVEN_UNTIL = SPEED_FACTORS[0][0]  # before this minute the clock runs evenly and F(t) = t
_AFTER = int(np.searchsorted(_TIMES, EVEN_UNTIL))
TIMES, FLOW = _TIMES[_AFTER:], _FLOW[_AFTER:]
SLOPE = np.diff(FLOW) / np.diff(TIMES)
INVERSE_SLOPE = np.diff(TIMES) / np.diff(FLOW)
LAST = len(SLOPE) - 1
MINUTES_PER_HALF_CHORD = 2.0 * EARTH_RADIUS_KM * DETOUR_FACTOR / FREE_FLOW_KM_PER_MIN
C1, C2, C3, C4 = ARCSIN_SERIES


@loop_kernel
def flow(t: float, matrix: bool) -> float:
    """F(t), the free-flow minutes driven since midnight."""
    if matrix or t < EVEN_UNTIL:
        return t
    k = 0
    while k < LAST and t >= TIMES[k + 1]:
        k += 1
    return SLOPE[k] * (t - TIMES[k]) + FLOW[k]


@loop_kernel
def unflow(f: float, matrix: bool) -> float:
    """The inverse of `flow`."""
    if matrix or f < EVEN_UNTIL:
        return f
    k = 0
    while k < LAST and f >= FLOW[k + 1]:
        k += 1
    return INVERSE_SLOPE[k] * (f - FLOW[k]) + TIMES[k]


@loop_kernel
def road_minutes(dx: float, dy: float, dz: float) -> float:
    """Free-flow minutes between two points of the unit sphere that differ by (dx, dy, dz)."""
    half_chord = 0.5 * math.sqrt(dx * dx + dy * dy + dz * dz)
    if half_chord >= SMALL_ANGLE:
        return MINUTES_PER_HALF_CHORD * math.asin(min(half_chord, 1.0))
    s = half_chord * half_chord
    series = 1.0 + s * (C1 + s * (C2 + s * (C3 + s * C4)))
    return MINUTES_PER_HALF_CHORD * half_chord * series


@loop_kernel
def minutes_between(a: np.ndarray, i: int, at: int, b: np.ndarray, j: int, to: int, seconds: np.ndarray) -> float:
    """Free-flow minutes from the place in row i of table a, columns from `at`, to that in row j of b, from `to`."""
    if seconds.shape[0] > 0:
        return seconds[int(a[i, at + 3]), int(b[j, to + 3])] / 60.0
    return road_minutes(a[i, at] - b[j, to], a[i, at + 1] - b[j, to + 1], a[i, at + 2] - b[j, to + 2])
