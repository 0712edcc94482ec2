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
from qdispatch_domain.compiled.jit import kernel, loop_kernel, loop_part
from qdispatch_domain.compiled.primitives import arrive, serve
from qdispatch_domain.compiled.route_problem import (
    ANCHOR_TIME,
    DROPOFF_SERVICE,
    EXTRA_VARIANCE,
    HAS_HOME,
    LATE_RATE,
    LATEST,
    LATEST_FINISH,
    LOADED,
    PICKUP_SERVICE,
    SCHEDULED,
    TOLERANCE,
    TRIP_COST,
    WORKED,
    Problem,
    between,
)
from qdispatch_domain.fleet import EPS
from qdispatch_domain.weights import WEIGHTS

INFEASIBLE = 1e15
DEADHEAD = WEIGHTS.deadhead_per_min

# columns of `at`: what is known before position i
FREE = 0  # predicted time at which the driver is free
SHIFT = 1  # expected minutes by which that is later
VARIANCE = 2  # of that time, minutes squared
COST = 3  # of the route so far
DEPART = 4  # predicted departure to the task of position i
AT_COLUMNS = 5


class Routes(NamedTuple):
    """Routes and what is known along them."""

    task: np.ndarray  # [D, R]
    length: np.ndarray  # [D]
    at: np.ndarray  # [D, R + 1, AT_COLUMNS]
    total: np.ndarray  # [D] cost of the whole route, drive home included
    driver: np.ndarray  # [T] who drives a task, -1 nobody


@kernel
def new_routes(drivers: int, room: int, tasks: int) -> Routes:
    """Empty routes with room for `room` tasks each."""
    return Routes(
        np.full((drivers, room), -1),
        np.zeros(drivers, np.int64),
        np.zeros((drivers, room + 1, AT_COLUMNS)),
        np.zeros(drivers),
        np.full(tasks, -1),
    )


@kernel
def copy_routes(source: Routes, target: Routes) -> None:
    """Make `target`, of the same shape, equal to `source`."""
    target.task[:], target.length[:], target.at[:] = source.task, source.length, source.at
    target.total[:], target.driver[:] = source.total, source.driver


@loop_part
def _drive(p: Problem, d: int, k: int, approach: float, free: float) -> tuple[float, float, float, float]:
    """(depart, pickup, end, arrival) of driving task k next, `approach` minutes away."""
    return serve(
        free,
        approach,
        p.task[k, SCHEDULED],
        p.task[k, PICKUP_SERVICE],
        p.task[k, DROPOFF_SERVICE],
        p.task[k, LOADED],
        p.breaks[0, d],
        p.breaks[1, d],
        p.seconds.shape[0] > 0,
    )


@loop_part
def _lateness(
    p: Problem,
    k: int,
    approach: float,
    waited: float,
    pickup: float,
    arrival: float,
    shift: float,
    variance: float,
) -> tuple[float, float, float]:
    """(expected minutes, shift, variance) of task k, driven to after waiting for `waited` minutes."""
    scheduled, tolerance = p.task[k, SCHEDULED], p.task[k, TOLERANCE]
    late = pickup - scheduled
    if p.travel_sd <= 0.0:
        return max(late - tolerance, 0.0), 0.0, 0.0
    driving = p.travel_sd * approach
    spread = variance + driving * driving
    sd = math.sqrt(spread)
    mean = (late if late > 0.0 else arrival - waited - scheduled) + shift
    expected = expected_excess(mean - tolerance, sd)
    if waited > 0.0:
        expected = max(expected, expected_excess(arrival - scheduled - tolerance, driving))
    after = expected if tolerance == 0.0 else expected_excess(mean, sd)
    left = variance_after_wait(mean, spread) + p.task[k, EXTRA_VARIANCE]
    return expected, max(after - max(late, 0.0), 0.0), left


@loop_part
def _serve_task(
    p: Problem, d: int, k: int, origin: int, free: float, shift: float, variance: float
) -> tuple[float, float, float, float, float, float]:
    """(cost, end, shift, variance, depart, pickup) of driving task k next; cost without the trip's fixed part."""
    approach = between(p, origin, k)
    depart, pickup, end, arrival = _drive(p, d, k, approach, free)
    expected, shift, variance = _lateness(p, k, approach, depart - free, pickup, arrival, shift, variance)
    cost = DEADHEAD * (arrival - depart) + p.task[k, LATE_RATE] * expected
    return cost, end, shift, variance, depart, pickup


@loop_part
def _go_home(p: Problem, d: int, origin: int, free: float) -> tuple[float, float]:
    """(cost, finish) of ending the route here."""
    finish = free
    if p.driver[d, HAS_HOME] > 0.0:
        finish = arrive(free, between(p, origin, p.task.shape[0] + d), p.seconds.shape[0] > 0)
    return DEADHEAD * (finish - free), finish


@loop_part
def _origin(p: Problem, r: Routes, d: int, i: int) -> int:
    """Where driver d is before position i."""
    return p.task.shape[0] + d if i == 0 else r.task[d, i - 1]


@loop_kernel
def update_route(p: Problem, r: Routes, d: int, start: int) -> None:
    """Time route d anew from position `start` on."""
    n, at = r.length[d], r.at
    if start == 0:
        at[d, 0, FREE], at[d, 0, SHIFT] = p.driver[d, ANCHOR_TIME], 0.0
        at[d, 0, VARIANCE], at[d, 0, COST] = 0.0, 0.0
    origin = _origin(p, r, d, start)
    for i in range(start, n):
        k = r.task[d, i]
        cost, end, shift, variance, depart, _ = _serve_task(
            p, d, k, origin, at[d, i, FREE], at[d, i, SHIFT], at[d, i, VARIANCE]
        )
        at[d, i, DEPART] = depart
        at[d, i + 1, FREE], at[d, i + 1, SHIFT], at[d, i + 1, VARIANCE] = end, shift, variance
        at[d, i + 1, COST] = at[d, i, COST] + cost + p.driver[d, TRIP_COST]
        origin = k
    home, _ = _go_home(p, d, origin, at[d, n, FREE])
    r.total[d] = at[d, n, COST] + (home if n > 0 or p.driver[d, WORKED] > 0.0 else 0.0)


@loop_kernel
def predict(p: Problem, r: Routes, d: int) -> float:
    """Time route d, raise LATEST to the predicted pickups where they are later already, and return its finish."""
    update_route(p, r, d, 0)
    n, at = r.length[d], r.at
    for i in range(n):
        k = r.task[d, i]
        _, _, _, _, _, pickup = _serve_task(
            p, d, k, _origin(p, r, d, i), at[d, i, FREE], at[d, i, SHIFT], at[d, i, VARIANCE]
        )
        p.task[k, LATEST] = max(p.task[k, LATEST], pickup)
    return _go_home(p, d, _origin(p, r, d, n), at[d, n, FREE])[1]


@loop_part
def try_route(p: Problem, r: Routes, d: int, insert: int, position: int, remove: int, bound: float) -> float:
    """Cost of route d with task `insert` before `position` (-1: none) and without position `remove` (-1: none).

    Positions are those of the route as it is. INFEASIBLE when a hard rule breaks; a number above `bound` as soon as
    the cost so far is above it.
    """
    n, at, task = r.length[d], r.at, r.task
    first = position if remove < 0 else (remove if position < 0 else min(position, remove))
    cost, free, shift, variance = at[d, first, COST], at[d, first, FREE], at[d, first, SHIFT], at[d, first, VARIANCE]
    origin = _origin(p, r, d, first)
    trips = n
    i = first
    pending, done = position >= 0, False
    while not done and (i < n or pending):
        if not pending and i > first and i > remove and _as_before(r, d, i, origin, free, shift, variance):
            cost += r.total[d] - at[d, i, COST]
            done = True
        elif i == remove and not (pending and i == position):
            i += 1
            trips -= 1
        else:
            if pending and i == position:
                k = insert
                pending = False
                trips += 1
            else:
                k = task[d, i]
                i += 1
            approach = between(p, origin, k)
            depart, pickup, end, arrival = _drive(p, d, k, approach, free)
            fixed, rate = DEADHEAD * (arrival - depart), p.task[k, LATE_RATE]
            # what is expected is no less than what is predicted, and takes longer to compute
            least = rate * max(pickup - p.task[k, SCHEDULED] - p.task[k, TOLERANCE], 0.0)
            if pickup > p.task[k, LATEST] + EPS:
                cost = INFEASIBLE
            elif cost + fixed + least + p.driver[d, TRIP_COST] > bound + 1e-9:
                cost += fixed + least + p.driver[d, TRIP_COST]
            else:
                late, shift, variance = _lateness(p, k, approach, depart - free, pickup, arrival, shift, variance)
                cost += fixed + rate * late + p.driver[d, TRIP_COST]
            origin, free = k, end
            done = cost > bound or cost >= INFEASIBLE
    if not done:
        home, finish = _go_home(p, d, origin, free)
        if finish > p.driver[d, LATEST_FINISH] + EPS:
            cost = INFEASIBLE
        elif trips > 0 or p.driver[d, WORKED] > 0.0:
            cost += home
    return cost


@loop_part
def _as_before(r: Routes, d: int, i: int, origin: int, free: float, shift: float, variance: float) -> bool:
    """Whether route d goes on from here exactly as it does before its position i > 0."""
    return (
        r.task[d, i - 1] == origin
        and abs(free - r.at[d, i, FREE]) < 1e-9
        and abs(shift - r.at[d, i, SHIFT]) < 1e-6
        and abs(variance - r.at[d, i, VARIANCE]) < 1e-6
    )


@loop_kernel
def best_position(p: Problem, r: Routes, d: int, k: int, remove: int, bound: float) -> tuple[float, int]:
    """(cost of the route, position) of the cheapest feasible place for task k in route d, without position `remove`."""
    best, where = INFEASIBLE, -1
    n, at, total = r.length[d], r.at, r.total[d]
    if n + 1 > r.task.shape[1]:
        return best, where
    scheduled, tolerance, rate = p.task[k, SCHEDULED], p.task[k, TOLERANCE], p.task[k, LATE_RATE]
    # at the soonest
    done = scheduled + p.task[k, PICKUP_SERVICE] + p.task[k, LOADED] + p.task[k, DROPOFF_SERVICE]
    for i in range(n + 1):
        # bounds without driving times: k is late when the driver is free late, the trip behind when k is done late
        late = at[d, i, FREE] - scheduled - tolerance
        if remove < 0 and late > 0.0 and total + rate * late > min(bound, best):
            break
        if i < n and i != remove:
            behind = r.task[d, i]
            if done > p.task[behind, LATEST] + EPS:
                continue
            late = done - p.task[behind, SCHEDULED] - p.task[behind, TOLERANCE]
            if remove < 0 and late > 0.0:
                before = total - (at[d, i + 1, COST] - at[d, i, COST])
                if before + p.task[behind, LATE_RATE] * late > min(bound, best):
                    continue
        if remove >= 0 and i == remove + 1:
            continue  # the same route as with i == remove
        cost = try_route(p, r, d, k, i, remove, min(bound, best))
        if cost < best:
            best, where = cost, i
    return best, where
