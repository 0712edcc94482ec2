"""Local search over the routes of one day: which driver should take which open booking, and in which order.

Moves take one booking out and put it into another route (relocate), exchange two (swap), or give a place to a booking
that has none (replace), each at its best position; simulated annealing (Kirkpatrick et al. 1983) decides. Routes and
their cost: `planned_routes.py`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from qdispatch_domain.compiled.jit import kernel, loop_kernel, loop_part
from qdispatch_domain.compiled.planned_routes import INFEASIBLE, Routes, best_position, try_route, update_route
from qdispatch_domain.compiled.route_problem import LOAD_BASE, LOAD_STEP, Problem
from qdispatch_domain.weights import WEIGHTS

SPREAD = WEIGHTS.spread
VALUE, TOTAL, SQUARES = 0, 1, 2


class Search(NamedTuple):
    """How to search; every field is part of a policy's identity."""

    moves: int = 400
    horizon_min: float = 150.0  # bookings scheduled later than this are not planned yet
    tasks_per_driver: float = 3.0  # at most so many bookings per usable driver are planned, the soonest due
    travel_sd: float = 0.15  # of the driving minutes; 0: predicted times are believed
    service_sd: float = 0.25  # of the service minutes
    start_temperature: float = 6.0  # minutes-equivalent
    end_temperature: float = 0.3


class Options(NamedTuple):
    """Who may drive the open bookings [O], which are the tasks from `first` on."""

    first: int
    start: np.ndarray  # [O + 1] booking o may be driven by `driver[start[o] : start[o + 1]]`
    driver: np.ndarray
    cost: np.ndarray  # of each of those drivers beyond the route's, minutes-equivalent
    unserved: np.ndarray  # [O] cost of leaving it out


class _State(NamedTuple):
    """What belongs to the routes as they are in a search."""

    load: np.ndarray  # [D] trips per contract share
    extra: np.ndarray  # [O] option cost of the driver chosen
    sums: np.ndarray  # [3] the objective, sum and sum of squares of the loads


@loop_kernel
def _place(p: Problem, r: Routes, s: _State, d: int, k: int, at: int) -> None:
    for i in range(r.length[d], at, -1):
        r.task[d, i] = r.task[d, i - 1]
    r.task[d, at] = k
    r.length[d] += 1
    r.driver[k] = d
    _load(s, d, p.driver[d, LOAD_STEP])
    update_route(p, r, d, at)


@loop_kernel
def _take_out(p: Problem, r: Routes, s: _State, d: int, at: int) -> None:
    r.driver[r.task[d, at]] = -1
    for i in range(at, r.length[d] - 1):
        r.task[d, i] = r.task[d, i + 1]
    r.length[d] -= 1
    _load(s, d, -p.driver[d, LOAD_STEP])
    update_route(p, r, d, at)


@loop_part
def _load(s: _State, d: int, step: float) -> None:
    s.sums[TOTAL] += step
    s.sums[SQUARES] += step * (2.0 * s.load[d] + step)
    s.load[d] += step


@loop_part
def _position_of(r: Routes, d: int, k: int) -> int:
    for i in range(r.length[d]):
        if r.task[d, i] == k:
            return i
    return -1


@loop_part
def _spread(size: float, total: float, squares: float) -> float:
    return SPREAD * math.sqrt(max(size * squares - total * total, 0.0))


@kernel
def search(p: Problem, r: Routes, options: Options, order: np.ndarray, first_driver: np.ndarray, how: Search) -> float:
    """Plan the tasks `order` and improve the plan; `r` holds the COMMITTED trips when called, the best plan afterwards.

    The first plan gives booking o to `first_driver[o]` (-1: to the cheapest driver) if that driver can. Returns the
    objective.
    """
    drivers = r.length.shape[0]
    state = _State(
        np.empty(drivers), np.zeros(options.unserved.shape[0]), np.array([0.0, p.load_total, p.load_squares])
    )
    for d in range(drivers):
        x = p.driver[d, LOAD_BASE] + p.driver[d, LOAD_STEP] * r.length[d]
        state.load[d] = x
        state.sums[TOTAL] += x
        state.sums[SQUARES] += x * x
        state.sums[VALUE] += r.total[d]
    state.sums[VALUE] += _spread(p.load_size, state.sums[TOTAL], state.sums[SQUARES])
    _construct(p, r, options, order, first_driver, state)
    if order.shape[0] > 0 and how.moves > 0:
        _improve(p, r, options, order, state, how, r.task.copy(), r.length.copy())
    return state.sums[VALUE]


@loop_kernel
def _construct(p: Problem, r: Routes, options: Options, order: np.ndarray, first_driver: np.ndarray, s: _State) -> None:
    """Soonest first, each at its cheapest place, that of the driver named for it if there is one."""
    for k in order:
        o = k - options.first
        best, who, where, extra = options.unserved[o], -1, -1, 0.0
        now_spread = _spread(p.load_size, s.sums[TOTAL], s.sums[SQUARES])
        only = first_driver[o]
        for attempt in range(2):
            for j in range(options.start[o], options.start[o + 1]):
                d = options.driver[j]
                if attempt == 0 and only >= 0 and d != only:
                    continue
                step = p.driver[d, LOAD_STEP]
                squares = s.sums[SQUARES] + step * (2.0 * s.load[d] + step)
                more = _spread(p.load_size, s.sums[TOTAL] + step, squares) - now_spread + options.cost[j]
                cost, i = best_position(p, r, d, k, -1, r.total[d] + best - more)
                if i >= 0 and cost - r.total[d] + more < best:
                    best, who, where, extra = cost - r.total[d] + more, d, i, options.cost[j]
            if only < 0 or who >= 0:
                break
        s.sums[VALUE] += best
        if who >= 0:
            s.extra[o] = extra
            _place(p, r, s, who, k, where)


@loop_kernel
def _improve(
    p: Problem,
    r: Routes,
    options: Options,
    order: np.ndarray,
    s: _State,
    how: Search,
    best_task: np.ndarray,
    best_length: np.ndarray,
) -> None:
    """`how.moves` moves, then the best plan met; `best_task` and `best_length` hold a copy of the first one."""
    best_value = s.sums[VALUE]
    state = np.uint64(88172645463325252)
    cooling = (how.end_temperature / how.start_temperature) ** (1.0 / max(how.moves - 1, 1))
    temperature = how.start_temperature
    improved = False
    for _ in range(how.moves):
        state ^= state << np.uint64(13)
        state ^= state >> np.uint64(7)
        state ^= state << np.uint64(17)
        pick = int((state >> np.uint64(11)) % np.uint64(order.shape[0]))
        other = int((state >> np.uint64(33)) % np.uint64(1 << 20))
        uniform = float((state >> np.uint64(20)) & np.uint64(0xFFFFF)) / 1048576.0
        temperature *= cooling
        slack = -temperature * math.log(max(uniform, 1e-9))
        if _move(p, r, options, order[pick], other, s, slack) and s.sums[VALUE] < best_value - 1e-6:
            best_value = s.sums[VALUE]
            _copy(r.task, r.length, best_task, best_length)
            improved = True
    if improved or s.sums[VALUE] > best_value:
        for k in range(options.first, r.driver.shape[0]):
            r.driver[k] = -1
        _copy(best_task, best_length, r.task, r.length)
        for d in range(r.length.shape[0]):
            for i in range(r.length[d]):
                r.driver[r.task[d, i]] = d
            update_route(p, r, d, 0)
    s.sums[VALUE] = best_value


@loop_part
def _copy(task: np.ndarray, length: np.ndarray, to_task: np.ndarray, to_length: np.ndarray) -> None:
    """Routes, entry by entry: a slice may be copied on the way, which takes memory."""
    for d in range(length.shape[0]):
        to_length[d] = length[d]
        for i in range(length[d]):
            to_task[d, i] = task[d, i]


@loop_part
def _move(p: Problem, r: Routes, options: Options, k: int, other: int, s: _State, slack: float) -> bool:
    """Try to give task k to a driver drawn by `other`, at a loss of at most `slack`; whether that was done."""
    o = k - options.first
    j = options.start[o] + other % (options.start[o + 1] - options.start[o])
    to, origin = options.driver[j], r.driver[k]
    if to == origin:
        return _move_within(p, r, k, origin, s, slack)
    without, at = 0.0, -1
    gain = options.unserved[o]
    total, squares = s.sums[TOTAL], s.sums[SQUARES]
    spread = _spread(p.load_size, total, squares)
    if origin >= 0:
        at = _position_of(r, origin, k)
        without = try_route(p, r, origin, -1, -1, at, INFEASIBLE)
        if without >= INFEASIBLE:
            return False
        gain = r.total[origin] - without + s.extra[o]
        step = p.driver[origin, LOAD_STEP]
        total -= step
        squares -= step * (2.0 * s.load[origin] - step)
    step = p.driver[to, LOAD_STEP]
    squares += step * (2.0 * s.load[to] + step)
    more = _spread(p.load_size, total + step, squares) - spread + options.cost[j]
    cost, i = best_position(p, r, to, k, -1, r.total[to] + gain - more + slack)
    delta = cost - r.total[to] + more - gain
    if i >= 0 and delta <= slack:
        s.sums[VALUE] += delta
        if origin >= 0:
            _take_out(p, r, s, origin, at)
        _place(p, r, s, to, k, i)
        s.extra[o] = options.cost[j]
        return True
    # the place is taken: exchange with a booking of that route, or drive k in its stead
    if r.length[to] == 0:
        return False
    spot = (other // 64) % r.length[to]
    if r.task[to, spot] < options.first:
        return False
    if origin < 0:
        return _replace(p, r, options, k, j, spot, s, slack)
    return _swap(p, r, options, k, at, j, spot, s, slack)


@loop_part
def _move_within(p: Problem, r: Routes, k: int, d: int, s: _State, slack: float) -> bool:
    """Another place for task k in its route."""
    at = _position_of(r, d, k)
    cost, i = best_position(p, r, d, k, at, r.total[d] + slack)
    if i < 0 or i == at or cost - r.total[d] > slack:
        return False
    s.sums[VALUE] += cost - r.total[d]
    _take_out(p, r, s, d, at)
    _place(p, r, s, d, k, i if i < at else i - 1)
    return True


@loop_part
def _replace(p: Problem, r: Routes, options: Options, k: int, j: int, spot: int, s: _State, slack: float) -> bool:
    """Task k, which nobody drives, in the stead of position `spot` of the driver of option j."""
    to, o = options.driver[j], k - options.first
    out = r.task[to, spot] - options.first
    extra = options.cost[j] - s.extra[out] + options.unserved[out] - options.unserved[o]
    limit = r.total[to] + slack - extra
    cost, i = best_position(p, r, to, k, spot, limit)
    if i < 0 or cost > limit:
        return False
    s.sums[VALUE] += cost + extra - r.total[to]
    _take_out(p, r, s, to, spot)
    _place(p, r, s, to, k, i if i <= spot else i - 1)
    s.extra[o] = options.cost[j]
    return True


@loop_part
def _swap(p: Problem, r: Routes, options: Options, k: int, at: int, j: int, spot: int, s: _State, slack: float) -> bool:
    """Exchange task k, at position `at` of its route, with position `spot` of the driver of option j."""
    to, origin, o = options.driver[j], r.driver[k], k - options.first
    m = r.task[to, spot]
    out = m - options.first
    back = -1
    for jj in range(options.start[out], options.start[out + 1]):
        if options.driver[jj] == origin:
            back = jj
            break
    if back < 0:
        return False
    extra = options.cost[j] + options.cost[back] - s.extra[o] - s.extra[out]
    limit = r.total[to] + r.total[origin] + slack - extra
    mine, i = best_position(p, r, to, k, spot, limit)
    if i < 0 or mine > limit:
        return False
    theirs, ii = best_position(p, r, origin, m, at, limit - mine)
    if ii < 0 or mine + theirs > limit:
        return False
    s.sums[VALUE] += mine + theirs + extra - r.total[to] - r.total[origin]
    _take_out(p, r, s, to, spot)
    _take_out(p, r, s, origin, at)
    _place(p, r, s, to, k, i if i <= spot else i - 1)
    _place(p, r, s, origin, m, ii if ii <= at else ii - 1)
    s.extra[o], s.extra[out] = options.cost[j], options.cost[back]
    return True
