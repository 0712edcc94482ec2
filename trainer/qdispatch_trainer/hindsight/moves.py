"""The moves of the annealing between two or more drivers, compiled.

A booking goes to another driver, two bookings change places, two drivers exchange their tails or a few trips (Potvin
and Rousseau 1995; Taillard et al. 1997), and the tails of several drivers are matched anew.
"""

from __future__ import annotations

import math

import numpy as np

from qdispatch_domain.compiled.jit import kernel, loop_kernel, loop_part
from qdispatch_domain.fleet import NEVER
from qdispatch_trainer.hindsight.assignment import cheapest_assignment
from qdispatch_trainer.hindsight.editing import (
    adopt,
    below,
    jitter,
    load_change,
    place_in_time,
    position,
    uniform,
    with_booking,
    without_position,
)
from qdispatch_trainer.hindsight.routes import (
    INFEASIBLE,
    LOAD_STEP,
    SCHEDULED,
    UNSERVED,
    Problem,
    Routes,
    price,
    spread_cost,
)

MOST_REMATCHED = 12  # drivers
WHOLE_TAILS = 0.3  # share of the matchings of whole tails
LONGEST_SEGMENT = 3


@loop_kernel
def relocate(
    p: Problem, r: Routes, sums: tuple[float, float], slack: float, state: np.ndarray, a: np.ndarray, b: np.ndarray
) -> tuple[float, float, float]:
    """One booking to another driver, or elsewhere in its own route. (delta, sums) of the move done, else delta 0."""
    k, to = below(state, r.driver.shape[0]), below(state, r.length.shape[0])
    if not p.permitted[k, to]:
        return 0.0, sums[0], sums[1]
    origin = r.driver[k]
    if origin == to:
        at = position(r, to, k)
        other = at + (1 if uniform(state) < 0.5 else -1)
        if other < 0 or other >= r.length[to]:
            return 0.0, sums[0], sums[1]
        n = without_position(r, to, -1, a)
        a[at], a[other] = a[other], a[at]
        first = min(at, other)
        delta = price(p, r, to, first, a, n, max(at, other) + 1, max(at, other) + 1) - r.total[to]
        if delta > slack:
            return 0.0, sums[0], sums[1]
        adopt(p, r, to, a, n, first)
        return delta, sums[0], sums[1]
    if r.length[to] + 1 > r.task.shape[1]:
        return 0.0, sums[0], sums[1]
    at = place_in_time(p, r, to, p.booking[k, SCHEDULED]) + jitter(state)
    at = min(max(at, 0), r.length[to])
    new = load_change(p, r, to, r.length[to] + 1, sums)
    m = with_booking(r, to, k, at, b)
    delta = price(p, r, to, at, b, m, at + 1, at) - r.total[to]
    n, where = 0, -1
    if origin >= 0:
        where = position(r, origin, k)
        n = without_position(r, origin, where, a)
        new = load_change(p, r, origin, n, new)
        delta += price(p, r, origin, where, a, n, where, where + 1) - r.total[origin]
    else:
        delta -= p.booking[k, UNSERVED]
    delta += spread_cost(p, new[0], new[1]) - spread_cost(p, sums[0], sums[1])
    if delta > slack:
        return 0.0, sums[0], sums[1]
    adopt(p, r, to, b, m, at)
    if origin >= 0:
        adopt(p, r, origin, a, n, where)
    return delta, new[0], new[1]


@loop_kernel
def swap(
    p: Problem, r: Routes, sums: tuple[float, float], slack: float, state: np.ndarray, a: np.ndarray, b: np.ndarray
) -> tuple[float, float, float]:
    """Booking k takes the place of one that another driver has near its time, which takes k's (or is left out)."""
    k, to = below(state, r.driver.shape[0]), below(state, r.length.shape[0])
    origin = r.driver[k]
    if not p.permitted[k, to] or origin == to or r.length[to] == 0:
        return 0.0, sums[0], sums[1]
    at = place_in_time(p, r, to, p.booking[k, SCHEDULED]) - (1 if uniform(state) < 0.5 else 0)
    at = min(max(at, 0), r.length[to] - 1)
    other = r.task[to, at]
    n = without_position(r, to, -1, b)
    b[at] = k
    delta = price(p, r, to, at, b, n, at + 1, at + 1) - r.total[to]
    if origin < 0:
        delta += p.booking[other, UNSERVED] - p.booking[k, UNSERVED]
        if delta > slack:
            return 0.0, sums[0], sums[1]
        r.driver[other] = -1
        adopt(p, r, to, b, n, at)
        return delta, sums[0], sums[1]
    if not p.permitted[other, origin]:
        return 0.0, sums[0], sums[1]
    where = position(r, origin, k)
    m = without_position(r, origin, -1, a)
    a[where] = other
    delta += price(p, r, origin, where, a, m, where + 1, where + 1) - r.total[origin]
    if delta > slack:
        return 0.0, sums[0], sums[1]
    adopt(p, r, to, b, n, at)
    adopt(p, r, origin, a, m, where)
    return delta, sums[0], sums[1]


@loop_kernel
def exchange(
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
    c, d = below(state, drivers), below(state, drivers)
    if c == d:
        return 0.0, sums[0], sums[1]
    time = p.booking[below(state, r.driver.shape[0]), SCHEDULED]
    i = min(max(place_in_time(p, r, c, time) + jitter(state), 0), r.length[c])
    j = min(max(place_in_time(p, r, d, time) + jitter(state), 0), r.length[d])
    from_c, from_d = r.length[c] - i, r.length[d] - j
    if not tails:
        from_c = min(from_c, below(state, LONGEST_SEGMENT + 1))
        from_d = min(from_d, below(state, LONGEST_SEGMENT + 1))
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
    new = load_change(p, r, d, m, load_change(p, r, c, n, sums))
    delta = spread_cost(p, new[0], new[1]) - spread_cost(p, sums[0], sums[1])
    delta += price(p, r, c, i, a, n, i + from_d, i + from_c) - r.total[c]
    if delta < INFEASIBLE / 2.0:
        delta += price(p, r, d, j, b, m, j + from_c, j + from_d) - r.total[d]
    if delta > slack:
        return 0.0, sums[0], sums[1]
    adopt(p, r, c, a, n, i)
    adopt(p, r, d, b, m, j)
    return delta, new[0], new[1]


@loop_part
def _splice(r: Routes, c: int, i: int, cut: int, d: int, j: int, taken: int, out: np.ndarray) -> None:
    """Route c with `cut` trips from position i on replaced by `taken` trips of route d from position j on."""
    for q in range(i):
        out[q] = r.task[c, q]
    for q in range(taken):
        out[i + q] = r.task[d, j + q]
    for q in range(i + cut, r.length[c]):
        out[q - cut + taken] = r.task[c, q]


@kernel
def rematch(
    p: Problem, r: Routes, sums: tuple[float, float], temperature: float, slack: float, state: np.ndarray
) -> tuple[float, float, float]:
    """Some drivers exchange, all at once, what they do in a span of time; the cheapest matching of drivers and parts.

    The spread is priced by its slope, and every change by a random number of the size of the temperature more.
    """
    drivers, room = r.length.shape[0], r.task.shape[1]
    n = min(drivers, MOST_REMATCHED)
    who = np.arange(drivers)
    for i in range(n):
        j = i + below(state, drivers - i)
        who[i], who[j] = who[j], who[i]
    begin = p.booking[below(state, r.driver.shape[0]), SCHEDULED] - 1e-3
    width = uniform(state)
    end = NEVER if width < WHOLE_TAILS else begin + 240.0 * width * width
    first, last = np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        first[i], last[i] = place_in_time(p, r, who[i], begin), place_in_time(p, r, who[i], end)
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
            noisy[i, j] = min(cost[i, j], 1e9) + growth - temperature * math.log(1.0 - uniform(state))
    chosen = np.empty(n, np.int64)
    cheapest_assignment(noisy, n, chosen)
    new, delta, changed = sums, 0.0, 0
    for i in range(n):
        j = chosen[i]
        if j != i:
            changed += 1
            m = r.length[who[i]] - (last[i] - first[i]) + last[j] - first[j]
            delta += cost[i, j] - r.total[who[i]]
            new = load_change(p, r, who[i], m, new)
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
            adopt(p, r, who[i], parts[i], part_length[i], first[i])
    return delta, new[0], new[1]
