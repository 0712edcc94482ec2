"""Plans of N days: every day's arrays become a `Problem`, `search` solves it, and the plan is told per booking."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qdispatch_domain.compiled.jit import kernel
from qdispatch_domain.compiled.local_search import Options, Search, search
from qdispatch_domain.compiled.planned_routes import DEPART, Routes, new_routes, predict
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
from qdispatch_domain.compiled.runs import run_end
from qdispatch_domain.fleet import NEVER
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
def problem_of(
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
def plan_days(
    f: Days,
    pair_day: np.ndarray,
    pair_driver: np.ndarray,
    pair_booking: np.ndarray,
    pair_price: np.ndarray,
    how: Search,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Plan every day that has pairs; pairs [P] are ordered by (day, booking) and say which drivers are permitted.

    `pair_price` [P], minutes-equivalent, is added to the cost of using a pair: what a policy knows beyond the plan.

    Returns per booking the planned driver (-1: none, or beyond the horizon), the planned departure and the day's
    objective: [N, B], [N, B], [N].
    """
    days, bookings = f.scheduled.shape
    planned = np.full((days, bookings), -1)
    depart = np.full((days, bookings), NEVER)
    objective = np.zeros(days)
    first = 0
    while first < pair_day.shape[0]:
        n = pair_day[first]
        last = run_end(pair_day, first)
        objective[n] = plan_day(
            f,
            n,
            f.scheduled[n],
            f.first_driver[n],
            pair_driver[first:last],
            pair_booking[first:last],
            pair_price[first:last],
            how,
            planned[n],
            depart[n],
        )
        first = last
    return planned, depart, objective


@kernel
def plan_day(
    f: Days,
    n: int,
    scheduled: np.ndarray,
    named_driver: np.ndarray,
    pair_driver: np.ndarray,
    pair_booking: np.ndarray,
    pair_price: np.ndarray,
    how: Search,
    planned: np.ndarray,
    depart: np.ndarray,
) -> float:
    """Plan day n with bookings wanted at `scheduled` [B], from a plan that gives them to `named_driver` [B] (-1: none).

    Pairs [P'] are those of the day, those of a booking side by side. Writes driver and departure into `planned` [B] and
    `depart` [B] where a booking has a place; returns the objective.
    """
    rows = np.full(f.usable.shape[1], -1)
    drivers = 0
    for d in range(f.usable.shape[1]):
        if f.usable[n, d]:
            rows[d] = drivers
            drivers += 1
    row_driver = np.empty(drivers, np.int64)
    for d in range(rows.shape[0]):
        if rows[d] >= 0:
            row_driver[rows[d]] = d
    # the bookings to plan: soonest due first, within the horizon
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
    soonest = np.argsort(due, kind="mergesort")
    count = min(count, max(int(how.tasks_per_driver * drivers), 8))
    chosen = np.empty(count, np.int64)
    option_from = np.zeros(count + 1, np.int64)
    option_driver = np.empty(pair_booking.shape[0], np.int64)
    option_cost = np.empty(pair_booking.shape[0])
    unserved = np.empty(count)
    first_driver = np.empty(count, np.int64)
    options = 0
    for j in range(count):
        b = listed[soonest[j]]
        chosen[j] = b
        unserved[j] = UNSERVED_URGENT if f.urgent[n, b] else UNSERVED
        first_driver[j] = rows[named_driver[b]] if named_driver[b] >= 0 else -1
        i = start[soonest[j]]
        while i < pair_booking.shape[0] and pair_booking[i] == b:
            option_driver[options] = rows[pair_driver[i]]
            changed = f.current_driver[n, b] >= 0 and f.current_driver[n, b] != pair_driver[i]
            option_cost[options] = (CHANGE if changed else 0.0) + pair_price[i]
            options += 1
            i += 1
        option_from[j + 1] = options
    p, r = problem_of(f, n, scheduled, row_driver, chosen, how)
    first_open = p.task.shape[0] - count
    options = Options(first_open, option_from, option_driver, option_cost, unserved)
    objective = search(p, r, options, np.arange(first_open, first_open + count), first_driver, how)
    for row in range(drivers):
        for i in range(r.length[row]):
            k = r.task[row, i]
            if k >= first_open:
                planned[chosen[k - first_open]] = row_driver[row]
                depart[chosen[k - first_open]] = r.at[row, i, DEPART]
    return objective
