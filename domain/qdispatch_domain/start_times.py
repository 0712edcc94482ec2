"""When legs start, and how long after the outbound leg a patient returns: the habits of a company's patients.

Calibrated to aggregates of one year of a patient-transport company near Geneva (legs by start hour, quantiles of the
return delay). The simulator draws days from it; a search that looks ahead expects calls by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]

FIRST_HOUR = 7
LEGS_PER_THOUSAND_BY_HOUR = (23, 55, 208, 138, 68, 60, 214, 123, 76, 26, 8)  # from FIRST_HOUR on
RETURN_DELAY_QUANTILES = ((0.10, 105.0), (0.50, 255.0), (0.90, 405.0))  # minutes after the outbound's start
RETURN_DELAY_RANGE_MIN = (60.0, 540.0)
SLOT_MIN = 15  # appointments and planned returns are made on the quarter hour


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
