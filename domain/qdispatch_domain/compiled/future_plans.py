"""Plans for sampled futures: each with the calls that may come, and how many of them use which pair."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qdispatch_domain.compiled.jit import kernel
from qdispatch_domain.compiled.local_search import Search
from qdispatch_domain.compiled.plan import Days, plan_day
from qdispatch_domain.compiled.runs import run_end
from qdispatch_domain.compiled.sampled_calls import CallTable, call_time, key_of, uniform
from qdispatch_domain.fleet import EPS, NEVER


class Waiting(NamedTuple):
    """What is known of bookings that have not been called for, and who could drive them."""

    uncalled: np.ndarray  # [N, B]
    outbound_at: np.ndarray  # [N, B] appointment of the other leg, NaN without one
    wheelchair: np.ndarray  # [N, B]
    passengers: np.ndarray  # [N, B]
    wheelchair_access: np.ndarray  # [N, D]
    seats: np.ndarray  # [N, D]


class Looking(NamedTuple):
    """How far to look; every field is part of a policy's identity."""

    futures: int = 8
    agreeing: int = 6  # when all of so many say the same of every booking, the other futures are left out
    ahead_min: float = 90.0  # calls later than this are left out
    known_moves: int = 1000  # over what is known, for a plan that those of the futures start from; 0: from nothing


@kernel
def plan_futures(
    f: Days,
    waiting: Waiting,
    table: CallTable,
    pair_day: np.ndarray,
    pair_driver: np.ndarray,
    pair_booking: np.ndarray,
    pair_price: np.ndarray,
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
            pair_price[first:last],
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
    pair_price: np.ndarray,
    until: float,
    looking: Looking,
    how: Search,
    planned: np.ndarray,
    due: np.ndarray,
) -> int:
    drivers, bookings, pairs = f.usable.shape[1], f.scheduled.shape[1], pair_driver.shape[0]
    uncalled = np.flatnonzero(waiting.uncalled[n])
    keys = np.empty(uncalled.shape[0], np.uint64)
    for u in range(uncalled.shape[0]):
        keys[u] = key_of(f.pickup[n, uncalled[u]], f.dropoff[n, uncalled[u]])
    room = pairs + uncalled.shape[0] * drivers
    option_driver, option_booking = np.empty(room, np.int64), np.empty(room, np.int64)
    option_price = np.zeros(room)
    option_driver[:pairs], option_booking[:pairs], option_price[:pairs] = pair_driver, pair_booking, pair_price
    scheduled = f.scheduled[n].copy()
    who, leaves = np.empty(bookings, np.int64), np.empty(bookings)
    named = np.full(bookings, -1)
    if looking.known_moves > 0:
        start = Search(
            looking.known_moves,
            how.horizon_min,
            how.tasks_per_driver,
            how.travel_sd,
            how.service_sd,
            how.start_temperature,
            how.end_temperature,
        )
        plan_day(f, n, scheduled, f.first_driver[n], pair_driver, pair_booking, pair_price, start, named, leaves)
    leaving = np.zeros(bookings, np.int64)
    for future in range(looking.futures):
        if future > 0 and _decided(leaving, pair_booking, future, looking):
            return future
        options = pairs
        for u in range(uncalled.shape[0]):
            b = uncalled[u]
            scheduled[b] = call_time(table, waiting.outbound_at[n, b], f.now[n], uniform(keys[u], future))
            if scheduled[b] >= f.now[n] + looking.ahead_min:
                continue
            for d in range(drivers):
                fits = waiting.wheelchair_access[n, d] or not waiting.wheelchair[n, b]
                if f.usable[n, d] and fits and waiting.seats[n, d] >= waiting.passengers[n, b]:
                    option_driver[options], option_booking[options] = d, b
                    options += 1
        who[:], leaves[:] = -1, NEVER
        plan_day(
            f,
            n,
            scheduled,
            named,
            option_driver[:options],
            option_booking[:options],
            option_price[:options],
            how,
            who,
            leaves,
        )
        for i in range(pairs):
            b = pair_booking[i]
            if who[b] == pair_driver[i]:
                planned[i] += 1
                if leaves[b] <= until + EPS:
                    due[i] += 1
                    leaving[b] += 1
    return looking.futures


@kernel
def _decided(leaving: np.ndarray, pair_booking: np.ndarray, done: int, looking: Looking) -> bool:
    """Whether the futures that are left cannot change which bookings leave in more than half, or are left out.

    `leaving` [B]: in how many of the `done` plans a booking leaves.
    """
    left = looking.futures - done
    for i in range(pair_booking.shape[0]):
        votes = leaving[pair_booking[i]]
        if done >= looking.agreeing and votes in (0, done):
            continue
        if 2 * votes <= looking.futures < 2 * (votes + left):
            return False
    return True
