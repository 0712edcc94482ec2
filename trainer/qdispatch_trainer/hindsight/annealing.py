"""Simulated annealing over the routes of one known day, compiled.

Moves between drivers (`moves.py`; Kirkpatrick et al. 1983 for the acceptance), and a handful of related bookings is
taken out and put back at its cheapest places (Schrimpf et al. 2000).
"""

from __future__ import annotations

import math

import numpy as np

from qdispatch_domain.compiled.jit import kernel
from qdispatch_trainer.hindsight.editing import (
    adopt,
    below,
    insert_cheapest,
    loads,
    position,
    uniform,
    without_position,
)
from qdispatch_trainer.hindsight.moves import exchange, relocate, rematch, swap
from qdispatch_trainer.hindsight.routes import INFEASIBLE, SCHEDULED, Problem, Routes, objective, price, time_route

# cumulative shares of the moves; the rest is ruin and recreate
RELOCATE, SWAP, TAILS, SEGMENTS, REMATCH = 0.25, 0.45, 0.60, 0.75, 0.80
MOST_REMOVED = 8


@kernel
def _ruin_and_recreate(
    p: Problem, r: Routes, value: float, slack: float, state: np.ndarray, related: np.ndarray, out: np.ndarray
) -> float:
    """Take a booking and some related ones out and put them back, hardest first by chance; the value afterwards."""
    room = min(MOST_REMOVED, related.shape[1])
    seed, count = below(state, r.driver.shape[0]), 2 + below(state, room - 1)
    chosen = np.empty(count, np.int64)
    chosen[0] = seed
    picked = 1
    for q in range(related.shape[1]):
        left, wanted = related.shape[1] - q, count - picked
        if uniform(state) * left < wanted:
            chosen[picked] = related[seed, q]
            picked += 1
    touched = np.zeros(r.length.shape[0], np.bool_)
    task, length, driver = r.task.copy(), r.length.copy(), r.driver.copy()
    for q in range(picked):
        d = r.driver[chosen[q]]
        if d >= 0:
            at = position(r, d, chosen[q])
            n = without_position(r, d, at, out)
            if price(p, r, d, at, out, n, at, at + 1) >= INFEASIBLE:
                continue  # noise knows no triangle inequality: without it another trip could come too late
            adopt(p, r, d, out, n, at)
            r.driver[chosen[q]] = -1
            touched[d] = True
    for q in range(picked - 1, 0, -1):
        other = below(state, q + 1)
        chosen[q], chosen[other] = chosen[other], chosen[q]
    if uniform(state) < 0.5:
        chosen = chosen[np.argsort(p.booking[chosen, SCHEDULED])]
    for q in range(picked):
        if r.driver[chosen[q]] < 0 and insert_cheapest(p, r, chosen[q], loads(p, r), state, out):
            touched[r.driver[chosen[q]]] = True
    after = objective(p, r)
    if after - value <= slack:
        return after
    r.task[:], r.length[:], r.driver[:] = task, length, driver
    for d in range(r.length.shape[0]):
        if touched[d]:
            time_route(p, r, d, 0)
    return value


@kernel
def construct(p: Problem, r: Routes, state: np.ndarray) -> None:
    """Insert everybody who is nowhere yet, soonest first, each at the cheapest place."""
    out = np.empty(r.task.shape[1] + 1, np.int64)
    for k in np.argsort(p.booking[:, SCHEDULED]):
        if r.driver[k] < 0:
            insert_cheapest(p, r, k, loads(p, r), state, out)


@kernel
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
    sums = loads(p, r)
    cooling = (end_temperature / start_temperature) ** (1.0 / moves)
    temperature = start_temperature
    for _ in range(moves):
        temperature *= cooling
        slack = -temperature * math.log(1.0 - uniform(state))
        kind = uniform(state)
        if kind >= REMATCH:
            value = _ruin_and_recreate(p, r, value, slack, state, related, a)
            sums = loads(p, r)
        else:
            if kind < RELOCATE:
                delta, total, squares = relocate(p, r, sums, slack, state, a, b)
            elif kind < SWAP:
                delta, total, squares = swap(p, r, sums, slack, state, a, b)
            elif kind >= SEGMENTS:
                delta, total, squares = rematch(p, r, sums, temperature, slack, state)
            else:
                delta, total, squares = exchange(p, r, sums, slack, state, a, b, kind < TAILS)
            value += delta
            sums = (total, squares)
        if value < best - 1e-7:
            best = value
            task[:], length[:], driver[:] = r.task, r.length, r.driver
    r.task[:], r.length[:], r.driver[:] = task, length, driver
    for d in range(r.length.shape[0]):
        time_route(p, r, d, 0)
    return objective(p, r)
