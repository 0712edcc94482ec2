"""Why nobody can: the primary reason of every driver, proved by relaxing one rule after another."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt

from qdispatch_domain.fleet import NEVER, Fleet
from qdispatch_domain.insertion import insertions
from qdispatch_domain.reasons import DriverGap, Refusal
from qdispatch_domain.schedule import schedules

I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

_GAPS = {
    DriverGap.UNAVAILABLE: Refusal.UNAVAILABLE,
    DriverGap.NO_SHIFT: Refusal.NO_SHIFT,
    DriverGap.POSITION_UNKNOWN: Refusal.POSITION_UNKNOWN,
}


def refusals(fleet: Fleet, day: int, bookings: I64) -> list[Counter[Refusal]]:
    """Counted primary reasons over all drivers of `day` for each open booking that nobody can take, [len(bookings)].

    The order of the reasons stands in docs/dispatch-rules.md, "Why a driver cannot".
    """
    if not len(bookings):
        return []
    relaxed = fleet.select(np.full(3, day))  # row 0: no trips, breaks or shift; 1: no trips or breaks; 2: no trips
    relaxed.n_trips[:] = 0
    relaxed.break_start[:2] = relaxed.break_end[:2] = NEVER
    relaxed.shift_end[0] = NEVER
    relaxed.anchor_time[0] = np.where(relaxed.locked[0], relaxed.anchor_time[0], relaxed.now[0])
    explained = zip((Refusal.TOO_LATE, Refusal.SHIFT, Refusal.BREAK), _feasible(relaxed, bookings), strict=True)

    real = np.flatnonzero(fleet.driver_real[day])
    reason = np.full((len(bookings), fleet.driver_real.shape[1]), int(Refusal.TIME_CONFLICT))
    for code, feasible in reversed(list(explained)):
        reason[~feasible] = code
    reason[fleet.passengers[day, bookings][:, None] > fleet.seats[day][None, :]] = Refusal.SEATS
    reason[fleet.wheelchair[day, bookings][:, None] & ~fleet.wheelchair_access[day][None, :]] = Refusal.WHEELCHAIR
    drivers = np.arange(reason.shape[1])
    other = fleet.current_driver[day, bookings][:, None] != drivers[None, :]
    reason[fleet.pinned[day, bookings][:, None] & other] = Refusal.PINNED
    for gap, code in _GAPS.items():
        reason[:, fleet.driver_gap[day] == gap] = code
    return [Counter(Refusal(int(code)) for code in row[real]) for row in reason]


def _feasible(fleet: Fleet, bookings: I64) -> Bool:
    """Whether each usable driver of a fleet without trips could take each booking, [N, B', D]."""
    day, driver = np.nonzero(fleet.usable)
    s = schedules(fleet, day, driver)
    row, which = (a.ravel() for a in np.meshgrid(np.arange(len(day)), np.arange(len(bookings)), indexing="ij"))
    found = insertions(fleet, s, row, bookings[which], np.zeros_like(row))
    ok = np.zeros((fleet.days, fleet.open.shape[1], fleet.driver_real.shape[1]), dtype=np.bool_)
    ok[found.day, found.booking, found.driver] = True
    return ok[:, bookings]
