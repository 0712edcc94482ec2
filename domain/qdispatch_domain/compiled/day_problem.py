"""The arrays of a day become the problem of a plan: its drivers, COMMITTED trips and the open bookings to plan."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qdispatch_domain.compiled.jit import kernel
from qdispatch_domain.compiled.local_search import Options, Search
from qdispatch_domain.compiled.planned_routes import Routes, new_routes, predict
from qdispatch_domain.compiled.route_problem import (
    ANCHOR_TIME,
    DRIVER_COLUMNS,
    DROPOFF_SERVICE,
    EXTRA_VARIANCE,
    HAS_HOME,
    LATE_RATE,
    LATEST,
    LATEST_FINISH,
    LOAD_BASE,
    LOAD_STEP,
    LOADED,
    MOST_KEPT,
    PICKUP_SERVICE,
    SCHEDULED,
    TASK_COLUMNS,
    TOLERANCE,
    TRIP_COST,
    WORKED,
    Problem,
)
from qdispatch_domain.weights import RULES, WEIGHTS

EMERGENCY, CHANGE = WEIGHTS.emergency_trip, WEIGHTS.driver_change
LATE_OUTBOUND, LATE_RETURN = WEIGHTS.outbound_lateness_per_min, WEIGHTS.return_lateness_per_min
UNSERVED, UNSERVED_URGENT = WEIGHTS.unserved, WEIGHTS.unserved_urgent
MOST_LATE = RULES.latest_insertion_min


class Days(NamedTuple):
    """The arrays of a `Fleet` that a plan needs, under the fleet's names; `usable` and `counts` are derived."""

    now: np.ndarray
    usable: np.ndarray
    counts: np.ndarray  # [N, D] drivers who count for fairness
    regular: np.ndarray
    shift_end: np.ndarray
    contract_share: np.ndarray
    trips_done: np.ndarray
    locked: np.ndarray
    anchor_time: np.ndarray
    anchor_place: np.ndarray
    has_home: np.ndarray
    home: np.ndarray
    break_start: np.ndarray
    break_end: np.ndarray
    n_trips: np.ndarray
    trip_pickup: np.ndarray
    trip_dropoff: np.ndarray
    trip_scheduled: np.ndarray
    trip_promised: np.ndarray
    trip_tolerance: np.ndarray
    trip_pickup_service: np.ndarray
    trip_dropoff_service: np.ndarray
    trip_loaded: np.ndarray
    trip_outbound: np.ndarray
    scheduled: np.ndarray
    tolerance: np.ndarray
    pickup_service: np.ndarray
    dropoff_service: np.ndarray
    loaded: np.ndarray
    pickup: np.ndarray
    dropoff: np.ndarray
    outbound: np.ndarray
    urgent: np.ndarray
    current_driver: np.ndarray
    first_driver: np.ndarray  # [N, B] who has it in a plan to start from; -1: no such plan
    seconds: np.ndarray


@kernel
def _problem(
    f: Days, n: int, scheduled: np.ndarray, row_driver: np.ndarray, bookings: np.ndarray, how: Search
) -> tuple[Problem, Routes]:
    """The problem of day n over drivers `row_driver` [D'] and `bookings` [B'] wanted at `scheduled` [B], COMMITTED
    trips placed.
    """
    drivers, opened = row_driver.shape[0], bookings.shape[0]
    committed, longest = 0, 0
    rest_total, rest_squares = 0.0, 0.0
    for d in range(f.usable.shape[1]):
        if f.counts[n, d] and not f.usable[n, d]:
            x = (f.trips_done[n, d] + (1.0 if f.locked[n, d] else 0.0) + f.n_trips[n, d]) / f.contract_share[n, d]
            rest_total += x
            rest_squares += x * x
    for d in row_driver:
        committed += f.n_trips[n, d]
        longest = max(longest, f.n_trips[n, d])
    tasks = committed + opened
    places = tasks + drivers
    kept = places if places <= MOST_KEPT else 0
    p = Problem(
        np.empty((tasks, TASK_COLUMNS)),
        np.empty((drivers, DRIVER_COLUMNS)),
        np.empty((2, drivers, f.break_start.shape[2])),
        np.empty((places, 4)),
        np.empty((places, 4)),
        np.full((kept, kept), np.nan),
        f.seconds,
        float(f.counts[n].sum()),
        rest_total,
        rest_squares,
        how.travel_sd,
    )
    r = new_routes(drivers, longest + min(opened, 12), tasks)
    k = 0
    for row in range(drivers):
        d = row_driver[row]
        p.driver[row, TRIP_COST] = 0.0 if f.regular[n, d] else EMERGENCY
        p.driver[row, ANCHOR_TIME] = f.anchor_time[n, d]
        p.origin[tasks + row], p.destination[tasks + row] = f.anchor_place[n, d], f.home[n, d]
        p.driver[row, HAS_HOME] = 1.0 if f.has_home[n, d] else 0.0
        p.driver[row, WORKED] = 1.0 if f.trips_done[n, d] > 0 or f.locked[n, d] else 0.0
        p.breaks[0, row], p.breaks[1, row] = f.break_start[n, d], f.break_end[n, d]
        step = 1.0 / f.contract_share[n, d] if f.counts[n, d] else 0.0
        p.driver[row, LOAD_STEP] = step
        p.driver[row, LOAD_BASE] = step * (f.trips_done[n, d] + (1.0 if f.locked[n, d] else 0.0))
        r.length[row] = f.n_trips[n, d]
        for i in range(f.n_trips[n, d]):
            p.destination[k], p.origin[k] = f.trip_pickup[n, d, i], f.trip_dropoff[n, d, i]
            p.task[k, SCHEDULED], p.task[k, TOLERANCE] = f.trip_scheduled[n, d, i], f.trip_tolerance[n, d, i]
            p.task[k, PICKUP_SERVICE] = f.trip_pickup_service[n, d, i]
            p.task[k, DROPOFF_SERVICE] = f.trip_dropoff_service[n, d, i]
            p.task[k, LOADED] = f.trip_loaded[n, d, i]
            p.task[k, LATE_RATE] = LATE_OUTBOUND if f.trip_outbound[n, d, i] else LATE_RETURN
            p.task[k, LATEST] = f.trip_promised[n, d, i] + f.trip_tolerance[n, d, i]
            r.task[row, i] = k
            r.driver[k] = row
            k += 1
    for j in range(opened):
        b = bookings[j]
        p.destination[k], p.origin[k] = f.pickup[n, b], f.dropoff[n, b]
        p.task[k, TOLERANCE] = f.tolerance[n, b]
        p.task[k, PICKUP_SERVICE], p.task[k, DROPOFF_SERVICE] = f.pickup_service[n, b], f.dropoff_service[n, b]
        p.task[k, LOADED] = f.loaded[n, b]
        p.task[k, LATE_RATE] = LATE_OUTBOUND if f.outbound[n, b] else LATE_RETURN
        want(p, k, scheduled[b])
        k += 1
    for k in range(tasks):
        drive, load, leave = p.task[k, LOADED], p.task[k, PICKUP_SERVICE], p.task[k, DROPOFF_SERVICE]
        services = load * load + leave * leave
        p.task[k, EXTRA_VARIANCE] = (how.travel_sd * drive) ** 2 + how.service_sd * how.service_sd * services
    for row in range(drivers):
        finish = predict(p, r, row)  # raises LATEST of trips that are late already: kept, not worsened (rules 3, 4)
        p.driver[row, LATEST_FINISH] = max(f.shift_end[n, row_driver[row]], finish)
    return p, r


@kernel
def want(p: Problem, k: int, scheduled: float) -> None:
    """Task k, an open booking, is wanted at `scheduled`."""
    p.task[k, SCHEDULED], p.task[k, LATEST] = scheduled, scheduled + MOST_LATE


@kernel
def rows_of(f: Days, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The usable drivers of day n [D'], and of every driver [D] the index there, -1 for those who are not usable."""
    rows = np.full(f.usable.shape[1], -1)
    row_driver = np.flatnonzero(f.usable[n])
    for row in range(row_driver.shape[0]):
        rows[row_driver[row]] = row
    return row_driver, rows


@kernel
def soonest(
    f: Days, n: int, scheduled: np.ndarray, pair_booking: np.ndarray, drivers: int, how: Search
) -> tuple[np.ndarray, np.ndarray]:
    """The bookings to plan, soonest due first, and the first pair of each; those of a booking stand side by side."""
    count = 0
    listed = np.empty(pair_booking.shape[0], np.int64)
    start = np.empty(pair_booking.shape[0], np.int64)
    for i in range(pair_booking.shape[0]):
        new = i == 0 or pair_booking[i] != pair_booking[i - 1]
        if new and scheduled[pair_booking[i]] - f.now[n] <= how.horizon_min:
            listed[count], start[count] = pair_booking[i], i
            count += 1
    due = np.empty(count)
    for j in range(count):
        due[j] = scheduled[listed[j]] + f.tolerance[n, listed[j]]
    order = np.argsort(due, kind="mergesort")[: most_tasks(drivers, how)]
    return listed[order], start[order]


@kernel
def most_tasks(drivers: int, how: Search) -> int:
    """How many bookings are planned at most."""
    return max(int(how.tasks_per_driver * drivers), 8)


@kernel
def day_problem(
    f: Days,
    n: int,
    scheduled: np.ndarray,
    row_driver: np.ndarray,
    rows: np.ndarray,
    chosen: np.ndarray,
    start: np.ndarray,
    pair_driver: np.ndarray,
    pair_booking: np.ndarray,
    pair_price: np.ndarray,
    how: Search,
) -> tuple[Problem, Routes, Options]:
    """What there is to plan on day n: bookings `chosen` [O], whose pairs [P'] stand side by side from `start` [O] on.

    The routes hold the COMMITTED trips.
    """
    count = chosen.shape[0]
    option_from = np.zeros(count + 1, np.int64)
    option_driver = np.empty(pair_booking.shape[0], np.int64)
    option_cost = np.empty(pair_booking.shape[0])
    unserved = np.empty(count)
    options = 0
    for o in range(count):
        b, i = chosen[o], start[o]
        unserved[o] = UNSERVED_URGENT if f.urgent[n, b] else UNSERVED
        while i < pair_booking.shape[0] and pair_booking[i] == b:
            option_driver[options] = rows[pair_driver[i]]
            changed = f.current_driver[n, b] >= 0 and f.current_driver[n, b] != pair_driver[i]
            option_cost[options] = (CHANGE if changed else 0.0) + pair_price[i]
            options += 1
            i += 1
        option_from[o + 1] = options
    p, r = _problem(f, n, scheduled, row_driver, chosen, how)
    return p, r, Options(p.task.shape[0] - count, option_from, option_driver, option_cost, unserved)


@kernel
def named_rows(rows: np.ndarray, driver: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Of bookings `chosen` [O] the index of the driver that `driver` [B] names, -1 where it names none."""
    named = np.full(chosen.shape[0], -1)
    for o in range(chosen.shape[0]):
        if driver[chosen[o]] >= 0:
            named[o] = rows[driver[chosen[o]]]
    return named
