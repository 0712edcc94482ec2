"""Places as road-equivalent kilometres east and north of where a day's drivers are."""

from __future__ import annotations

import math

import numpy as np

from qdispatch_domain.compiled.arrays import FleetArrays
from qdispatch_domain.compiled.jit import kernel, part
from qdispatch_domain.travel import DETOUR_FACTOR, EARTH_RADIUS_KM

DEGREE = 180.0 / math.pi
KM_PER_DEGREE = math.pi / 180.0 * EARTH_RADIUS_KM * DETOUR_FACTOR


@kernel
def _degrees(places: np.ndarray, n: int, i: int) -> tuple[float, float]:
    """Latitude and longitude of the place [n, i]."""
    latitude = math.asin(min(max(places[n, i, 2], -1.0), 1.0)) * DEGREE
    return latitude, math.atan2(places[n, i, 1], places[n, i, 0]) * DEGREE


@kernel
def local_km(places: np.ndarray, n: int, i: int, latitude: float, longitude: float) -> tuple[float, float]:
    """Road-equivalent kilometres east and north of the centre."""
    lat, lon = _degrees(places, n, i)
    turn = (lon - longitude + 180.0) % 360.0 - 180.0
    return turn * math.cos(latitude / DEGREE) * KM_PER_DEGREE, (lat - latitude) * KM_PER_DEGREE


@part
def centre(f: FleetArrays, n: int) -> tuple[float, float]:
    """Mean latitude and longitude of the usable drivers' anchors."""
    x, y, z = 0.0, 0.0, 0.0
    for d in range(f.driver_real.shape[1]):
        if f.driver_real[n, d] and f.driver_gap[n, d] == 0:
            x += f.anchor_place[n, d, 0]
            y += f.anchor_place[n, d, 1]
            z += f.anchor_place[n, d, 2]
    norm = max(math.sqrt(x * x + y * y + z * z), 1e-12)
    return math.asin(min(max(z / norm, -1.0), 1.0)) * DEGREE, math.atan2(y / norm, x / norm) * DEGREE
