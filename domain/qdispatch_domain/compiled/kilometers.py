"""Kilometres that an insertion adds, on the sphere: the twin of `rows.added_kilometers_numpy` without a matrix."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.compiled.arrays import FleetArrays
from qdispatch_domain.compiled.jit import kernel
from qdispatch_domain.compiled.roads import road_minutes
from qdispatch_domain.travel import FREE_FLOW_KM_PER_MIN


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
    return FREE_FLOW_KM_PER_MIN * road_minutes(a[0] - b[0], a[1] - b[1], a[2] - b[2])
