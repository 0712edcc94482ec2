"""The shape of a day's demand: from where to where; when is in `qdispatch_domain.start_times`.

Calibrated to aggregates of one year of a patient-transport company near Geneva (quantiles of the crow-fly distance,
extent of the pickups). The places are synthetic: the mixture of homes and
the five destinations were fitted to those aggregates and stand for nobody's address.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qdispatch_domain.start_times import (
    FIRST_HOUR,
    LEGS_PER_THOUSAND_BY_HOUR,
    RETURN_DELAY_QUANTILES,
    RETURN_DELAY_RANGE_MIN,
    SLOT_MIN,
)

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

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
