"""Local search over the routes of one day: which driver should take which open booking, and in which order.

Moves take one booking out and put it into another route (relocate), exchange two (swap), or give a place to a booking
that has none (replace), each at its best position; simulated annealing (Kirkpatrick et al. 1983) decides. Routes and
their cost: `planned_routes.py`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from qdispatch_domain.compiled.jit import kernel
from qdispatch_domain.compiled.planned_routes import INFEASIBLE, Problem, Routes, best_position, try_route, update_route
from qdispatch_domain.weights import WEIGHTS

SPREAD = WEIGHTS.spread


class Search(NamedTuple):
    """How to search; every field is part of a policy's identity."""

    moves: int = 400
    horizon_min: float = 150.0  # bookings scheduled later than this are not planned yet
    tasks_per_driver: float = 3.0  # at most so many bookings per usable driver are planned, the soonest due
    travel_sd: float = 0.15  # of the driving minutes; 0: predicted times are believed
    service_sd: float = 0.25  # of the service minutes
    start_temperature: float = 6.0  # minutes-equivalent
    end_temperature: float = 0.3


@kernel
def _place(p: Problem, r: Routes, d: int, k: int, at: int) -> None:
    for i in range(r.length[d], at, -1):
        r.task[d, i] = r.task[d, i - 1]
    r.task[d, at] = k
    r.length[d] += 1
    r.driver[k] = d
    update_route(p, r, d, at)


@kernel
def _take_out(p: Problem, r: Routes, d: int, at: int) -> None:
    r.driver[r.task[d, at]] = -1
    for i in range(at, r.length[d] - 1):
        r.task[d, i] = r.task[d, i + 1]
    r.length[d] -= 1
    update_route(p, r, d, at)


@kernel
def _position_of(r: Routes, d: int, k: int) -> int:
    for i in range(r.length[d]):
        if r.task[d, i] == k:
            return i
    return -1


@kernel
def _spread(size: float, total: float, squares: float) -> float:
    return SPREAD * math.sqrt(max(size * squares - total * total, 0.0))


@kernel
def search(
    p: Problem,
    r: Routes,
    first_open: int,
    order: np.ndarray,
    option_from: np.ndarray,
    option_driver: np.ndarray,
    option_cost: np.ndarray,
    unserved: np.ndarray,
    first_driver: np.ndarray,
    moves: int,
    start_temperature: float,
    end_temperature: float,
) -> float:
    """Plan the tasks `order` (indices from `first_open` on) and improve; `r` holds the COMMITTED trips when called.

    With o = k - first_open, task k may be driven by `option_driver[option_from[o] : option_from[o + 1]]`, each at its
    `option_cost`; left out, it costs `unserved[o]`. The first plan gives it to `first_driver[o]` (-1: to the cheapest)
    if that driver can. Returns the objective; `r` holds the best plan found.
    """
    drivers = r.length.shape[0]
    load = np.empty(drivers)
    total, squares = p.load_total, p.load_squares
    for d in range(drivers):
        load[d] = p.load_base[d] + p.load_step[d] * r.length[d]
        total += load[d]
        squares += load[d] * load[d]
    fixed = np.zeros(p.scheduled.shape[0])  # option cost of the driver chosen
    value = _spread(p.load_size, total, squares)
    for d in range(drivers):
        value += r.total[d]
    # construction: soonest first, each at its cheapest place, that of the driver named for it if there is one
    for k in order:
        o = k - first_open
        best, who, where, extra = unserved[o], -1, -1, 0.0
        now_spread = _spread(p.load_size, total, squares)
        only = first_driver[o]
        for attempt in range(2):
            for j in range(option_from[o], option_from[o + 1]):
                d = option_driver[j]
                if attempt == 0 and only >= 0 and d != only:
                    continue
                step = p.load_step[d]
                growth = _spread(p.load_size, total + step, squares + step * (2.0 * load[d] + step)) - now_spread
                more = growth + option_cost[j]
                cost, i = best_position(p, r, d, k, -1, r.total[d] + best - more)
                if i >= 0 and cost - r.total[d] + more < best:
                    best, who, where, extra = cost - r.total[d] + more, d, i, option_cost[j]
            if only < 0 or who >= 0:
                break
        value += best
        if who >= 0:
            step = p.load_step[who]
            total += step
            squares += step * (2.0 * load[who] + step)
            load[who] += step
            fixed[k] = extra
            _place(p, r, who, k, where)
    if order.shape[0] == 0 or moves == 0:
        return value
    best_value = value
    best_task, best_length = r.task.copy(), r.length.copy()
    state = np.uint64(88172645463325252)
    cooling = (end_temperature / start_temperature) ** (1.0 / max(moves - 1, 1))
    temperature = start_temperature
    improved = False
    for _ in range(moves):
        state ^= state << np.uint64(13)
        state ^= state >> np.uint64(7)
        state ^= state << np.uint64(17)
        pick = int((state >> np.uint64(11)) % np.uint64(order.shape[0]))
        other = int((state >> np.uint64(33)) % np.uint64(1 << 20))
        uniform = float((state >> np.uint64(20)) & np.uint64(0xFFFFF)) / 1048576.0
        temperature *= cooling
        k = order[pick]
        o = k - first_open
        choices = option_from[o + 1] - option_from[o]
        j = option_from[o] + other % choices
        to, origin = option_driver[j], r.driver[k]
        slack = -temperature * math.log(max(uniform, 1e-9))
        now_spread = _spread(p.load_size, total, squares)
        if to == origin:
            # another place in the same route, or leave it out
            at = _position_of(r, origin, k)
            cost, i = best_position(p, r, origin, k, at, r.total[origin] + slack)
            if i < 0 or i == at or cost - r.total[origin] > slack:
                continue
            value += cost - r.total[origin]
            _take_out(p, r, origin, at)
            _place(p, r, origin, k, i if i < at else i - 1)
        else:
            without, at = 0.0, -1
            gain = unserved[o]
            new_total, new_squares = total, squares
            if origin >= 0:
                at = _position_of(r, origin, k)
                without = try_route(p, r, origin, -1, -1, at, INFEASIBLE)
                if without >= INFEASIBLE:
                    continue
                gain = r.total[origin] - without + fixed[k]
                step = p.load_step[origin]
                new_total -= step
                new_squares -= step * (2.0 * load[origin] - step)
            step = p.load_step[to]
            swap_total = new_total + step
            swap_squares = new_squares + step * (2.0 * load[to] + step)
            more = _spread(p.load_size, swap_total, swap_squares) - now_spread + option_cost[j]
            cost, i = best_position(p, r, to, k, -1, r.total[to] + gain - more + slack)
            delta = cost - r.total[to] + more - gain
            if i >= 0 and delta <= slack:
                value += delta
                if origin >= 0:
                    _take_out(p, r, origin, at)
                    load[origin] -= p.load_step[origin]
                _place(p, r, to, k, i)
                load[to] += p.load_step[to]
                total, squares = swap_total, swap_squares
                fixed[k] = option_cost[j]
            else:
                # the place is taken: exchange with a booking of that route, or drive k in its stead
                if r.length[to] == 0:
                    continue
                spot = (other // 64) % r.length[to]
                m = r.task[to, spot]
                if m < first_open:
                    continue
                if origin < 0:
                    extra = option_cost[j] - fixed[m] + unserved[m - first_open] - unserved[o]
                    limit = r.total[to] + slack - extra
                    mine, i = best_position(p, r, to, k, spot, limit)
                    if i < 0 or mine > limit:
                        continue
                    value += mine + extra - r.total[to]
                    _take_out(p, r, to, spot)
                    _place(p, r, to, k, i if i <= spot else i - 1)
                    fixed[k] = option_cost[j]
                    if value < best_value - 1e-6:
                        best_value = value
                        best_task[:], best_length[:] = r.task, r.length
                        improved = True
                    continue
                back = -1
                for jj in range(option_from[m - first_open], option_from[m - first_open + 1]):
                    if option_driver[jj] == origin:
                        back = jj
                        break
                if back < 0:
                    continue
                extra = option_cost[j] + option_cost[back] - fixed[k] - fixed[m]
                limit = r.total[to] + r.total[origin] + slack - extra
                mine, i = best_position(p, r, to, k, spot, limit)
                if i < 0 or mine > limit:
                    continue
                theirs, ii = best_position(p, r, origin, m, at, limit - mine)
                if ii < 0 or mine + theirs > limit:
                    continue
                value += mine + theirs + extra - r.total[to] - r.total[origin]
                _take_out(p, r, to, spot)
                _take_out(p, r, origin, at)
                _place(p, r, to, k, i if i <= spot else i - 1)
                _place(p, r, origin, m, ii if ii <= at else ii - 1)
                fixed[k], fixed[m] = option_cost[j], option_cost[back]
        if value < best_value - 1e-6:
            best_value = value
            best_task[:], best_length[:] = r.task, r.length
            improved = True
    if improved or value > best_value:
        r.driver[first_open:] = -1
        r.task[:], r.length[:] = best_task, best_length
        for d in range(drivers):
            for i in range(r.length[d]):
                r.driver[r.task[d, i]] = d
            update_route(p, r, d, 0)
    return best_value
