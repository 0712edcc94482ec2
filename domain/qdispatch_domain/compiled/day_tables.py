"""Gathers one day of a fleet into the tables of `columns.py`."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.compiled.arrays import FleetArrays
from qdispatch_domain.compiled.columns import (
    BOOKING,
    BREAK,
    BREAK_COLUMNS,
    BREAKS,
    BUFFER_FLOW,
    DRIVER,
    DROPOFF_PLACE,
    DROPOFF_SERVICE,
    EMERGENCY_PRICE,
    FIRST,
    FREE,
    HAS_HOME,
    HOME,
    LOADED,
    ON_TIME_LATEST,
    PASSENGERS,
    PERMITTED_LATEST,
    PICKUP_PLACE,
    PICKUP_SERVICE,
    PINNED,
    PLACE,
    PLANNED_DRIVER,
    PUNCTUAL_END,
    RATE,
    REGULAR,
    SCHEDULED,
    SEATS,
    SHIFT_END,
    SHORTEST_END,
    TOLERANCE,
    TRIP_DROPOFF_SERVICE,
    TRIP_LOADED,
    TRIP_PICKUP_PLACE,
    TRIP_PICKUP_SERVICE,
    TRIP_PROMISE,
    TRIP_RATE,
    TRIP_SCHEDULED,
    TRIP_TOLERANCE,
    TRIPS,
    WHEELCHAIR,
    WHEELCHAIR_ACCESS,
)
from qdispatch_domain.compiled.jit import kernel, part
from qdispatch_domain.compiled.roads import flow
from qdispatch_domain.compiled.timing import BUFFER, end_of
from qdispatch_domain.fleet import NEVER
from qdispatch_domain.weights import RULES, WEIGHTS

OUTBOUND_RATE, RETURN_RATE = WEIGHTS.outbound_lateness_per_min, WEIGHTS.return_lateness_per_min
EMERGENCY_TRIP = WEIGHTS.emergency_trip
LATEST_INSERTION = RULES.latest_insertion_min


@part
def gather_rows(f: FleetArrays, n: int, at: np.ndarray, rows: np.ndarray) -> int:
    """Schedule rows of the usable drivers of day n, in their order; returns how many. Prices of spread are left out."""
    r, q = 0, 0
    for d in range(f.driver_real.shape[1]):
        if not f.driver_real[n, d] or f.driver_gap[n, d] != 0:
            continue
        trips = f.n_trips[n, d]
        rows[r, DRIVER], rows[r, FIRST], rows[r, TRIPS] = d, q, trips
        rows[r, REGULAR] = 1.0 if f.regular[n, d] else 0.0
        rows[r, EMERGENCY_PRICE] = 0.0 if f.regular[n, d] else EMERGENCY_TRIP
        rows[r, WHEELCHAIR_ACCESS], rows[r, SEATS] = 1.0 if f.wheelchair_access[n, d] else 0.0, f.seats[n, d]
        rows[r, HAS_HOME] = 1.0 if f.has_home[n, d] else 0.0
        rows[r, SHIFT_END] = f.shift_end[n, d]
        gather_breaks(f.break_start, f.break_end, n, d, rows, r, f.seconds.shape[0] > 0)
        at[q, FREE] = f.anchor_time[n, d]
        for c in range(4):
            rows[r, HOME + c] = f.home[n, d, c]
            at[q, PLACE + c] = f.anchor_place[n, d, c]
        for i in range(trips):
            at[q, TRIP_SCHEDULED] = f.trip_scheduled[n, d, i]
            at[q, TRIP_PICKUP_SERVICE] = f.trip_pickup_service[n, d, i]
            at[q, TRIP_DROPOFF_SERVICE] = f.trip_dropoff_service[n, d, i]
            at[q, TRIP_LOADED] = f.trip_loaded[n, d, i]
            at[q, TRIP_TOLERANCE] = f.trip_tolerance[n, d, i]
            at[q, TRIP_PROMISE] = f.trip_promised[n, d, i] + f.trip_tolerance[n, d, i]
            at[q, TRIP_RATE] = OUTBOUND_RATE if f.trip_outbound[n, d, i] else RETURN_RATE
            for c in range(4):
                at[q, TRIP_PICKUP_PLACE + c] = f.trip_pickup[n, d, i, c]
                at[q + 1, PLACE + c] = f.trip_dropoff[n, d, i, c]
            q += 1
        q += 1
        r += 1
    return r


@kernel
def gather_breaks(start: np.ndarray, end: np.ndarray, n: int, d: int, rows: np.ndarray, r: int, matrix: bool) -> None:
    """The breaks [N, D, K] of driver d of day n into row r."""
    breaks = 0
    for k in range(start.shape[2]):
        if start[n, d, k] < NEVER:
            to = BREAK + BREAK_COLUMNS * breaks
            rows[r, to], rows[r, to + 1], rows[r, to + 2] = start[n, d, k], end[n, d, k], flow(end[n, d, k], matrix)
            breaks += 1
    rows[r, BREAKS] = breaks


@part
def gather_bookings(f: FleetArrays, n: int, book: np.ndarray) -> int:
    """The open bookings of day n, in their order; returns how many."""
    matrix = f.seconds.shape[0] > 0
    j = 0
    for b in range(f.open.shape[1]):
        if not f.open[n, b]:
            continue
        scheduled, tolerance, loaded = f.scheduled[n, b], f.tolerance[n, b], f.loaded[n, b]
        pickup_service, dropoff_service = f.pickup_service[n, b], f.dropoff_service[n, b]
        book[j, BOOKING], book[j, SCHEDULED], book[j, TOLERANCE], book[j, LOADED] = b, scheduled, tolerance, loaded
        book[j, WHEELCHAIR], book[j, PASSENGERS] = 1.0 if f.wheelchair[n, b] else 0.0, f.passengers[n, b]
        book[j, PLANNED_DRIVER], book[j, PINNED] = f.current_driver[n, b], 1.0 if f.pinned[n, b] else 0.0
        book[j, PICKUP_SERVICE], book[j, DROPOFF_SERVICE] = pickup_service, dropoff_service
        book[j, RATE] = OUTBOUND_RATE if f.outbound[n, b] else RETURN_RATE
        book[j, BUFFER_FLOW] = flow(scheduled - BUFFER, matrix)
        book[j, PUNCTUAL_END] = end_of(scheduled, pickup_service, loaded, dropoff_service, matrix)
        book[j, SHORTEST_END] = scheduled + pickup_service + dropoff_service + loaded
        for limit, late in ((ON_TIME_LATEST, tolerance), (PERMITTED_LATEST, LATEST_INSERTION)):
            latest = scheduled + late
            book[j, limit] = latest
            book[j, limit + 1] = flow(latest, matrix)
            book[j, limit + 2] = end_of(latest, pickup_service, loaded, dropoff_service, matrix)
        for c in range(4):
            book[j, PICKUP_PLACE + c] = f.pickup[n, b, c]
            book[j, DROPOFF_PLACE + c] = f.dropoff[n, b, c]
        j += 1
    return j
