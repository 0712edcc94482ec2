"""Which open bookings of a day are planned now: the same ones as the planner of the domain plans."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qdispatch_domain.situation import Situation

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

AT_LEAST = 8  # bookings planned however few drivers there are, as in `compiled/plan.py`


@dataclass(frozen=True, slots=True)
class DayView:
    """One day of a situation: its usable drivers [D'], the bookings to plan [B'] and its pairs (indices, [P'])."""

    day: int
    drivers: I64
    bookings: I64
    pairs: I64


def day_views(situation: Situation, horizon_min: float, tasks_per_driver: float) -> list[DayView]:
    """Every day with a booking to plan: scheduled within the horizon, the soonest due, a limited number per driver."""
    fleet, pairs = situation.fleet, situation.table.insertion
    views = []
    for n in np.unique(pairs.day):
        first, last = np.searchsorted(pairs.day, [n, n + 1])  # pairs are ordered by day
        booking = np.unique(pairs.booking[first:last])
        booking = booking[fleet.scheduled[n, booking] - fleet.now[n] <= horizon_min]
        due = fleet.scheduled[n, booking] + fleet.tolerance[n, booking]
        drivers = np.flatnonzero(fleet.usable[n])
        most = max(int(tasks_per_driver * len(drivers)), AT_LEAST)
        chosen = booking[np.argsort(due, kind="stable")][:most]
        if len(chosen):
            views.append(DayView(int(n), drivers, chosen, np.arange(first, last)))
    return views
