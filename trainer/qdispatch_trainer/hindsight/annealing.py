"""Simulated annealing over the routes of one known day, compiled.

Moves (Kirkpatrick et al. 1983 for the acceptance): a booking goes to another driver, two bookings change places, two
drivers exchange their tails or a few trips (Potvin and Rousseau 1995; Taillard et al. 1997), and a handful of related
bookings is taken out and put back at its cheapest places (Schrimpf et al. 2000). Since pickups happen near their
scheduled time, a booking is tried only near its place in the order of time.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from qdispatch_domain.fleet import EPS, NEVER
from qdispatch_trainer.hindsight.assignment import cheapest_assignment
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
    objective,
    price,
    spread_cost,
    time_route,
)

# cumulative shares of the moves; the rest is ruin and recreate
RELOCATE, SWAP, TAILS, SEGMENTS, REMATCH = 0.25, 0.45, 0.60, 0.75, 0.80
MOST_REMATCHED = 12  # drivers
WHOLE_TAILS = 0.3  # share of the matchings of whole tails
MOST_REMOVED = 8
LONGEST_SEGMENT = 3
OFF_CENTRE = 0.7  # chance to overlook a place beside the one in the order of time
BLINK = 0.02  # chance to overlook a place while putting back


@njit(cache=True, forceinline=True)
def _uniform(state: np.ndarray) -> float:
    """The next number in [0, 1) of xorshift64* (Vigna 2016); `state` [1] uint64, not 0."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) / 9007199254740992.0


@njit(cache=True, forceinline=True)
def _below(state: np.ndarray, n: int) -> int:
    return int(_uniform(state) * n)


@njit(cache=True, forceinline=True)
def _position(r: Routes, d: int, k: int) -> int:
    for i in range(r.length[d]):
        if r.task[d, i] == k:
            return i
    return -1


@njit(cache=True, forceinline=True)
def _place_in_time(p: Problem, r: Routes, d: int, scheduled: float) -> int:
    """Number of trips of route d that are scheduled before `scheduled`."""
    i = r.length[d]
    while i > 0 and p.booking[r.task[d, i - 1], SCHEDULED] > scheduled:
        i -= 1
    return i


@njit(cache=True, forceinline=True)
def _jitter(state: np.ndarray) -> int:
    """0, or one place earlier or later in a tenth of the cases each."""
    u = _uniform(state)
    return -1 if u < 0.1 else (1 if u > 0.9 else 0)


@njit(cache=True, forceinline=True)
def _adopt(p: Problem, r: Routes, d: int, trips: np.ndarray, n: int, first: int) -> None:
    """Make `trips[:n]` route d; the first `first` stay."""
    for i in range(first, n):
        r.task[d, i] = trips[i]
        r.driver[trips[i]] = d
    r.length[d] = n
    time_route(p, r, d, first)


@njit(cache=True, forceinline=True)
def _loads(p: Problem, r: Routes) -> tuple[float, float]:
    total, squares = 0.0, 0.0
    for d in range(r.length.shape[0]):
        x = p.driver[d, LOAD_STEP] * r.length[d]
        total += x
        squares += x * x
    return total, squares


@njit(cache=True, forceinline=True)
def _load_change(p: Problem, r: Routes, d: int, n: int, sums: tuple[float, float]) -> tuple[float, float]:
    """Sums of the loads and of their squares if route d had n trips."""
    before, after = p.driver[d, LOAD_STEP] * r.length[d], p.driver[d, LOAD_STEP] * n
    return sums[0] + after - before, sums[1] + after * after - before * before


@njit(cache=True, forceinline=True)
def _without(r: Routes, d: int, at: int, out: np.ndarray) -> int:
    """Route d without position `at` (-1: whole) in `out`; its length."""
    n = 0
    for i in range(r.length[d]):
        if i != at:
            out[n] = r.task[d, i]
            n += 1
    return n


@njit(cache=True, forceinline=True)
def _with(r: Routes, d: int, k: int, at: int, out: np.ndarray) -> int:
    """Route d with booking k before position `at` in `out`; its length."""
    for i in range(at):
        out[i] = r.task[d, i]
    out[at] = k
    for i in range(at, r.length[d]):
        out[i + 1] = r.task[d, i]
    return r.length[d] + 1


@njit(cache=True)
def _relocate(
    p: Problem, r: Routes, sums: tuple[float, float], slack: float, state: np.ndarray, a: np.ndarray, b: np.ndarray
) -> tuple[float, float, float]:
    """One booking to another driver, or elsewhere in its own route. (delta, sums) of the move done, else delta 0."""
    k, to = _below(state, r.driver.shape[0]), _below(state, r.length.shape[0])
    if not p.permitted[k, to]:
        return 0.0, sums[0], sums[1]
    origin = r.driver[k]
    if origin == to:
        at = _position(r, to, k)
        other = at + (1 if _uniform(state) < 0.5 else -1)
        if other < 0 or other >= r.length[to]:
            return 0.0, sums[0], sums[1]
        n = _without(r, to, -1, a)
        a[at], a[other] = a[other], a[at]
        first = min(at, other)
        delta = price(p, r, to, first, a, n, max(at, other) + 1, max(at, other) + 1) - r.total[to]
        if delta > slack:
            return 0.0, sums[0], sums[1]
        _adopt(p, r, to, a, n, first)
        return delta, sums[0], sums[1]
    if r.length[to] + 1 > r.task.shape[1]:
        return 0.0, sums[0], sums[1]
    at = _place_in_time(p, r, to, p.booking[k, SCHEDULED]) + _jitter(state)
    at = min(max(at, 0), r.length[to])
    new = _load_change(p, r, to, r.length[to] + 1, sums)
    m = _with(r, to, k, at, b)
    delta = price(p, r, to, at, b, m, at + 1, at) - r.total[to]
    n, where = 0, -1
    if origin >= 0:
        where = _position(r, origin, k)
        n = _without(r, origin, where, a)
        new = _load_change(p, r, origin, n, new)
        delta += price(p, r, origin, where, a, n, where, where + 1) - r.total[origin]
    else:
        delta -= p.booking[k, UNSERVED]
    delta += spread_cost(p, new[0], new[1]) - spread_cost(p, sums[0], sums[1])
    if delta > slack:
        return 0.0, sums[0], sums[1]
    _adopt(p, r, to, b, m, at)
    if origin >= 0:
        _adopt(p, r, origin, a, n, where)
    return delta, new[0], new[1]


@njit(cache=True)
def _swap(
    p: Problem, r: Routes, sums: tuple[float, float], slack: float, state: np.ndarray, a: np.ndarray, b: np.ndarray
) -> tuple[float, float, float]:
    """Booking k takes the place of one that another driver has near its time, which takes k's (or is left out)."""
    k, to = _below(state, r.driver.shape[0]), _below(state, r.length.shape[0])
    origin = r.driver[k]
    if not p.permitted[k, to] or origin == to or r.length[to] == 0:
        return 0.0, sums[0], sums[1]
    at = _place_in_time(p, r, to, p.booking[k, SCHEDULED]) - (1 if _uniform(state) < 0.5 else 0)
    at = min(max(at, 0), r.length[to] - 1)
    other = r.task[to, at]
    n = _without(r, to, -1, b)
    b[at] = k
    delta = price(p, r, to, at, b, n, at + 1, at + 1) - r.total[to]
    if origin < 0:
        delta += p.booking[other, UNSERVED] - p.booking[k, UNSERVED]
        if delta > slack:
            return 0.0, sums[0], sums[1]
        r.driver[other] = -1
        _adopt(p, r, to, b, n, at)
        return delta, sums[0], sums[1]
    if not p.permitted[other, origin]:
        return 0.0, sums[0], sums[1]
    where = _position(r, origin, k)
    m = _without(r, origin, -1, a)
    a[where] = other
    delta += price(p, r, origin, where, a, m, where + 1, where + 1) - r.total[origin]
    if delta > slack:
        return 0.0, sums[0], sums[1]
    _adopt(p, r, to, b, n, at)
    _adopt(p, r, origin, a, m, where)
    return delta, sums[0], sums[1]


@njit(cache=True)
def _exchange(
    p: Problem,
    r: Routes,
    sums: tuple[float, float],
    slack: float,
    state: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    tails: bool,
) -> tuple[float, float, float]:
    """Two drivers exchange what they do from a time on (`tails`), or a few trips from there."""
    drivers, room = r.length.shape[0], r.task.shape[1]
    c, d = _below(state, drivers), _below(state, drivers)
    if c == d:
        return 0.0, sums[0], sums[1]
    time = p.booking[_below(state, r.driver.shape[0]), SCHEDULED]
    i = min(max(_place_in_time(p, r, c, time) + _jitter(state), 0), r.length[c])
    j = min(max(_place_in_time(p, r, d, time) + _jitter(state), 0), r.length[d])
    from_c, from_d = r.length[c] - i, r.length[d] - j
    if not tails:
        from_c = min(from_c, _below(state, LONGEST_SEGMENT + 1))
        from_d = min(from_d, _below(state, LONGEST_SEGMENT + 1))
    n, m = r.length[c] - from_c + from_d, r.length[d] - from_d + from_c
    if from_c + from_d == 0 or n > room or m > room:
        return 0.0, sums[0], sums[1]
    for q in range(from_c):
        if not p.permitted[r.task[c, i + q], d]:
            return 0.0, sums[0], sums[1]
    for q in range(from_d):
        if not p.permitted[r.task[d, j + q], c]:
            return 0.0, sums[0], sums[1]
    _splice(r, c, i, from_c, d, j, from_d, a)
    _splice(r, d, j, from_d, c, i, from_c, b)
    new = _load_change(p, r, d, m, _load_change(p, r, c, n, sums))
    delta = spread_cost(p, new[0], new[1]) - spread_cost(p, sums[0], sums[1])
    delta += price(p, r, c, i, a, n, i + from_d, i + from_c) - r.total[c]
    if delta < INFEASIBLE / 2.0:
        delta += price(p, r, d, j, b, m, j + from_c, j + from_d) - r.total[d]
    if delta > slack:
        return 0.0, sums[0], sums[1]
    _adopt(p, r, c, a, n, i)
    _adopt(p, r, d, b, m, j)
    return delta, new[0], new[1]


@njit(cache=True, forceinline=True)
def _splice(r: Routes, c: int, i: int, cut: int, d: int, j: int, taken: int, out: np.ndarray) -> None:
    """Route c with `cut` trips from position i on replaced by `taken` trips of route d from position j on."""
    for q in range(i):
        out[q] = r.task[c, q]
    for q in range(taken):
        out[i + q] = r.task[d, j + q]
    for q in range(i + cut, r.length[c]):
        out[q - cut + taken] = r.task[c, q]


@njit(cache=True)
def _rematch(
    p: Problem, r: Routes, sums: tuple[float, float], temperature: float, slack: float, state: np.ndarray
) -> tuple[float, float, float]:
    """Some drivers exchange, all at once, what they do in a span of time; the cheapest matching of drivers and parts.

    The spread is priced by its slope, and every change by a random number of the size of the temperature more.
    """
    drivers, room = r.length.shape[0], r.task.shape[1]
    n = min(drivers, MOST_REMATCHED)
    who = np.arange(drivers)
    for i in range(n):
        j = i + _below(state, drivers - i)
        who[i], who[j] = who[j], who[i]
    begin = p.booking[_below(state, r.driver.shape[0]), SCHEDULED] - 1e-3
    width = _uniform(state)
    end = NEVER if width < WHOLE_TAILS else begin + 240.0 * width * width
    first, last = np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        first[i], last[i] = _place_in_time(p, r, who[i], begin), _place_in_time(p, r, who[i], end)
    now = math.sqrt(max(p.load_size * sums[1] - sums[0] * sums[0], 0.0))
    slope = 0.5 * p.spread / max(now, math.sqrt(p.load_size) + 1e-9)
    cost, noisy = np.empty((n, n)), np.empty((n, n))
    out = np.empty(2 * room, np.int64)
    for i in range(n):
        d = who[i]
        x = p.driver[d, LOAD_STEP] * r.length[d]
        for j in range(n):
            if i == j:
                cost[i, j], noisy[i, j] = r.total[d], r.total[d]
                continue
            part = last[j] - first[j]
            m = r.length[d] - (last[i] - first[i]) + part
            if m > room or (part == 0 and last[i] == first[i]):
                cost[i, j] = INFEASIBLE if m > room else r.total[d]
            else:
                _splice(r, d, first[i], last[i] - first[i], who[j], first[j], part, out)
                cost[i, j] = price(p, r, d, first[i], out, m, first[i] + part, last[i])
            y = p.driver[d, LOAD_STEP] * m
            growth = slope * (p.load_size * (y * y - x * x) - 2.0 * sums[0] * (y - x))
            noisy[i, j] = min(cost[i, j], 1e9) + growth - temperature * math.log(1.0 - _uniform(state))
    chosen = np.empty(n, np.int64)
    cheapest_assignment(noisy, n, chosen)
    new, delta, changed = sums, 0.0, 0
    for i in range(n):
        j = chosen[i]
        if j != i:
            changed += 1
            m = r.length[who[i]] - (last[i] - first[i]) + last[j] - first[j]
            delta += cost[i, j] - r.total[who[i]]
            new = _load_change(p, r, who[i], m, new)
    delta += spread_cost(p, new[0], new[1]) - spread_cost(p, sums[0], sums[1])
    if changed == 0 or delta > slack:
        return 0.0, sums[0], sums[1]
    parts, part_length = np.empty((n, room), np.int64), np.empty(n, np.int64)
    for i in range(n):
        d = who[i]
        j = chosen[i]
        _splice(r, d, first[i], last[i] - first[i], who[j], first[j], last[j] - first[j], out)
        part_length[i] = r.length[d] - (last[i] - first[i]) + last[j] - first[j]
        parts[i, : part_length[i]] = out[: part_length[i]]
    for i in range(n):
        if chosen[i] != i:
            _adopt(p, r, who[i], parts[i], part_length[i], first[i])
    return delta, new[0], new[1]


@njit(cache=True, forceinline=True)
def _insertion_bound(p: Problem, r: Routes, d: int, k: int, at: int) -> float:
    """What booking k before position `at` of route d costs at least, without `trip_cost`; INFEASIBLE if it cannot be.

    Driving takes at least its free-flow minutes. What a delay saves further down (by leaving a rush hour) is neglected.
    """
    # one way out and every array named once: numba counts references on every path
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


@njit(cache=True)
def insert_cheapest(
    p: Problem, r: Routes, k: int, sums: tuple[float, float], state: np.ndarray, out: np.ndarray
) -> bool:
    """Put booking k at its cheapest place, spread included; False if leaving it out is cheaper or the only way."""
    best, who, where = p.booking[k, UNSERVED], -1, -1
    now = spread_cost(p, sums[0], sums[1])
    for d in range(r.length.shape[0]):
        if not p.permitted[k, d] or r.length[d] + 1 > r.task.shape[1]:
            continue
        new = _load_change(p, r, d, r.length[d] + 1, sums)
        more = spread_cost(p, new[0], new[1]) - now + p.driver[d, TRIP_COST]
        middle = _place_in_time(p, r, d, p.booking[k, SCHEDULED])
        for at in range(max(middle - 1, 0), min(middle + 1, r.length[d]) + 1):
            if at != middle and _uniform(state) < OFF_CENTRE:
                continue
            if more + _insertion_bound(p, r, d, k, at) >= best or _uniform(state) < BLINK:
                continue
            n = _with(r, d, k, at, out)
            cost = price(p, r, d, at, out, n, at + 1, at) - r.total[d] + more - p.driver[d, TRIP_COST]
            if cost < best:
                best, who, where = cost, d, at
    if who < 0:
        return False
    n = _with(r, who, k, where, out)
    _adopt(p, r, who, out, n, where)
    return True


@njit(cache=True)
def _ruin_and_recreate(
    p: Problem, r: Routes, value: float, slack: float, state: np.ndarray, related: np.ndarray, out: np.ndarray
) -> float:
    """Take a booking and some related ones out and put them back, hardest first by chance; the value afterwards."""
    room = min(MOST_REMOVED, related.shape[1])
    seed, count = _below(state, r.driver.shape[0]), 2 + _below(state, room - 1)
    chosen = np.empty(count, np.int64)
    chosen[0] = seed
    picked = 1
    for q in range(related.shape[1]):
        left, wanted = related.shape[1] - q, count - picked
        if _uniform(state) * left < wanted:
            chosen[picked] = related[seed, q]
            picked += 1
    touched = np.zeros(r.length.shape[0], np.bool_)
    task, length, driver = r.task.copy(), r.length.copy(), r.driver.copy()
    for q in range(picked):
        d = r.driver[chosen[q]]
        if d >= 0:
            at = _position(r, d, chosen[q])
            n = _without(r, d, at, out)
            if price(p, r, d, at, out, n, at, at + 1) >= INFEASIBLE:
                continue  # noise knows no triangle inequality: without it another trip could come too late
            _adopt(p, r, d, out, n, at)
            r.driver[chosen[q]] = -1
            touched[d] = True
    for q in range(picked - 1, 0, -1):
        other = _below(state, q + 1)
        chosen[q], chosen[other] = chosen[other], chosen[q]
    if _uniform(state) < 0.5:
        chosen = chosen[np.argsort(p.booking[chosen, SCHEDULED])]
    for q in range(picked):
        if r.driver[chosen[q]] < 0 and insert_cheapest(p, r, chosen[q], _loads(p, r), state, out):
            touched[r.driver[chosen[q]]] = True
    after = objective(p, r)
    if after - value <= slack:
        return after
    r.task[:], r.length[:], r.driver[:] = task, length, driver
    for d in range(r.length.shape[0]):
        if touched[d]:
            time_route(p, r, d, 0)
    return value


@njit(cache=True)
def construct(p: Problem, r: Routes, state: np.ndarray) -> None:
    """Insert everybody who is nowhere yet, soonest first, each at the cheapest place."""
    out = np.empty(r.task.shape[1] + 1, np.int64)
    for k in np.argsort(p.booking[:, SCHEDULED]):
        if r.driver[k] < 0:
            insert_cheapest(p, r, k, _loads(p, r), state, out)


@njit(cache=True)
def anneal(
    p: Problem, r: Routes, related: np.ndarray, moves: int, start_temperature: float, end_temperature: float, seed: int
) -> float:
    """Improve the routes in place by `moves` moves and return the cost of the best ones met, which `r` then holds.

    `related` [M, q] lists per booking those that compete with it, the closest first; temperatures in
    minutes-equivalent.
    """
    state = np.array([np.uint64(seed) * np.uint64(2862933555777941757) + np.uint64(3037000493)], np.uint64)
    for d in range(r.length.shape[0]):
        time_route(p, r, d, 0)
    construct(p, r, state)
    value = objective(p, r)
    if moves == 0 or r.driver.shape[0] < 2:
        return value
    best = value
    task, length, driver = r.task.copy(), r.length.copy(), r.driver.copy()
    a, b = np.empty(r.task.shape[1] + 1, np.int64), np.empty(r.task.shape[1] + 1, np.int64)
    sums = _loads(p, r)
    cooling = (end_temperature / start_temperature) ** (1.0 / moves)
    temperature = start_temperature
    for _ in range(moves):
        temperature *= cooling
        slack = -temperature * math.log(1.0 - _uniform(state))
        kind = _uniform(state)
        if kind >= REMATCH:
            value = _ruin_and_recreate(p, r, value, slack, state, related, a)
            sums = _loads(p, r)
        else:
            if kind < RELOCATE:
                delta, total, squares = _relocate(p, r, sums, slack, state, a, b)
            elif kind < SWAP:
                delta, total, squares = _swap(p, r, sums, slack, state, a, b)
            elif kind >= SEGMENTS:
                delta, total, squares = _rematch(p, r, sums, temperature, slack, state)
            else:
                delta, total, squares = _exchange(p, r, sums, slack, state, a, b, kind < TAILS)
            value += delta
            sums = (total, squares)
        if value < best - 1e-7:
            best = value
            task[:], length[:], driver[:] = r.task, r.length, r.driver
    r.task[:], r.length[:], r.driver[:] = task, length, driver
    for d in range(r.length.shape[0]):
        time_route(p, r, d, 0)
    return objective(p, r)
