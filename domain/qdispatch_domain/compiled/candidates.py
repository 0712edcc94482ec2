"""The candidate table of N days in one call: the twin of `candidates.py`, row by row the same."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from qdispatch_domain.compiled.arrays import FleetArrays
from qdispatch_domain.compiled.columns import (
    BOOKING,
    BOOKING_COLUMNS,
    BREAK,
    BREAK_COLUMNS,
    CHANGE_PRICE,
    DEADHEAD,
    DEPART,
    DOWNSTREAM,
    DRIVER,
    EMERGENCY_PRICE,
    END,
    EXPIRY,
    FINISH,
    FIRST,
    FREE,
    HOME_DEADHEAD,
    LATENESS,
    LATEST,
    LEAVES,
    ON_TIME,
    PAIR_COLUMNS,
    PERMITTED_LATEST,
    PICKUP,
    PLACE,
    POSITION,
    POSITION_COLUMNS,
    ROW,
    SLACK,
    SPREAD_PRICE,
    TOTAL,
    TRIP_APPROACH,
    TRIP_DEADHEAD,
    TRIP_END,
    TRIP_LATENESS,
    TRIP_PICKUP,
    TRIPS,
)
from qdispatch_domain.compiled.day_pairs import count_on_time, in_order, price, rows_of_kind, timed_pairs
from qdispatch_domain.compiled.day_tables import gather_bookings, gather_rows
from qdispatch_domain.compiled.jit import kernel, loop_kernel, part
from qdispatch_domain.compiled.nearest import SPOT_ROWS, gather_spots, nearest_rows
from qdispatch_domain.compiled.timing import time_row
from qdispatch_domain.fleet import EPS, NEVER
from qdispatch_domain.reasons import DriverGap
from qdispatch_domain.weights import WEIGHTS

UNAVAILABLE, NO_SHIFT = int(DriverGap.UNAVAILABLE), int(DriverGap.NO_SHIFT)
SPREAD, DEADHEAD_PRICE = WEIGHTS.spread, WEIGHTS.deadhead_per_min
PAIR_REALS, PAIR_INTS, LEG_REALS, DAY_REALS = 12, 6, 6, 5


class Found(NamedTuple):
    """What the kernel returns. P pairs, R schedule rows; L is the longest schedule, at least 1."""

    real: np.ndarray  # [12, P] depart, pickup, end, deadhead, lateness, downstream, slack, expiry, prices (3), total
    whole: np.ndarray  # [6, P] row, day, driver, booking, position, rank
    on_time: np.ndarray  # [P]
    feasible_drivers: np.ndarray  # [N, B]
    on_time_drivers: np.ndarray  # [N, B]
    decide_by: np.ndarray  # [N, B]
    best_expiry: np.ndarray  # [N, B]
    schedule_of: np.ndarray  # [3, R] day, driver, trips
    free_time: np.ndarray  # [R, L + 1]
    free_place: np.ndarray  # [R, L + 1, 4]
    legs: np.ndarray  # [6, R, L] approach, depart, pickup, end, deadhead, latest pickup
    ends: np.ndarray  # [3, R] finish, home deadhead, latest finish
    counts: np.ndarray  # [N, D] drivers who count for fairness
    load: np.ndarray  # [N, D]
    # [5, N] size, sum and squares of the load; predicted cost of COMMITTED trips and spread; next event
    sums: np.ndarray


@kernel
def find(f: FleetArrays, keep: int, prune_above: int, nearest: int) -> Found:
    """Time all permitted insertions of the open bookings and keep the `keep` cheapest drivers of each."""
    days, drivers = f.driver_real.shape
    room, n_rows, longest, most_trips, most_open = _sizes(f, keep)
    found = Found(
        np.empty((PAIR_REALS, room)),
        np.empty((PAIR_INTS, room), np.int64),
        np.empty(room, np.bool_),
        np.zeros(f.open.shape, np.int64),
        np.zeros(f.open.shape, np.int64),
        np.full(f.open.shape, np.nan),
        np.full(f.open.shape, np.nan),
        np.empty((3, n_rows), np.int64),
        np.full((n_rows, longest + 1), NEVER),
        np.zeros((n_rows, longest + 1, 4)),
        np.zeros((LEG_REALS, n_rows, longest)),
        np.empty((3, n_rows)),
        np.zeros((days, drivers), np.bool_),
        np.zeros((days, drivers)),
        np.zeros((DAY_REALS, days)),
    )
    at = np.empty((most_trips + drivers, POSITION_COLUMNS))
    rows = np.empty((drivers, BREAK + BREAK_COLUMNS * f.break_start.shape[2]))
    book = np.empty((most_open, BOOKING_COLUMNS))
    pool = np.empty((drivers + 1, PAIR_COLUMNS))
    order, chosen, rest = np.empty((3, drivers), np.int64)
    spots, closeness = np.empty((SPOT_ROWS, len(at))), np.empty(len(at))
    behind, keys = np.empty(len(at), np.int64), closeness.view(np.int64)
    row, p = 0, 0
    for n in range(days):
        _loads(f, n, found.counts, found.load, found.sums)
        own = gather_rows(f, n, at, rows)
        _spread_prices(n, rows, own, f.contract_share, found.counts, found.load, found.sums)
        cost = SPREAD * _spread(found.sums[0, n], found.sums[1, n], found.sums[2, n])
        for r in range(own):
            time_row(at, rows, r, f.seconds)
            cost += _row_cost(at, rows, r)
            found.schedule_of[0, row + r] = n
            _note_row(
                at, rows, r, row + r, found.schedule_of, found.free_time, found.free_place, found.legs, found.ends
            )
        found.sums[3, n] = cost
        event = _next_of_drivers(f, n, at, rows, own)
        pruned = drivers > prune_above and own > nearest
        n_chosen = rows_of_kind(rows, own, 1.0, chosen)
        n_spots, n_behind = gather_spots(at, rows, own, spots, behind) if pruned else (0, 0)
        for j in range(gather_bookings(f, n, book)):
            b = int(book[j, BOOKING])
            event = _sooner(book[j, PERMITTED_LATEST], f.now[n], event)
            if pruned:
                n_chosen = nearest_rows(
                    spots, n_spots, behind, n_behind, book, j, nearest, f.seconds, closeness, keys, chosen
                )
            m, decide_by = timed_pairs(at, rows, own, book, j, f.now[n], chosen, n_chosen, rest, f.seconds, pool)
            if m == 0:
                continue
            price(rows, book, j, pool, m)
            found.feasible_drivers[n, b], found.on_time_drivers[n, b] = m, count_on_time(pool, m)
            found.decide_by[n, b] = decide_by
            kept = in_order(rows, pool, m, keep, order)
            found.best_expiry[n, b] = pool[order[0], EXPIRY]
            event = _sooner(pool[order[0], EXPIRY], f.now[n], _sooner(decide_by, f.now[n], event))
            for rank in range(kept):
                found.whole[1, p], found.whole[3, p], found.whole[5, p] = n, b, rank
                _note_pair(rows, pool, order[rank], row, p, found.real, found.whole, found.on_time)
                p += 1
        found.sums[4, n] = event
        row += own
    return Found(
        found.real[:, :p],
        found.whole[:, :p],
        found.on_time[:p],
        found.feasible_drivers,
        found.on_time_drivers,
        found.decide_by,
        found.best_expiry,
        found.schedule_of,
        found.free_time,
        found.free_place,
        found.legs,
        found.ends,
        found.counts,
        found.load,
        found.sums,
    )


@part
def _sizes(f: FleetArrays, keep: int) -> tuple[int, int, int, int, int]:
    """(room for pairs, schedule rows, longest schedule, most trips of a day, most open bookings of a day)."""
    room, n_rows, longest, most_trips, most_open = 0, 0, 1, 0, 0
    for n in range(f.driver_real.shape[0]):
        own, trips, opened = 0, 0, 0
        for d in range(f.driver_real.shape[1]):
            if f.driver_real[n, d] and f.driver_gap[n, d] == 0:
                own += 1
                trips += f.n_trips[n, d]
                longest = max(longest, f.n_trips[n, d])
        for b in range(f.open.shape[1]):
            if f.open[n, b]:
                opened += 1
        room += opened * min(own, keep)
        n_rows += own
        most_trips, most_open = max(most_trips, trips), max(most_open, opened)
    return room, n_rows, longest, most_trips, most_open


@loop_kernel
def _sooner(time: float, now: float, event: float) -> float:
    """`time` if it is later than now and before `event`."""
    return time if now + EPS < time < event else event


@part
def _next_of_drivers(f: FleetArrays, n: int, at: np.ndarray, rows: np.ndarray, own: int) -> float:
    """The first event of `events.next_event` that a driver of day n makes; NEVER: none."""
    event, now = NEVER, f.now[n]
    for r in range(own):
        d, first = int(rows[r, DRIVER]), int(rows[r, FIRST])
        if f.locked[n, d]:
            event = _sooner(f.anchor_time[n, d], now, event)
        elif rows[r, TRIPS] > 0.0:
            event = _sooner(at[first, TRIP_END], now, event)
        event = _sooner(f.shift_start[n, d], now, _sooner(f.shift_end[n, d], now, event))
        for k in range(f.break_end.shape[2]):
            event = _sooner(f.break_end[n, d, k], now, event)
    return event


@part
def _loads(f: FleetArrays, n: int, counts: np.ndarray, load: np.ndarray, sums: np.ndarray) -> None:
    """`cost.loads` of day n: who counts, trips per contract share, and their sums."""
    for d in range(counts.shape[1]):
        gap = f.driver_gap[n, d]
        if f.driver_real[n, d] and f.regular[n, d] and gap != UNAVAILABLE and gap != NO_SHIFT:
            running = 1.0 if f.locked[n, d] else 0.0
            x = (f.trips_done[n, d] + running + f.n_trips[n, d]) / f.contract_share[n, d]
            counts[n, d], load[n, d] = True, x
            sums[0, n] += 1.0
            sums[1, n] += x
            sums[2, n] += x * x


@loop_kernel
def _spread(size: float, total: float, squares: float) -> float:
    """S, see `cost.Loads`."""
    return math.sqrt(max(size * squares - total * total, 0.0))


@loop_kernel
def _spread_prices(
    n: int, rows: np.ndarray, own: int, share: np.ndarray, counts: np.ndarray, load: np.ndarray, sums: np.ndarray
) -> None:
    """`cost.spread_growth` of one more trip for each schedule row of day n."""
    size, total, squares = sums[0, n], sums[1, n], sums[2, n]
    before = _spread(size, total, squares)
    for r in range(own):
        d = int(rows[r, DRIVER])
        step = 1.0 / share[n, d] if counts[n, d] else 0.0
        after = _spread(size, total + step, squares + step * (2.0 * load[n, d] + step))
        rows[r, SPREAD_PRICE] = SPREAD * (after - before)


@loop_kernel
def _row_cost(at: np.ndarray, rows: np.ndarray, r: int) -> float:
    """Predicted cost of the COMMITTED trips of row r, the spread left out."""
    first, trips = int(rows[r, FIRST]), int(rows[r, TRIPS])
    deadhead, lateness = rows[r, HOME_DEADHEAD], 0.0
    for q in range(first, first + trips):
        deadhead += at[q, TRIP_DEADHEAD]
        lateness += at[q, TRIP_LATENESS]
    return DEADHEAD_PRICE * deadhead + lateness + trips * rows[r, EMERGENCY_PRICE]


@loop_kernel
def _note_row(
    at: np.ndarray,
    rows: np.ndarray,
    r: int,
    to: int,
    schedule_of: np.ndarray,
    free_time: np.ndarray,
    free_place: np.ndarray,
    legs: np.ndarray,
    ends: np.ndarray,
) -> None:
    first, trips = int(rows[r, FIRST]), int(rows[r, TRIPS])
    schedule_of[1, to], schedule_of[2, to] = int(rows[r, DRIVER]), trips
    ends[0, to], ends[1, to], ends[2, to] = rows[r, FINISH], rows[r, HOME_DEADHEAD], at[first + trips, LATEST]
    for i in range(trips + 1):
        q = first + i
        free_time[to, i] = at[q, FREE]
        for c in range(4):
            free_place[to, i, c] = at[q, PLACE + c]
        if i < trips:
            legs[0, to, i], legs[1, to, i], legs[2, to, i] = at[q, TRIP_APPROACH], at[q, LEAVES], at[q, TRIP_PICKUP]
            legs[3, to, i], legs[4, to, i], legs[5, to, i] = at[q, TRIP_END], at[q, TRIP_DEADHEAD], at[q, LATEST]


@loop_kernel
def _note_pair(
    rows: np.ndarray,
    pool: np.ndarray,
    k: int,
    first_row: int,
    p: int,
    real: np.ndarray,
    whole: np.ndarray,
    on_time: np.ndarray,
) -> None:
    r = int(pool[k, ROW])
    real[0, p], real[1, p], real[2, p] = pool[k, DEPART], pool[k, PICKUP], pool[k, END]
    real[3, p], real[4, p], real[5, p] = pool[k, DEADHEAD], pool[k, LATENESS], pool[k, DOWNSTREAM]
    real[6, p], real[7, p] = pool[k, SLACK], pool[k, EXPIRY]
    real[8, p], real[9, p], real[10, p] = rows[r, EMERGENCY_PRICE], pool[k, CHANGE_PRICE], rows[r, SPREAD_PRICE]
    real[11, p] = pool[k, TOTAL]
    whole[0, p], whole[2, p], whole[4, p] = first_row + r, int(rows[r, DRIVER]), int(pool[k, POSITION])
    on_time[p] = pool[k, ON_TIME] > 0.0
