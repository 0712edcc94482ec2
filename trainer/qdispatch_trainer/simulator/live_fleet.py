"""The domain's arrays for the running days: what a dispatcher sees now, no more."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.compiled.arrays import FleetArrays, arrays_of
from qdispatch_domain.compiled.jit import kernel
from qdispatch_domain.compiled.roads import flow, unflow
from qdispatch_domain.compiled.timing import end_of
from qdispatch_domain.fleet import Fleet, empty_fleet
from qdispatch_domain.reasons import BookingGap
from qdispatch_domain.weights import RULES
from qdispatch_trainer.simulator.progress import IDLE, Fate, Progress
from qdispatch_trainer.simulator.state_arrays import ProgressArrays, TruthArrays, progress_arrays, truth_arrays
from qdispatch_trainer.simulator.truth import Truth

OPEN, NO_GAP, NOT_READY = int(Fate.OPEN), int(BookingGap.OPEN), int(BookingGap.NOT_READY)
PICKUP_SERVICE, DROPOFF_SERVICE = RULES.pickup_service_min, RULES.dropoff_service_min
# More trips than an eight-hour shift can hold. A fixed room keeps every sum over it the same in any batch.
TRIP_ROOM = 24


def live_fleet(truth: Truth) -> Fleet:
    """A Fleet with the days' drivers and bookings, nothing committed; `refresh` brings it to an instant."""
    (days, drivers), bookings = truth.driver_real.shape, truth.booking_real.shape[1]
    breaks = max(len(driver.breaks) for day in truth.days for driver in day.drivers)
    fleet = empty_fleet(truth.travel, days, drivers, bookings, TRIP_ROOM, breaks)
    fleet.driver_real[:] = truth.driver_real
    fleet.regular[:] = truth.regular
    fleet.has_home[:], fleet.home[:] = truth.has_home, truth.home
    for n, day in enumerate(truth.days):
        for d, driver in enumerate(day.drivers):
            if driver.shift_start is None or driver.shift_end is None:
                raise ValueError(f"Expected a shift of driver {driver.id!r}.")
            fleet.wheelchair_access[n, d], fleet.seats[n, d] = driver.wheelchair_access, driver.seats
            fleet.shift_start[n, d], fleet.shift_end[n, d] = driver.shift_start, driver.shift_end
            fleet.contract_share[n, d] = driver.contract_share
            fleet.window_trips[n, d], fleet.window_minutes[n, d] = driver.window_trips, driver.window_minutes
            for k, pause in enumerate(sorted(driver.breaks, key=lambda entry: entry.start)):
                fleet.break_start[n, d, k], fleet.break_end[n, d, k] = pause.start, pause.end
    fleet.tolerance[:] = truth.tolerance
    fleet.pickup_service[:], fleet.dropoff_service[:] = RULES.pickup_service_min, RULES.dropoff_service_min
    fleet.loaded[:], fleet.pickup[:], fleet.dropoff[:] = truth.loaded, truth.pickup, truth.dropoff
    fleet.outbound[:], fleet.urgent[:] = ~truth.is_return, truth.urgent
    fleet.wheelchair[:], fleet.passengers[:] = truth.wheelchair, truth.passengers
    fleet.known_since[:] = np.where(truth.booking_real, truth.known_since, np.nan)
    fleet.booking_code[:] = np.where(truth.booking_real, np.arange(bookings), -1)
    return fleet


def refresh(fleet: Fleet, truth: Truth, progress: Progress) -> None:
    """Bring everything but the COMMITTED trips, which the fleet keeps itself, to `progress.now`, in place."""
    _refresh(arrays_of(fleet), truth_arrays(truth), progress_arrays(progress))


@kernel
def _refresh(f: FleetArrays, t: TruthArrays, p: ProgressArrays) -> None:
    for n in range(p.now.shape[0]):
        now = p.now[n]
        f.now[n] = now
        for d in range(t.driver_real.shape[1]):
            f.driver_real[n, d] = t.driver_real[n, d] and not p.over[n]
            # where and when the driver is free (docs/dispatch-rules.md, "Where a driver is")
            running, free = p.running[n, d], now
            if running != IDLE:
                pickup = predicted_pickup(
                    now,
                    p.departed_at[n, running],
                    p.approach[n, running],
                    t.scheduled[n, running],
                    p.picked_up_at[n, running],
                )
                free = max(end_of(pickup, PICKUP_SERVICE, t.loaded[n, running], DROPOFF_SERVICE, False), now)
            f.locked[n, d] = running != IDLE
            f.anchor_time[n, d] = max(free, f.shift_start[n, d])
            last = running if running != IDLE else p.last_done[n, d]
            for c in range(4):
                f.anchor_place[n, d, c] = t.start_place[n, d, c] if last == IDLE else t.dropoff[n, last, c]
        for b in range(t.known_since.shape[1]):
            waiting = p.fate[n, b] == OPEN and t.known_since[n, b] <= now
            ready = waiting and t.ready_at[n, b] <= now
            f.booking_real[n, b], f.open[n, b] = waiting, ready
            f.booking_gap[n, b] = NOT_READY if waiting and not ready else NO_GAP
            f.scheduled[n, b] = t.scheduled[n, b] if ready else np.nan
            other = t.linked[n, b]
            f.linked_booking[n, b], f.linked_driver[n, b], f.linked_scheduled[n, b] = -1, -1, np.nan
            if other >= 0:
                f.linked_driver[n, b] = p.driver[n, other]
                open_now = p.fate[n, other] == OPEN and t.known_since[n, other] <= now
                if open_now:
                    f.linked_booking[n, b] = other
                if p.driver[n, other] >= 0 or (open_now and t.ready_at[n, other] <= now):
                    f.linked_scheduled[n, b] = t.scheduled[n, other]


@kernel
def predicted_pickup(now: float, departed_at: float, approach: float, scheduled: float, picked_up_at: float) -> float:
    """Pickup time of a trip that has departed, as a dispatcher predicts it: realised once the patient is on board."""
    if picked_up_at <= now:
        return picked_up_at
    return max(max(unflow(flow(departed_at, False) + approach, False), scheduled), now)
