"""Local search over the routes of one day: which driver should take which open booking, and in which order.

A route is the driver's COMMITTED trips in their fixed order with open bookings between them. Moves take one booking out
and put it into another route (relocate), exchange two (swap), or give a place to a booking that has none (replace),
each at its best position; simulated annealing
(Kirkpatrick et al. 1983) decides. The objective is the day's true cost (docs/dispatch-rules.md, "Cost C"), with the
lateness as expected under the noise of `Search`. Hard rules as for an insertion: latest pickups, shift end, breaks.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from qdispatch_domain.compiled.expected_lateness import expected_excess, variance_after_wait
from qdispatch_domain.compiled.jit import kernel
from qdispatch_domain.compiled.primitives import arrive, free_flow, serve
from qdispatch_domain.fleet import EPS
from qdispatch_domain.weights import RULES, WEIGHTS

INFEASIBLE = 1e15
DEADHEAD, SPREAD, EMERGENCY, CHANGE = (
    WEIGHTS.deadhead_per_min,
    WEIGHTS.spread,
    WEIGHTS.emergency_trip,
    WEIGHTS.driver_change,
)
LATE_OUTBOUND, LATE_RETURN = WEIGHTS.outbound_lateness_per_min, WEIGHTS.return_lateness_per_min
UNSERVED, UNSERVED_URGENT = WEIGHTS.unserved, WEIGHTS.unserved_urgent
LATEST = RULES.latest_insertion_min


class Search(NamedTuple):
    """How to search; every field is part of a policy's identity."""

    moves: int = 400
    horizon_min: float = 150.0  # bookings scheduled later than this are not planned yet
    tasks_per_driver: float = 3.0  # at most so many bookings per usable driver are planned, the soonest due
    travel_sd: float = 0.15  # of the driving minutes; 0: predicted times are believed
    service_sd: float = 0.25  # of the service minutes
    start_temperature: float = 6.0  # minutes-equivalent
    end_temperature: float = 0.3


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
def _try(p: Problem, r: Routes, d: int, insert: int, at: int, remove: int, bound: float) -> float:
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
def _best_position(p: Problem, r: Routes, d: int, k: int, remove: int, bound: float) -> tuple[float, int]:
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
        cost = _try(p, r, d, k, i, remove, min(bound, best))
        if cost < best:
            best, where = cost, i
    return best, where


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
                cost, i = _best_position(p, r, d, k, -1, r.total[d] + best - more)
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
            cost, i = _best_position(p, r, origin, k, at, r.total[origin] + slack)
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
                without = _try(p, r, origin, -1, -1, at, INFEASIBLE)
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
            cost, i = _best_position(p, r, to, k, -1, r.total[to] + gain - more + slack)
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
                    mine, i = _best_position(p, r, to, k, spot, limit)
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
                mine, i = _best_position(p, r, to, k, spot, limit)
                if i < 0 or mine > limit:
                    continue
                theirs, ii = _best_position(p, r, origin, m, at, limit - mine)
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
