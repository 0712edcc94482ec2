"""Insert bookings into schedules and take departed trips out, in place: the twins of `fleet.commit` and its kind."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.compiled.arrays import FleetArrays
from qdispatch_domain.compiled.jit import kernel, part

DONE, NOT_OPEN, NO_SUCH_POSITION, NO_ROOM = 0, 1, 2, 3


@kernel
def commit(
    f: FleetArrays,
    day: np.ndarray,
    driver: np.ndarray,
    booking: np.ndarray,
    position: np.ndarray,
    promised: np.ndarray,
) -> int:
    """Commit bookings before the `position`-th COMMITTED trips, all [M]. Changes nothing unless it returns DONE."""
    for m in range(day.shape[0]):
        n, d = day[m], driver[m]
        if not f.open[n, booking[m]]:
            return NOT_OPEN
        if not 0 <= position[m] <= f.n_trips[n, d]:
            return NO_SUCH_POSITION
        if f.n_trips[n, d] >= f.trip_scheduled.shape[2]:
            return NO_ROOM
    for m in range(day.shape[0]):
        n, d, b, at = day[m], driver[m], booking[m], position[m]
        _shift(f, n, d, f.n_trips[n, d], -1, f.n_trips[n, d] - at)
        for c in range(4):
            f.trip_pickup[n, d, at, c] = f.pickup[n, b, c]
            f.trip_dropoff[n, d, at, c] = f.dropoff[n, b, c]
        f.trip_scheduled[n, d, at] = f.scheduled[n, b]
        f.trip_promised[n, d, at] = promised[m]
        f.trip_tolerance[n, d, at] = f.tolerance[n, b]
        f.trip_pickup_service[n, d, at] = f.pickup_service[n, b]
        f.trip_dropoff_service[n, d, at] = f.dropoff_service[n, b]
        f.trip_loaded[n, d, at] = f.loaded[n, b]
        f.trip_outbound[n, d, at] = f.outbound[n, b]
        f.trip_code[n, d, at] = f.booking_code[n, b]
        f.n_trips[n, d] += 1
        f.open[n, b] = False
        if f.linked_booking[n, b] >= 0:
            f.linked_driver[n, f.linked_booking[n, b]] = d
    return DONE


@kernel
def drop_first_trip(f: FleetArrays, n: int, d: int) -> None:
    """Remove the first COMMITTED trip of driver d: it has departed. The place it leaves is padding again."""
    last = f.n_trips[n, d] - 1
    _shift(f, n, d, 0, 1, last)
    for c in range(4):
        f.trip_pickup[n, d, last, c] = 0.0
        f.trip_dropoff[n, d, last, c] = 0.0
    f.trip_scheduled[n, d, last] = 0.0
    f.trip_promised[n, d, last] = 0.0
    f.trip_tolerance[n, d, last] = 0.0
    f.trip_pickup_service[n, d, last] = 0.0
    f.trip_dropoff_service[n, d, last] = 0.0
    f.trip_loaded[n, d, last] = 0.0
    f.trip_outbound[n, d, last] = False
    f.trip_code[n, d, last] = -1
    f.n_trips[n, d] = last


@part
def _shift(f: FleetArrays, n: int, d: int, to: int, step: int, moves: int) -> None:
    """Copy the trip beside `to` (before it: step -1, behind it: step 1) there, then the next one, `moves` times."""
    for _ in range(moves):
        source = to + step
        for c in range(4):
            f.trip_pickup[n, d, to, c] = f.trip_pickup[n, d, source, c]
            f.trip_dropoff[n, d, to, c] = f.trip_dropoff[n, d, source, c]
        f.trip_scheduled[n, d, to] = f.trip_scheduled[n, d, source]
        f.trip_promised[n, d, to] = f.trip_promised[n, d, source]
        f.trip_tolerance[n, d, to] = f.trip_tolerance[n, d, source]
        f.trip_pickup_service[n, d, to] = f.trip_pickup_service[n, d, source]
        f.trip_dropoff_service[n, d, to] = f.trip_dropoff_service[n, d, source]
        f.trip_loaded[n, d, to] = f.trip_loaded[n, d, source]
        f.trip_outbound[n, d, to] = f.trip_outbound[n, d, source]
        f.trip_code[n, d, to] = f.trip_code[n, d, source]
        to = source
