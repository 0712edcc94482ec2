"""Kilometres that an insertion adds, on the sphere: the twin of `rows.added_kilometers_numpy` without a matrix."""

from __future__ import annotations

import math

import numpy as np

from qdispatch_domain.compiled.arrays import FleetArrays
from qdispatch_domain.compiled.jit import kernel
from qdispatch_domain.travel import ARCSIN_SERIES, DETOUR_FACTOR, EARTH_RADIUS_KM, SMALL_ANGLE

KM_PER_HALF_CHORD = 2.0 * EARTH_RADIUS_KM * DETOUR_FACTOR
C1, C2, C3, C4 = ARCSIN_SERIES


@kernel
def added_kilometers(
    f: FleetArrays,
    free_place: np.ndarray,
    trips: np.ndarray,
    row: np.ndarray,
    day: np.ndarray,
    driver: np.ndarray,
    booking: np.ndarray,
    position: np.ndarray,
) -> np.ndarray:
    """Road kilometres without a patient added by each insertion, all [M]; `free_place` [R, L + 1, 4], `trips` [R]."""
    pickups, dropoffs, trip_pickups, has_home, homes = f.pickup, f.dropoff, f.trip_pickup, f.has_home, f.home
    km = np.empty(row.shape[0])
    for m in range(row.shape[0]):
        r, n, d, b, i = row[m], day[m], driver[m], booking[m], position[m]
        before, dropoff = free_place[r, i], dropoffs[n, b]
        km[m] = _road_km(before, pickups[n, b])
        if i < trips[r]:
            after = trip_pickups[n, d, i]
            km[m] = km[m] + _road_km(dropoff, after) - _road_km(before, after)
        elif has_home[n, d]:
            after = homes[n, d]
            km[m] = km[m] + _road_km(dropoff, after) - _road_km(before, after)
    return km


@kernel
def _road_km(a: np.ndarray, b: np.ndarray) -> float:
    """`Travel.kilometers` without a matrix between two places [4]."""
    dx, dy, dz = a[0] - b[0], a[1] - b[1], a[2] - b[2]
    half_chord = 0.5 * math.sqrt(dx * dx + dy * dy + dz * dz)
    if half_chord >= SMALL_ANGLE:
        return KM_PER_HALF_CHORD * math.asin(min(half_chord, 1.0))
    s = half_chord * half_chord
    series = 1.0 + s * (C1 + s * (C2 + s * (C3 + s * C4)))
    return KM_PER_HALF_CHORD * half_chord * series
