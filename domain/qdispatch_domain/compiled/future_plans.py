"""Plans for sampled futures: each with the calls that may come, and how many of them use which pair."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qdispatch_domain.compiled.day_problem import (
    Days,
    day_problem,
    most_tasks,
    named_rows,
    rows_of,
    soonest,
    want,
)
from qdispatch_domain.compiled.jit import kernel, loop_kernel, loop_part
from qdispatch_domain.compiled.local_search import Search, search
from qdispatch_domain.compiled.planned_routes import DEPART, Routes, copy_routes, new_routes
from qdispatch_domain.compiled.route_problem import SCHEDULED, TOLERANCE
from qdispatch_domain.compiled.runs import run_end
from qdispatch_domain.compiled.sampled_calls import CallTable, call_time, key_of, uniform
from qdispatch_domain.fleet import EPS


class Waiting(NamedTuple):
    """Which bookings have not been called for, and what says who could drive a booking that has no pairs for it."""

    uncalled: np.ndarray  # [N, B]
    outbound_at: np.ndarray  # [N, B] appointment of the other leg, NaN without one
    wheelchair: np.ndarray  # [N, B]
    passengers: np.ndarray  # [N, B]
    pinned: np.ndarray  # [N, B]
    wheelchair_access: np.ndarray  # [N, D]
    seats: np.ndarray  # [N, D]


class Looking(NamedTuple):
    """How far to look; every field is part of a policy's identity."""

    futures: int = 8  # 0: the plan of what is known alone decides
    ahead_min: float = 150.0  # calls later than this are left out
    known_moves: int = 1000  # over what is known, for a plan that those of the futures start from; 0: from nothing
    known_start_temperature: float = 6.0  # of those moves, minutes-equivalent
    known_end_temperature: float = 0.3
    reserve: bool = True  # plans may count on EMERGENCY drivers who are not permitted yet


@kernel
def plan_futures(
    f: Days,
    waiting: Waiting,
    table: CallTable,
    pair_day: np.ndarray,
    pair_driver: np.ndarray,
    pair_booking: np.ndarray,
    until: np.ndarray,
    looking: Looking,
    how: Search,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of pairs [P], ordered by (day, booking): how many plans use each, and in how many it leaves by `until` [N].

    The last result is how many futures of a pair's day were planned, [P].
    """
    planned = np.zeros(pair_day.shape[0], np.int64)
    due = np.zeros(pair_day.shape[0], np.int64)
    asked = np.zeros(pair_day.shape[0], np.int64)
    first = 0
    while first < pair_day.shape[0]:
        n = pair_day[first]
        last = run_end(pair_day, first)
        asked[first:last] = _plan_futures_of(
            f,
            n,
            waiting,
            table,
            pair_driver[first:last],
            pair_booking[first:last],
            until[n],
            looking,
            how,
            planned[first:last],
            due[first:last],
        )
        first = last
    return planned, due, asked


@kernel
def _plan_futures_of(
    f: Days,
    n: int,
    waiting: Waiting,
    table: CallTable,
    pair_driver: np.ndarray,
    pair_booking: np.ndarray,
    until: float,
    looking: Looking,
    how: Search,
    planned: np.ndarray,
    due: np.ndarray,
) -> int:
    """`plan_futures` of day n, whose pairs these are: writes `planned` and `due`, returns how many futures."""
    row_driver, rows = rows_of(f, n)
    known, chosen, start, drivers, booking = _with_calls(
        f, n, waiting, row_driver, pair_driver, pair_booking, looking, how
    )
    price = np.zeros(drivers.shape[0])
    p, committed, options = day_problem(
        f, n, f.scheduled[n], row_driver, rows, chosen, start, drivers, booking, price, how
    )
    r = new_routes(row_driver.shape[0], committed.task.shape[1], p.task.shape[0])
    copy_routes(committed, r)
    named = named_rows(rows, f.first_driver[n], chosen)
    known_tasks = np.arange(options.first, options.first + known)
    if looking.known_moves > 0:
        search(p, r, options, known_tasks, named, _over_the_known(how, looking))
        for o in range(chosen.shape[0]):
            named[o] = r.driver[options.first + o]
    else:
        named[:] = -1
    keys = np.empty(chosen.shape[0], np.uint64)
    for o in range(known, chosen.shape[0]):
        keys[o] = key_of(f.pickup[n, chosen[o]], f.dropoff[n, chosen[o]])
    task_of = np.full(f.scheduled.shape[1], -1)
    for o in range(known):
        task_of[chosen[o]] = options.first + o
    leaves = np.empty(p.task.shape[0])
    leaving = np.zeros(f.scheduled.shape[1], np.int64)
    if looking.futures == 0:
        _vote(r, rows, task_of, pair_driver, pair_booking, until, leaves, planned, due, leaving)
        return 1
    latest = f.now[n] + min(looking.ahead_min, how.horizon_min)
    tasks, due_at = np.empty(chosen.shape[0], np.int64), np.empty(chosen.shape[0])
    tasks[:known] = known_tasks
    for future in range(looking.futures):
        if future > 0 and _decided(leaving, pair_booking, future, looking.futures):
            return future
        count = known
        for o in range(known, chosen.shape[0]):
            call = call_time(table, waiting.outbound_at[n, chosen[o]], f.now[n], uniform(keys[o], future))
            if call < latest:
                want(p, options.first + o, call)
                tasks[count] = options.first + o
                count += 1
        for i in range(count):
            due_at[i] = p.task[tasks[i], SCHEDULED] + p.task[tasks[i], TOLERANCE]
        order = tasks[np.argsort(due_at[:count], kind="mergesort")[: most_tasks(row_driver.shape[0], how)]]
        copy_routes(committed, r)
        search(p, r, options, order, named, how)
        _vote(r, rows, task_of, pair_driver, pair_booking, until, leaves, planned, due, leaving)
    return looking.futures


@kernel
def _over_the_known(how: Search, looking: Looking) -> Search:
    """The search over what is known."""
    return Search(
        looking.known_moves,
        how.horizon_min,
        how.tasks_per_driver,
        how.travel_sd,
        how.service_sd,
        looking.known_start_temperature,
        looking.known_end_temperature,
    )


@loop_kernel
def _vote(
    r: Routes,
    rows: np.ndarray,
    task_of: np.ndarray,
    pair_driver: np.ndarray,
    pair_booking: np.ndarray,
    until: float,
    leaves: np.ndarray,
    planned: np.ndarray,
    due: np.ndarray,
    leaving: np.ndarray,
) -> None:
    """Count one plan: `planned` and `due` per pair, `leaving` per booking; `leaves` [T] is overwritten."""
    for row in range(r.length.shape[0]):
        for i in range(r.length[row]):
            leaves[r.task[row, i]] = r.at[row, i, DEPART]
    for i in range(pair_driver.shape[0]):
        k = task_of[pair_booking[i]]
        if k >= 0 and r.driver[k] == rows[pair_driver[i]]:
            planned[i] += 1
            if leaves[k] <= until + EPS:
                due[i] += 1
                leaving[pair_booking[i]] += 1


@kernel
def _with_calls(
    f: Days,
    n: int,
    waiting: Waiting,
    row_driver: np.ndarray,
    pair_driver: np.ndarray,
    pair_booking: np.ndarray,
    looking: Looking,
    how: Search,
) -> tuple[int, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """How many known bookings to plan, these and behind them all that may be called for, the first pair of each; and
    the pairs (driver, booking): of a known booking those given, and if the reserve counts every other EMERGENCY driver
    who could; of a booking to be called for every usable driver who could.
    """
    uncalled = np.flatnonzero(waiting.uncalled[n] & (looking.futures > 0))
    known, given = soonest(f, n, f.scheduled[n], pair_booking, row_driver.shape[0], how)
    chosen = np.concatenate((known, uncalled))
    reserve = row_driver[~f.regular[n][row_driver] & looking.reserve]
    room = pair_driver.shape[0] + known.shape[0] * reserve.shape[0] + uncalled.shape[0] * row_driver.shape[0]
    start, driver, booking = np.empty_like(chosen), np.empty(room, np.int64), np.empty(room, np.int64)
    given_for = np.full(f.usable.shape[1], -1)  # the last booking with a given pair of this driver
    pairs, count = 0, 0
    for o in range(chosen.shape[0]):
        b, begin = chosen[o], pairs
        if o < known.shape[0]:
            i = given[o]
            while i < pair_driver.shape[0] and pair_booking[i] == b:
                driver[pairs], booking[pairs] = pair_driver[i], b
                given_for[pair_driver[i]] = b
                pairs += 1
                i += 1
        for d in reserve if o < known.shape[0] else row_driver:
            if given_for[d] != b and _could(f, n, waiting, d, b):
                driver[pairs], booking[pairs] = d, b
                pairs += 1
        if pairs > begin:
            chosen[count], start[count] = b, begin
            count += 1
    return known.shape[0], chosen[:count], start[:count], driver[:pairs], booking[:pairs]


@loop_part
def _could(f: Days, n: int, waiting: Waiting, d: int, b: int) -> bool:
    """Whether driver d may ever drive booking b: the vehicle fits, and the booking is not kept for another."""
    access = waiting.wheelchair_access[n, d] or not waiting.wheelchair[n, b]
    free = not waiting.pinned[n, b] or f.current_driver[n, b] == d
    return access and free and waiting.seats[n, d] >= waiting.passengers[n, b]


@kernel
def _decided(leaving: np.ndarray, pair_booking: np.ndarray, done: int, futures: int) -> bool:
    """Whether the futures that are left cannot change which bookings leave in more than half of them.

    `leaving` [B]: in how many of the `done` plans a booking leaves.
    """
    for i in range(pair_booking.shape[0]):
        votes = leaving[pair_booking[i]]
        if 2 * votes <= futures < 2 * (votes + futures - done):
            return False
    return True
