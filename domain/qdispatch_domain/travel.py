"""Travel times: haversine x 1.3 at a time-of-day speed, or the caller's matrix.

A speed that changes with the hour is integrated along the leg (Ichoua, Gendreau, Potvin 2003, "Vehicle dispatching with
time-dependent travel times", section 2), so that a later departure never arrives earlier (FIFO). With
F(t) = integral of the speed factor, a leg of w free-flow minutes that departs at t arrives at F^-1(F(t) + w).

Places are float64 rows of four numbers: the unit vector (x, y, z) of the point on the sphere and its row in the matrix
(-1 without one).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qdispatch_domain.row_columns import reals
from qdispatch_domain.snapshot import Location, TravelMatrix

F64 = npt.NDArray[np.float64]

EARTH_RADIUS_KM = 6371.0088
DETOUR_FACTOR = 1.3
FREE_FLOW_KM_PER_MIN = 0.5  # 30 km/h
# (from, to, factor) in service-day minutes; 1 elsewhere
SPEED_FACTORS = ((480.0, 540.0, 0.6), (720.0, 780.0, 0.75), (1020.0, 1080.0, 0.6))
# arcsin(h) = h * (1 + c1 h^2 + ... + c4 h^8) to the last bit for h < 0.02, that is, within 254 km. Libraries round
# their arcsin differently; the series is the same everywhere, so that numpy and the kernels agree to the bit.
SMALL_ANGLE = 0.02
ARCSIN_SERIES = (1.0 / 6.0, 3.0 / 40.0, 15.0 / 336.0, 105.0 / 3456.0)
PLACE = 4  # numbers in a place row
_FAR = 1e12  # the tables are extended to here with factor 1, so that sentinels of 1e9 stay inside
_BEFORE = -10_080.0  # a knot near the day: interpolating from -1e12 would round times before midnight to 1e-4 min


def _speed_tables() -> tuple[F64, F64]:
    """Breakpoints t and F(t), both [K], strictly increasing."""
    times, values = [-_FAR, _BEFORE, 0.0], [-_FAR, _BEFORE, 0.0]
    for start, end, factor in SPEED_FACTORS:
        values.append(values[-1] + start - times[-1])
        times.append(start)
        values.append(values[-1] + (end - start) * factor)
        times.append(end)
    values.append(values[-1] + _FAR - times[-1])
    times.append(_FAR)
    return np.array(times), np.array(values)


_TIMES, _FLOW = _speed_tables()


def place_row(location: Location) -> F64:
    """Unit vector and matrix row of a location, [4]."""
    lat, lon = np.radians(location.latitude), np.radians(location.longitude)
    index = -1 if location.matrix_index is None else location.matrix_index
    return np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat), index])


def place_rows(locations: Sequence[Location]) -> F64:
    """Rows of many locations, [M, 4]."""
    if not locations:
        return np.empty((0, PLACE))
    return places_from_degrees(
        reals([p.latitude for p in locations]),
        reals([p.longitude for p in locations]),
        reals([-1.0 if p.matrix_index is None else p.matrix_index for p in locations]),
    )


def places_from_degrees(latitude: F64, longitude: F64, matrix_index: F64 | float = -1.0) -> F64:
    """Place rows [..., 4] from degrees [...]."""
    lat, lon = np.radians(latitude), np.radians(longitude)
    cos_lat = np.cos(lat)
    places = np.empty((*lat.shape, PLACE))
    places[..., 0], places[..., 1], places[..., 2] = cos_lat * np.cos(lon), cos_lat * np.sin(lon), np.sin(lat)
    places[..., 3] = matrix_index
    return places


def degrees_from_places(places: F64) -> tuple[F64, F64]:
    """Latitude and longitude in degrees, each [...], of place rows [..., 4]."""
    latitude = np.degrees(np.arcsin(np.clip(places[..., 2], -1.0, 1.0)))
    return latitude, np.degrees(np.arctan2(places[..., 1], places[..., 0]))


@dataclass(frozen=True, slots=True)
class Travel:
    """One travel model for a whole situation. `matrix` None: distances on the sphere at time-of-day speeds."""

    matrix: TravelMatrix | None = None

    def free_flow(self, origin: F64, destination: F64) -> F64:
        """Free-flow minutes w from places [..., 4] to places [..., 4] (broadcast), [...]."""
        if self.matrix is not None:
            i, j = origin[..., 3].astype(np.int64), destination[..., 3].astype(np.int64)
            minutes: F64 = self.matrix.seconds[i, j] / 60.0
            return minutes
        return self._road_km(origin, destination) / FREE_FLOW_KM_PER_MIN

    def kilometers(self, origin: F64, destination: F64) -> F64 | None:
        """Road kilometres between places, or None when the caller's matrix carries no meters."""
        if self.matrix is None:
            return self._road_km(origin, destination)
        if self.matrix.meters is None:
            return None
        i, j = origin[..., 3].astype(np.int64), destination[..., 3].astype(np.int64)
        km: F64 = self.matrix.meters[i, j] / 1000.0
        return km

    def arrive(self, depart: F64, free_flow: F64) -> F64:
        """Arrival time [...] of a leg of `free_flow` minutes departing at `depart` (broadcast)."""
        if self.matrix is not None:
            return depart + free_flow
        flow = np.interp(depart, _TIMES, _FLOW) + free_flow
        return np.interp(flow, _FLOW, _TIMES)

    def depart(self, arrive: F64, free_flow: F64) -> F64:
        """Latest departure [...] that arrives by `arrive`: the inverse of `arrive`."""
        if self.matrix is not None:
            return arrive - free_flow
        flow = np.interp(arrive, _TIMES, _FLOW) - free_flow
        return np.interp(flow, _FLOW, _TIMES)

    @staticmethod
    def _road_km(origin: F64, destination: F64) -> F64:
        dx = origin[..., 0] - destination[..., 0]
        dy = origin[..., 1] - destination[..., 1]
        dz = origin[..., 2] - destination[..., 2]
        half_chord = 0.5 * np.sqrt(dx * dx + dy * dy + dz * dz)
        s = half_chord * half_chord
        c1, c2, c3, c4 = ARCSIN_SERIES
        series = 1.0 + s * (c1 + s * (c2 + s * (c3 + s * c4)))
        km: F64 = (2.0 * EARTH_RADIUS_KM * DETOUR_FACTOR) * half_chord * series
        if bool(np.any(half_chord >= SMALL_ANGLE)):
            far = (2.0 * EARTH_RADIUS_KM * DETOUR_FACTOR) * np.arcsin(np.minimum(half_chord, 1.0))
            km = np.where(half_chord >= SMALL_ANGLE, far, km)
        return km
