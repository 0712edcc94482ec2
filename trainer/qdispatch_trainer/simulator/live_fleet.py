"""The domain's arrays for the running days: what a dispatcher sees now, no more."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.fleet import Fleet, empty_fleet
from qdispatch_domain.reasons import BookingGap
from qdispatch_domain.weights import RULES
from qdispatch_trainer.day import F64, I64
from qdispatch_trainer.simulator.progress import IDLE, Fate, Progress
from qdispatch_trainer.simulator.truth import Truth

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
    now = progress.now[:, None]
    fleet.now[:] = progress.now
    fleet.driver_real[:] = truth.driver_real & ~progress.over[:, None]
    _refresh_anchors(fleet, truth, progress)
    waiting = (progress.fate == Fate.OPEN) & (truth.known_since <= now)
    ready = truth.ready_at <= now
    fleet.booking_real[:] = waiting
    fleet.booking_gap[:] = np.where(waiting & ~ready, BookingGap.NOT_READY, BookingGap.OPEN)
    fleet.open[:] = waiting & ready
    fleet.scheduled[:] = np.where(waiting & ready, truth.scheduled, np.nan)
    linked = np.maximum(truth.linked, 0)
    has = truth.linked >= 0
    fleet.linked_booking[:] = np.where(has & np.take_along_axis(waiting, linked, 1), truth.linked, -1)
    fleet.linked_driver[:] = np.where(has, np.take_along_axis(progress.driver, linked, 1), -1)


def predicted_pickup(truth: Truth, progress: Progress, n: I64, b: I64) -> F64:
    """Pickup time [M] of RUNNING trips (n, b) as a dispatcher predicts it: realised once the patient is on board."""
    now, picked_up = progress.now[n], progress.picked_up_at[n, b]
    arrival = truth.travel.arrive(progress.departed_at[n, b], progress.approach[n, b])
    expected = np.maximum(np.maximum(arrival, truth.scheduled[n, b]), now)
    return np.asarray(np.where(picked_up <= now, picked_up, expected))


def _refresh_anchors(fleet: Fleet, truth: Truth, progress: Progress) -> None:
    """Where and when every driver is free (docs/dispatch-rules.md, "Where a driver is")."""
    fleet.locked[:] = progress.running != IDLE
    fleet.anchor_time[:] = np.maximum(progress.now[:, None], fleet.shift_start)
    n, d = np.nonzero(fleet.locked)
    b = progress.running[n, d]
    pickup = predicted_pickup(truth, progress, n, b)
    reached = truth.travel.arrive(pickup + RULES.pickup_service_min, truth.loaded[n, b])
    end = np.maximum(reached + RULES.dropoff_service_min, progress.now[n])
    fleet.anchor_time[n, d] = np.maximum(end, fleet.shift_start[n, d])
    fleet.anchor_place[:] = truth.start_place
    place = np.where(fleet.locked, progress.running, progress.last_done)
    n, d = np.nonzero(place != IDLE)
    fleet.anchor_place[n, d] = truth.dropoff[n, place[n, d]]
