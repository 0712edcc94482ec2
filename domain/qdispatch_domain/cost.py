"""The cost of a day: its terms as functions of arrays (weights: `weights.py`, rules: docs/dispatch-rules.md)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qdispatch_domain.fleet import Fleet
from qdispatch_domain.reasons import DriverGap
from qdispatch_domain.schedule import Schedules, schedules
from qdispatch_domain.weights import WEIGHTS

F64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


def lateness_cost(pickup: F64, scheduled: F64, tolerance: F64, outbound: Bool) -> F64:
    """Cost of a pickup time beyond the tolerance, minutes-equivalent, shape of the arguments."""
    rate = np.where(outbound, WEIGHTS.outbound_lateness_per_min, WEIGHTS.return_lateness_per_min)
    late: F64 = rate * np.maximum(pickup - scheduled - tolerance, 0.0)
    return late


def unserved_cost(urgent: Bool) -> F64:
    """Cost of an UNSERVED booking, minutes-equivalent."""
    return np.where(urgent, WEIGHTS.unserved_urgent, WEIGHTS.unserved)


@dataclass(frozen=True, slots=True)
class Loads:
    """Trips per contract share and their sums over the drivers who count for fairness, N days."""

    counts: Bool  # [N, D] REGULAR, available, with a shift
    x: F64  # [N, D] (done + running + committed) / contract share; 0 where it does not count
    size: F64  # [N] D in the formula
    total: F64  # [N] sum of x
    squares: F64  # [N] sum of x^2

    @property
    def spread(self) -> F64:
        """S = sqrt(D * sum((x - mean)^2)) = sqrt(D * sum(x^2) - (sum x)^2), [N]."""
        return np.sqrt(np.maximum(self.size * self.squares - self.total**2, 0.0))


def loads(fleet: Fleet) -> Loads:
    """Trips per contract share of every driver who counts for fairness."""
    gap = fleet.driver_gap
    counts = fleet.driver_real & fleet.regular & (gap != DriverGap.UNAVAILABLE) & (gap != DriverGap.NO_SHIFT)
    x = np.where(counts, (fleet.trips_done + fleet.locked + fleet.n_trips) / fleet.contract_share, 0.0)
    return Loads(counts, x, counts.sum(axis=1).astype(np.float64), x.sum(axis=1), (x * x).sum(axis=1))


def spread_growth(fleet: Fleet, load: Loads, day: npt.NDArray[np.int64], driver: npt.NDArray[np.int64]) -> F64:
    """Growth of 15 * S when (day, driver), each [M], gets one more trip; minutes-equivalent."""
    step = np.where(load.counts[day, driver], 1.0 / fleet.contract_share[day, driver], 0.0)
    x = load.x[day, driver]
    squares = load.squares[day] + step * (2.0 * x + step)
    after = np.sqrt(np.maximum(load.size[day] * squares - (load.total[day] + step) ** 2, 0.0))
    growth: F64 = WEIGHTS.spread * (after - load.spread[day])
    return growth


def committed_cost(fleet: Fleet, s: Schedules | None = None) -> F64:
    """Predicted cost of the COMMITTED trips and of the spread, [N] minutes-equivalent.

    Deadhead, lateness, EMERGENCY trips and 15 * S. Left to the owner of the day, who alone knows them: what is realised
    or running, planned drivers that were changed, and UNSERVED bookings.
    """
    if s is None:
        day, driver = np.nonzero(fleet.usable)
        s = schedules(fleet, day, driver)
    slots = np.arange(s.pickup.shape[1])
    there = slots[None, :] < s.count[:, None]
    n, d, longest = s.day, s.driver, len(slots)
    late = lateness_cost(
        np.where(there, s.pickup, 0.0),
        fleet.trip_scheduled[n, d, :longest],
        fleet.trip_tolerance[n, d, :longest],
        fleet.trip_outbound[n, d, :longest],
    )
    emergency = np.where(fleet.regular[n, d], 0.0, WEIGHTS.emergency_trip) * s.count
    per_row = (
        WEIGHTS.deadhead_per_min * ((s.deadhead * there).sum(axis=1) + s.home_deadhead)
        + (late * there).sum(axis=1)
        + emergency
    )
    total = np.bincount(n, weights=per_row, minlength=fleet.days)
    return total + WEIGHTS.spread * loads(fleet).spread
