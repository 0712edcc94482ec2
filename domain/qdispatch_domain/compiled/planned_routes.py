"""Routes of one day and what they cost: timed from the anchor on, with the lateness that noise makes likely.

A route is the driver's COMMITTED trips in their fixed order with open bookings between them. The cost is the day's true
cost (docs/dispatch-rules.md, "Cost C"), with the lateness as expected under the noise of the problem. Hard rules as for
an insertion: latest pickups, shift end, breaks.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from qdispatch_domain.compiled.expected_lateness import expected_excess, variance_after_wait
from qdispatch_domain.compiled.jit import kernel
from qdispatch_domain.compiled.primitives import arrive, free_flow, serve
from qdispatch_domain.fleet import EPS
from qdispatch_domain.weights import WEIGHTS

INFEASIBLE = 1e15
DEADHEAD = WEIGHTS.deadhead_per_min


class Problem(NamedTuple):
    """One day: tasks [T] (COMMITTED trips first, then open bookings) and drivers [D]. Never changes in a search."""

    pickup: np.ndarray  # [T, 4]
    dropoff: np.ndarray  # [T, 4]
    scheduled: np.ndarray
    tolerance: np.ndarray
    pickup_service: np.ndarray
    dropoff_service: np.ndarray
    loaded: np.ndarray
    late_rate: np.ndarray
    latest: np.ndarray  # latest pickup, hard
    extra_variance: np.ndarray  # of loading, driving with the patient and unloading, minutes squared
    trip_cost: np.ndarray  # [D] of every trip: EMERGENCY drivers
    anchor_time: np.ndarray  # [D]
    anchor_place: np.ndarray  # [D, 4]
    has_home: np.ndarray
    worked: np.ndarray  # has driven a trip already, so the drive home is due even without another one
    home: np.ndarray  # [D, 4]
    latest_finish: np.ndarray  # [D]
    break_start: np.ndarray  # [D, K]
    break_end: np.ndarray
    load_step: np.ndarray  # [D] trips per contract share of one more trip; 0 where it does not count
    load_base: np.ndarray  # [D] x without any task of this problem
    load_size: float  # drivers who count, those outside this problem included
    load_total: float  # sum of x over those outside
    load_squares: float  # sum of x^2 over those outside
    seconds: np.ndarray
    travel_sd: float


class Routes(NamedTuple):
    """Routes and what is known along them. `free`, `shift`, `variance`, `cost` [D, R + 1] stand before position i."""

    task: np.ndarray  # [D, R]
    length: np.ndarray  # [D]
    free: np.ndarray  # predicted time at which the driver is free
    shift: np.ndarray  # expected minutes by which that is later
    variance: np.ndarray  # of that time, minutes squared
    cost: np.ndarray  # of the route so far
    depart: np.ndarray  # [D, R]
    total: np.ndarray  # [D] cost of the whole route, drive home included
    driver: np.ndarray  # [T] who drives a task, -1 nobody


@kernel
def new_routes(drivers: int, room: int, tasks: int) -> Routes:
    """Empty routes with room for `room` tasks each."""
    shape = (drivers, room + 1)
    return Routes(
        np.full((drivers, room), -1),
        np.zeros(drivers, np.int64),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros((drivers, room)),
        np.zeros(drivers),
        np.full(tasks, -1),
    )


@kernel
def _serve_task(
    p: Problem, d: int, k: int, place: np.ndarray, free: float, shift: float, variance: float
) -> tuple[float, float, float, float, float, float]:
    """(cost, end, shift, variance, depart, pickup) of driving task k next; cost without the trip's fixed part."""
    matrix = p.seconds.shape[0] > 0
    approach = free_flow(place, p.pickup[k], p.seconds)
    depart, pickup, end, arrival = serve(
        free,
        approach,
        p.scheduled[k],
        p.pickup_service[k],
        p.dropoff_service[k],
        p.loaded[k],
        p.break_start[d],
        p.break_end[d],
        matrix,
    )
    late = pickup - p.scheduled[k]
    if p.travel_sd <= 0.0:
        cost = DEADHEAD * (arrival - depart) + p.late_rate[k] * max(late - p.tolerance[k], 0.0)
        return cost, end, 0.0, 0.0, depart, pickup
    driving = p.travel_sd * approach
    spread = variance + driving * driving
    sd = math.sqrt(spread)
    mean = (late if late > 0.0 else arrival - (depart - free) - p.scheduled[k]) + shift
    expected = expected_excess(mean - p.tolerance[k], sd)
    if depart > free:
        expected = max(expected, expected_excess(arrival - p.scheduled[k] - p.tolerance[k], driving))
    after = expected if p.tolerance[k] == 0.0 else expected_excess(mean, sd)
    cost = DEADHEAD * (arrival - depart) + p.late_rate[k] * expected
    return (
        cost,
        end,
        max(after - max(late, 0.0), 0.0),
        variance_after_wait(mean, spread) + p.extra_variance[k],
        depart,
        pickup,
    )


@kernel
def _go_home(p: Problem, d: int, place: np.ndarray, free: float) -> tuple[float, float]:
    """(cost, finish) of ending the route here."""
    if not p.has_home[d]:
        return 0.0, free
    finish = arrive(free, free_flow(place, p.home[d], p.seconds), p.seconds.shape[0] > 0)
    return DEADHEAD * (finish - free), finish


@kernel
def update_route(p: Problem, r: Routes, d: int, start: int) -> None:
    """Time route d anew from position `start` on."""
    n = r.length[d]
    if start == 0:
        r.free[d, 0], r.shift[d, 0], r.variance[d, 0], r.cost[d, 0] = p.anchor_time[d], 0.0, 0.0, 0.0
    for i in range(start, n):
        k = r.task[d, i]
        place = p.anchor_place[d] if i == 0 else p.dropoff[r.task[d, i - 1]]
        cost, end, shift, variance, depart, _ = _serve_task(
            p, d, k, place, r.free[d, i], r.shift[d, i], r.variance[d, i]
        )
        r.depart[d, i] = depart
        r.free[d, i + 1], r.shift[d, i + 1], r.variance[d, i + 1] = end, shift, variance
        r.cost[d, i + 1] = r.cost[d, i] + cost + p.trip_cost[d]
    place = p.anchor_place[d] if n == 0 else p.dropoff[r.task[d, n - 1]]
    home, _ = _go_home(p, d, place, r.free[d, n])
    r.total[d] = r.cost[d, n] + (home if n > 0 or p.worked[d] else 0.0)


@kernel
def predict(p: Problem, r: Routes, d: int) -> float:
    """Time route d, raise `latest` to the predicted pickups where they are later already, and return its finish."""
    update_route(p, r, d, 0)
    place, n = p.anchor_place[d], r.length[d]
    for i in range(n):
        k = r.task[d, i]
        _, _, _, _, _, pickup = _serve_task(p, d, k, place, r.free[d, i], r.shift[d, i], r.variance[d, i])
        p.latest[k] = max(p.latest[k], pickup)
        place = p.dropoff[k]
    return _go_home(p, d, place, r.free[d, n])[1]


@kernel
def try_route(p: Problem, r: Routes, d: int, insert: int, at: int, remove: int, bound: float) -> float:
    """Cost of route d with task `insert` before position `at` (-1: none) and without position `remove` (-1: none).

    `at` counts positions of the route as it is. INFEASIBLE when a hard rule breaks; a number above `bound` as soon as
    the cost so far is above it.
    """
    n = r.length[d]
    first = at if remove < 0 else (remove if at < 0 else min(at, remove))
    cost, free, shift, variance = r.cost[d, first], r.free[d, first], r.shift[d, first], r.variance[d, first]
    place = p.anchor_place[d] if first == 0 else p.dropoff[r.task[d, first - 1]]
    trips = n
    i = first
    pending = at >= 0
    while i < n or pending:
        if pending and i == at:
            k = insert
            pending = False
            trips += 1
        elif i == remove:
            i += 1
            trips -= 1
            continue
        else:
            # as before from here on: nothing is left to change and the driver is free as before
            if (
                not pending
                and i > remove
                and i > first
                and abs(free - r.free[d, i]) < 1e-9
                and abs(shift - r.shift[d, i]) < 1e-6
                and abs(variance - r.variance[d, i]) < 1e-6
                and _same_place(place, p.dropoff[r.task[d, i - 1]])
            ):
                return cost + r.total[d] - r.cost[d, i]
            k = r.task[d, i]
            i += 1
        step, end, shift, variance, _, pickup = _serve_task(p, d, k, place, free, shift, variance)
        if pickup > p.latest[k] + EPS:
            return INFEASIBLE
        cost += step + p.trip_cost[d]
        if cost > bound:
            return cost
        free = end
        place = p.dropoff[k]
    home, finish = _go_home(p, d, place, free)
    if finish > p.latest_finish[d] + EPS:
        return INFEASIBLE
    return cost + (home if trips > 0 or p.worked[d] else 0.0)


@kernel
def _same_place(a: np.ndarray, b: np.ndarray) -> bool:
    return a[0] == b[0] and a[1] == b[1] and a[2] == b[2] and a[3] == b[3]


@kernel
def best_position(p: Problem, r: Routes, d: int, k: int, remove: int, bound: float) -> tuple[float, int]:
    """(cost of the route, position) of the cheapest feasible place for task k in route d, without position `remove`."""
    best, where = INFEASIBLE, -1
    if r.length[d] + 1 > r.task.shape[1]:
        return best, where
    done = p.scheduled[k] + p.pickup_service[k] + p.loaded[k] + p.dropoff_service[k]  # at the soonest
    for i in range(r.length[d] + 1):
        # bounds without driving times: k is late when the driver is free late, the trip behind when k is done late
        late = r.free[d, i] - p.scheduled[k] - p.tolerance[k]
        if remove < 0 and late > 0.0 and r.total[d] + p.late_rate[k] * late > min(bound, best):
            break
        if i < r.length[d] and i != remove:
            behind = r.task[d, i]
            if done > p.latest[behind] + EPS:
                continue
            late = done - p.scheduled[behind] - p.tolerance[behind]
            if remove < 0 and late > 0.0:
                before = r.total[d] - (r.cost[d, i + 1] - r.cost[d, i])
                if before + p.late_rate[behind] * late > min(bound, best):
                    continue
        if remove >= 0 and i == remove + 1:
            continue  # the same route as with i == remove
        cost = try_route(p, r, d, k, i, remove, min(bound, best))
        if cost < best:
            best, where = cost, i
    return best, where
