"""Routes of one known day: how a trip is timed and what a route costs, compiled.

Two clocks stand side by side. The PLAN says when a driver leaves and whether a hard rule is kept, REAL what then
happens. Where both are the same, the driver knows the day's own travel and service times; where the plan holds the
predicted ones, drivers leave as in the simulator, and the route costs exactly what the simulator makes of it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from qdispatch_domain.compiled.jit import loop_kernel, loop_part
from qdispatch_domain.compiled.primitives import arrive, serve
from qdispatch_domain.fleet import EPS

INFEASIBLE = 1e15
PLAN, REAL = 0, 1  # the clocks
# columns of `Problem.booking`
SCHEDULED, TOLERANCE, LATE_RATE, LATEST, UNSERVED = 0, 1, 2, 3, 4
PICKUP_SERVICE, LOADED, DROPOFF_SERVICE = 5, 7, 9  # each followed by its REAL value
BOOKING_COLUMNS = 11
# columns of `Problem.driver`
START, SHIFT_END, TRIP_COST, LOAD_STEP = 0, 1, 2, 3
DRIVER_COLUMNS = 4


class Problem(NamedTuple):
    """One day of M bookings and D drivers, minutes. Few wide arrays: compiled calls hand every array over anew.

    Columns: scheduled, tolerance, cost per minute beyond it, latest pickup (hard), cost of leaving the booking out,
    then service at the pickup, driving with the patient and service at the dropoff, each by both clocks; of drivers:
    the start of the shift, its end, the cost of a trip (EMERGENCY), trips per contract share of one trip (0: none).
    """

    booking: np.ndarray  # [M, BOOKING_COLUMNS]
    driver: np.ndarray  # [D, DRIVER_COLUMNS]
    breaks: np.ndarray  # [2, D, K] start and end
    permitted: np.ndarray  # [M, D] by vehicle
    approach: np.ndarray  # [2, M + D, M] from a dropoff or a driver's start to a pickup, by both clocks
    home: np.ndarray  # [2, M, D] from a dropoff to the driver's end location, 0 without one
    spread: float  # cost per unit of S
    load_size: float  # drivers who count
    deadhead: float  # cost per minute
    known: bool  # both clocks are the same
    constant_speed: bool  # the speed does not depend on the hour


class Routes(NamedTuple):
    """Routes and what is known along them; entries [d, i] of `free` and `cost` stand before trip i."""

    task: np.ndarray  # [D, R] bookings in driving order
    length: np.ndarray  # [D]
    free: np.ndarray  # [D, R + 1] when the driver is free
    cost: np.ndarray  # [D, R + 1] of the route so far
    total: np.ndarray  # [D] of the whole route, drive home included
    driver: np.ndarray  # [M] who drives a booking, -1 nobody


def new_routes(problem: Problem, room: int) -> Routes:
    """Empty routes with room for `room` trips each."""
    bookings, drivers = problem.permitted.shape
    return Routes(
        np.full((drivers, room), -1),
        np.zeros(drivers, np.int64),
        np.zeros((drivers, room + 1)),
        np.zeros((drivers, room + 1)),
        np.zeros(drivers),
        np.full(bookings, -1),
    )


@loop_part
def drive(p: Problem, d: int, k: int, origin: int, free: float) -> tuple[float, float, float, float]:
    """(cost, end, planned pickup, planned end) of driving booking k next from row `origin` of the approach matrices."""
    scheduled = p.booking[k, SCHEDULED]
    depart, pickup, end, arrival = serve(
        free,
        p.approach[PLAN, origin, k],
        scheduled,
        p.booking[k, PICKUP_SERVICE],
        p.booking[k, DROPOFF_SERVICE],
        p.booking[k, LOADED],
        p.breaks[0, d],
        p.breaks[1, d],
        p.constant_speed,
    )
    planned_pickup, planned_end = pickup, end
    if not p.known:
        arrival = arrive(depart, p.approach[REAL, origin, k], p.constant_speed)
        pickup = max(arrival, scheduled)
        left = pickup + p.booking[k, PICKUP_SERVICE + REAL]
        end = arrive(left, p.booking[k, LOADED + REAL], p.constant_speed) + p.booking[k, DROPOFF_SERVICE + REAL]
    late = pickup - scheduled - p.booking[k, TOLERANCE]
    cost = p.deadhead * (arrival - depart) + p.driver[d, TRIP_COST]
    if late > 0.0:
        cost += p.booking[k, LATE_RATE] * late
    return cost, end, planned_pickup, planned_end


@loop_part
def time_route(p: Problem, r: Routes, d: int, first: int) -> None:
    """Time and price route d anew from position `first` on."""
    n = r.length[d]
    if first == 0:
        r.free[d, 0], r.cost[d, 0] = p.driver[d, START], 0.0
    origin = p.booking.shape[0] + d if first == 0 else r.task[d, first - 1]
    for i in range(first, n):
        k = r.task[d, i]
        cost, end, _, _ = drive(p, d, k, origin, r.free[d, i])
        r.free[d, i + 1], r.cost[d, i + 1] = end, r.cost[d, i] + cost
        origin = k
    home = 0.0
    if n > 0:
        home = p.deadhead * (arrive(r.free[d, n], p.home[REAL, origin, d], p.constant_speed) - r.free[d, n])
    r.total[d] = r.cost[d, n] + home


@loop_part
def price(p: Problem, r: Routes, d: int, first: int, trips: np.ndarray, n: int, same_from: int, same_as: int) -> float:
    """Cost of route d as `trips[:n]`, whose first `first` trips are the route's own; INFEASIBLE if a rule breaks.

    From index `same_from` on, `trips` are the route's positions from `same_as` on, so that timing may stop as soon as
    the driver is free at the same time as before (`same_from` > n: never).
    """
    own_free, own_cost, booking, permitted, home = r.free, r.cost, p.booking, p.permitted, p.home
    if first == n and n > 0:
        first -= 1  # only the tail went: the trip that is now the last one is timed again
    cost, free = own_cost[d, first], own_free[d, first]
    planned_end = free
    origin = booking.shape[0] + d if first == 0 else r.task[d, first - 1]
    done = n == 0
    i = first
    while i < n and not done:
        old = same_as + i - same_from
        if i > same_from and abs(free - own_free[d, old]) < 1e-10:
            cost += r.total[d] - own_cost[d, old]
            done = True
        else:
            k = trips[i]
            step, free, planned_pickup, planned_end = drive(p, d, k, origin, free)
            cost += step
            origin = k
            if planned_pickup > booking[k, LATEST] + EPS or not permitted[k, d]:
                cost = INFEASIBLE
                done = True
        i += 1
    if not done:
        if arrive(planned_end, home[PLAN, origin, d], p.constant_speed) > p.driver[d, SHIFT_END] + EPS:
            cost = INFEASIBLE
        else:
            cost += p.deadhead * (arrive(free, home[REAL, origin, d], p.constant_speed) - free)
    return cost


@loop_part
def spread_cost(p: Problem, total: float, squares: float) -> float:
    """Cost of S of loads that sum to `total`, their squares to `squares`."""
    return p.spread * math.sqrt(max(p.load_size * squares - total * total, 0.0))


@loop_kernel
def objective(p: Problem, r: Routes) -> float:
    """Cost of the day: all routes, the spread and what is left out."""
    cost, total, squares = 0.0, 0.0, 0.0
    for d in range(r.length.shape[0]):
        cost += r.total[d]
        x = p.driver[d, LOAD_STEP] * r.length[d]
        total += x
        squares += x * x
    for k in range(r.driver.shape[0]):
        if r.driver[k] < 0:
            cost += p.booking[k, UNSERVED]
    return cost + spread_cost(p, total, squares)
