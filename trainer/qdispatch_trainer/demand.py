"""The shape of a day's demand: when legs start, how long after it a patient returns, and from where to where.

Calibrated to aggregates of one year of a patient-transport company near Geneva (legs by start hour, quantiles of the
return delay and of the crow-fly distance, extent of the pickups). The places are synthetic: the mixture of homes and
the five destinations were fitted to those aggregates and stand for nobody's address.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

FIRST_HOUR = 7
LEGS_PER_THOUSAND_BY_HOUR = (23, 55, 208, 138, 68, 60, 214, 123, 76, 26, 8)  # from FIRST_HOUR on
RETURN_DELAY_QUANTILES = ((0.10, 105.0), (0.50, 255.0), (0.90, 405.0))  # minutes after the outbound's start
RETURN_DELAY_RANGE_MIN = (60.0, 540.0)
SLOT_MIN = 15  # appointments and planned returns are made on the quarter hour

KM_PER_DEGREE_LATITUDE = 111.195


@dataclass(frozen=True, slots=True)
class HomeCluster:
    """A Gaussian cluster of homes; kilometres east and north of the centre."""

    share: float
    east_km: float
    north_km: float
    east_sd_km: float
    north_sd_km: float


@dataclass(frozen=True, slots=True)
class Destination:
    """A clinic; kilometres east and north of the centre."""

    share: float
    east_km: float
    north_km: float


@dataclass(frozen=True, slots=True)
class Region:
    """Where homes, clinics and the depot are."""

    latitude: float  # of the centre, degrees
    longitude: float  # of the centre, degrees
    homes: tuple[HomeCluster, ...]
    destinations: tuple[Destination, ...]
    depot_east_km: float
    depot_north_km: float

    def to_degrees(self, east_km: F64, north_km: F64) -> tuple[F64, F64]:
        """Latitude and longitude, degrees, of points given in kilometres from the centre."""
        km_per_degree_longitude = KM_PER_DEGREE_LATITUDE * math.cos(math.radians(self.latitude))
        return self.latitude + north_km / KM_PER_DEGREE_LATITUDE, self.longitude + east_km / km_per_degree_longitude

    def home(self, u_n: F64, z_n2: F64) -> tuple[F64, F64]:
        """Homes from uniforms [n] (which cluster) and standard normals [n, 2]: latitude [n], longitude [n]."""
        rows = np.array([[h.east_km, h.north_km, h.east_sd_km, h.north_sd_km] for h in self.homes])
        cluster_n = _choose([h.share for h in self.homes], u_n)
        picked = rows[cluster_n]
        return self.to_degrees(picked[:, 0] + picked[:, 2] * z_n2[:, 0], picked[:, 1] + picked[:, 3] * z_n2[:, 1])

    def destination(self, u_n: F64) -> tuple[F64, F64]:
        """Clinics from uniforms [n]: latitude [n], longitude [n], degrees."""
        rows = np.array([[d.east_km, d.north_km] for d in self.destinations])
        picked = rows[_choose([d.share for d in self.destinations], u_n)]
        return self.to_degrees(picked[:, 0], picked[:, 1])


REGION = Region(
    latitude=46.235,
    longitude=6.207,
    homes=(
        HomeCluster(0.80, 0.04, 0.11, 0.35, 1.65),
        HomeCluster(0.12, 0.04, 0.00, 2.31, 5.30),
        HomeCluster(0.08, -8.85, -1.00, 1.06, 1.50),
    ),
    destinations=(
        Destination(0.24, 1.33, 0.75),
        Destination(0.16, -0.60, -2.18),
        Destination(0.20, -2.46, -2.65),
        Destination(0.30, -10.42, -0.87),
        Destination(0.10, -10.78, -5.07),
    ),
    depot_east_km=-0.5,
    depot_north_km=-0.5,
)


def _choose(shares: list[float], u_n: F64) -> I64:
    """Index [n] of the share each uniform falls into."""
    edges = np.cumsum(shares)
    return np.minimum(np.searchsorted(edges / edges[-1], u_n, side="right"), len(shares) - 1).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class StartTimes:
    """Joint distribution of a pair's two start slots, and that of a single leg's."""

    slot_start: F64  # [S] service-day minutes
    pair_edges: F64  # [S * S] cumulative probability of (outbound slot, return slot), row-major
    single_edges: F64  # [S] cumulative probability

    def pairs(self, u_n: F64) -> tuple[F64, F64]:
        """Start of the outbound [n] and of the return's slot [n], service-day minutes, from uniforms [n]."""
        flat = np.minimum(np.searchsorted(self.pair_edges, u_n, side="right"), self.pair_edges.size - 1)
        outbound_n, return_n = np.divmod(flat, self.slot_start.size)
        return self.slot_start[outbound_n], self.slot_start[return_n]

    def singles(self, u_n: F64) -> F64:
        """Start of single legs' slots [n], service-day minutes, from uniforms [n]."""
        slot_n = np.minimum(np.searchsorted(self.single_edges, u_n, side="right"), self.slot_start.size - 1)
        return self.slot_start[slot_n]


@cache
def start_times() -> StartTimes:
    """The least informative joint distribution that has the start hours and the return delays above.

    Iterative proportional fitting (Deming and Stephan 1940) of a uniform table over the permitted delays: outbound
    and return together have the start hours, the delay has its quantiles. Converges to 1e-12 in a few hundred rounds.
    """
    share_h = np.array(LEGS_PER_THOUSAND_BY_HOUR, dtype=np.float64)
    share_h /= share_h.sum()
    slots_per_hour = 60 // SLOT_MIN
    slot_start = 60.0 * FIRST_HOUR + SLOT_MIN * np.arange(slots_per_hour * share_h.size, dtype=np.float64)
    hour_s = np.arange(slot_start.size) // slots_per_hour
    delay = slot_start[None, :] - slot_start[:, None]
    low, high = RETURN_DELAY_RANGE_MIN
    table = ((delay >= low) & (delay <= high)).astype(np.float64)
    table /= table.sum()
    probabilities = np.array([0.0, *(q for q, _ in RETURN_DELAY_QUANTILES), 1.0])
    part = np.digitize(delay, [minutes for _, minutes in RETURN_DELAY_QUANTILES])
    for _ in range(5000):
        legs_h = np.bincount(hour_s, (table.sum(axis=0) + table.sum(axis=1)) / 2.0, share_h.size)
        if np.abs(legs_h - share_h).max() < 1e-12:
            break
        scale_s = np.sqrt(share_h / legs_h)[hour_s]
        table *= scale_s[:, None] * scale_s[None, :]
        mass = np.bincount(part.ravel(), table.ravel(), probabilities.size - 1)
        table *= (np.diff(probabilities) / mass)[part]
    else:
        raise ArithmeticError("the start-time table did not converge")
    single_s = share_h[hour_s] / slots_per_hour
    return StartTimes(slot_start, np.cumsum(table.ravel()), np.cumsum(single_s))


def demand_constants() -> dict[str, Any]:
    """Every constant of this file as plain data, for the scenarios' digest."""
    return {
        "first_hour": FIRST_HOUR,
        "legs_per_thousand_by_hour": LEGS_PER_THOUSAND_BY_HOUR,
        "return_delay_quantiles": RETURN_DELAY_QUANTILES,
        "return_delay_range_min": RETURN_DELAY_RANGE_MIN,
        "slot_min": SLOT_MIN,
        "region": asdict(REGION),
    }
