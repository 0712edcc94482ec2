"""Editing routes: random numbers, places in the order of time, and the cheapest place for a booking, compiled.

Since pickups happen near their scheduled time, a booking is tried only near its place in the order of time.
"""

from __future__ import annotations

import numpy as np

from qdispatch_domain.compiled.jit import loop_kernel, loop_part
from qdispatch_domain.fleet import EPS
from qdispatch_trainer.hindsight.routes import (
    DROPOFF_SERVICE,
    INFEASIBLE,
    LATE_RATE,
    LATEST,
    LOAD_STEP,
    LOADED,
    PICKUP_SERVICE,
    PLAN,
    SCHEDULED,
    TOLERANCE,
    TRIP_COST,
    UNSERVED,
    Problem,
    Routes,
    price,
    spread_cost,
    time_route,
)

OFF_CENTRE = 0.7  # chance to overlook a place beside the one in the order of time
BLINK = 0.02  # chance to overlook a place while putting back


@loop_part
def uniform(state: np.ndarray) -> float:
    """The next number in [0, 1) of xorshift64* (Vigna 2016); `state` [1] uint64, not 0."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) / 9007199254740992.0


@loop_part
def below(state: np.ndarray, n: int) -> int:
    """A whole number in [0, n)."""
    return int(uniform(state) * n)


@loop_part
def position(r: Routes, d: int, k: int) -> int:
    """Where booking k stands in route d, -1 if it does not."""
    for i in range(r.length[d]):
        if r.task[d, i] == k:
            return i
    return -1


@loop_part
def place_in_time(p: Problem, r: Routes, d: int, scheduled: float) -> int:
    """Number of trips of route d that are scheduled before `scheduled`."""
    i = r.length[d]
    while i > 0 and p.booking[r.task[d, i - 1], SCHEDULED] > scheduled:
        i -= 1
    return i


@loop_part
def jitter(state: np.ndarray) -> int:
    """0, or one place earlier or later in a tenth of the cases each."""
    u = uniform(state)
    return -1 if u < 0.1 else (1 if u > 0.9 else 0)


@loop_part
def adopt(p: Problem, r: Routes, d: int, trips: np.ndarray, n: int, first: int) -> None:
    """Make `trips[:n]` route d; the first `first` stay."""
    for i in range(first, n):
        r.task[d, i] = trips[i]
        r.driver[trips[i]] = d
    r.length[d] = n
    time_route(p, r, d, first)


@loop_part
def loads(p: Problem, r: Routes) -> tuple[float, float]:
    """Sums of the drivers' loads and of their squares."""
    total, squares = 0.0, 0.0
    for d in range(r.length.shape[0]):
        x = p.driver[d, LOAD_STEP] * r.length[d]
        total += x
        squares += x * x
    return total, squares


@loop_part
def load_change(p: Problem, r: Routes, d: int, n: int, sums: tuple[float, float]) -> tuple[float, float]:
    """Sums of the loads and of their squares if route d had n trips."""
    before, after = p.driver[d, LOAD_STEP] * r.length[d], p.driver[d, LOAD_STEP] * n
    return sums[0] + after - before, sums[1] + after * after - before * before


@loop_part
def without_position(r: Routes, d: int, at: int, out: np.ndarray) -> int:
    """Route d without position `at` (-1: whole) in `out`; its length."""
    n = 0
    for i in range(r.length[d]):
        if i != at:
            out[n] = r.task[d, i]
            n += 1
    return n


@loop_part
def with_booking(r: Routes, d: int, k: int, at: int, out: np.ndarray) -> int:
    """Route d with booking k before position `at` in `out`; its length."""
    for i in range(at):
        out[i] = r.task[d, i]
    out[at] = k
    for i in range(at, r.length[d]):
        out[i + 1] = r.task[d, i]
    return r.length[d] + 1


@loop_part
def _insertion_bound(p: Problem, r: Routes, d: int, k: int, at: int) -> float:
    """What booking k before position `at` of route d costs at least, without `trip_cost`; INFEASIBLE if it cannot be.

    Driving takes at least its free-flow minutes. What a delay saves further down (by leaving a rush hour) is neglected.
    """
    booking, approach, task = p.booking, p.approach, r.task
    origin = booking.shape[0] + d if at == 0 else task[d, at - 1]
    there = approach[PLAN, origin, k]
    scheduled = booking[k, SCHEDULED]
    pickup = r.free[d, at] + there
    impossible = pickup > booking[k, LATEST] + EPS
    bound = p.deadhead * there + booking[k, LATE_RATE] * max(pickup - scheduled - booking[k, TOLERANCE], 0.0)
    if at < r.length[d]:
        behind = task[d, at]
        onward = approach[PLAN, k, behind]
        service = booking[k, PICKUP_SERVICE] + booking[k, LOADED] + booking[k, DROPOFF_SERVICE]
        arrival = max(pickup, scheduled) + service + onward
        impossible |= arrival > booking[behind, LATEST] + EPS
        late = max(arrival - booking[behind, SCHEDULED] - booking[behind, TOLERANCE], 0.0)
        bound += p.deadhead * onward + booking[behind, LATE_RATE] * late
        bound -= r.cost[d, at + 1] - r.cost[d, at] - p.driver[d, TRIP_COST]
    return INFEASIBLE if impossible else bound


@loop_kernel
def insert_cheapest(
    p: Problem, r: Routes, k: int, sums: tuple[float, float], state: np.ndarray, out: np.ndarray
) -> bool:
    """Put booking k at its cheapest place, spread included; False if leaving it out is cheaper or the only way."""
    best, who, where = p.booking[k, UNSERVED], -1, -1
    now = spread_cost(p, sums[0], sums[1])
    for d in range(r.length.shape[0]):
        if not p.permitted[k, d] or r.length[d] + 1 > r.task.shape[1]:
            continue
        new = load_change(p, r, d, r.length[d] + 1, sums)
        more = spread_cost(p, new[0], new[1]) - now + p.driver[d, TRIP_COST]
        middle = place_in_time(p, r, d, p.booking[k, SCHEDULED])
        for at in range(max(middle - 1, 0), min(middle + 1, r.length[d]) + 1):
            if at != middle and uniform(state) < OFF_CENTRE:
                continue
            if more + _insertion_bound(p, r, d, k, at) >= best or uniform(state) < BLINK:
                continue
            n = with_booking(r, d, k, at, out)
            cost = price(p, r, d, at, out, n, at + 1, at) - r.total[d] + more - p.driver[d, TRIP_COST]
            if cost < best:
                best, who, where = cost, d, at
    if who < 0:
        return False
    n = with_booking(r, who, k, where, out)
    adopt(p, r, who, out, n, where)
    return True
