"""The permitted pairs of one booking, timed: vehicle rules, nearest drivers, the EMERGENCY rule, prices, order."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.compiled.columns import (
    CHANGE_PRICE,
    DRIVER,
    EMERGENCY_PRICE,
    FIRST,
    FREE,
    LATEST,
    ON_TIME,
    PASSENGERS,
    PERMITTED_LATEST,
    PICKUP_PLACE,
    PINNED,
    PLACE,
    PLANNED_DRIVER,
    REGULAR,
    ROUTE_COST,
    ROW,
    SEATS,
    SHORTEST_END,
    SPREAD_PRICE,
    TOTAL,
    TRIPS,
    WHEELCHAIR,
    WHEELCHAIR_ACCESS,
)
from qdispatch_domain.compiled.jit import loop_kernel, loop_part
from qdispatch_domain.compiled.pair_insertion import best_insertion
from qdispatch_domain.compiled.roads import minutes_between
from qdispatch_domain.fleet import EPS, NEVER
from qdispatch_domain.weights import WEIGHTS

DRIVER_CHANGE = WEIGHTS.driver_change


@loop_part
def vehicle_allows(rows: np.ndarray, r: int, book: np.ndarray, j: int) -> bool:
    """Whether vehicle and pin allow booking j on schedule row r."""
    if book[j, WHEELCHAIR] > rows[r, WHEELCHAIR_ACCESS] or book[j, PASSENGERS] > rows[r, SEATS]:
        return False
    return book[j, PINNED] == 0.0 or book[j, PLANNED_DRIVER] == rows[r, DRIVER]


@loop_kernel
def mark_nearest(
    at: np.ndarray,
    rows: np.ndarray,
    n_rows: int,
    book: np.ndarray,
    j: int,
    nearest: int,
    seconds: np.ndarray,
    closest: np.ndarray,
    chosen: np.ndarray,
    near: np.ndarray,
) -> None:
    """Mark the `nearest` REGULAR rows with the shortest way from a viable position; ties go to the later row.

    `closest`, `chosen` [nearest] and `near` [rows] are written. Rows without a viable position: marked only by chance.
    """
    for r in range(n_rows):
        near[r] = False
    found = 0
    for r in range(n_rows):
        if rows[r, REGULAR] == 0.0 or not vehicle_allows(rows, r, book, j):
            continue
        best = -NEVER
        first = int(rows[r, FIRST])
        for q in range(first, first + int(rows[r, TRIPS]) + 1):
            if at[q, FREE] > book[j, PERMITTED_LATEST] + EPS:
                break
            if book[j, SHORTEST_END] <= at[q, LATEST] + EPS:
                best = max(best, _closeness(at, q, book, j, seconds))
        if best == -NEVER or (found == nearest and best < closest[nearest - 1]):
            continue
        k = min(found, nearest - 1)
        while k > 0 and closest[k - 1] <= best:
            closest[k], chosen[k] = closest[k - 1], chosen[k - 1]
            k -= 1
        closest[k], chosen[k] = best, r
        found = min(found + 1, nearest)
    for k in range(found):
        near[chosen[k]] = True


@loop_part
def _closeness(at: np.ndarray, q: int, book: np.ndarray, j: int, seconds: np.ndarray) -> float:
    if seconds.shape[0] > 0:
        return -minutes_between(at, q, PLACE, book, j, PICKUP_PLACE, seconds)
    return (
        at[q, PLACE] * book[j, PICKUP_PLACE]
        + at[q, PLACE + 1] * book[j, PICKUP_PLACE + 1]
        + at[q, PLACE + 2] * book[j, PICKUP_PLACE + 2]
    )


@loop_kernel
def timed_pairs(
    at: np.ndarray,
    rows: np.ndarray,
    n_rows: int,
    book: np.ndarray,
    j: int,
    now: float,
    near: np.ndarray,
    seconds: np.ndarray,
    pool: np.ndarray,
) -> tuple[int, float]:
    """Time booking j into the near REGULAR rows; if none is on time, the others; if still none, the EMERGENCY rows.

    Writes the pairs to `pool` and returns how many, and `decide_by`.
    """
    m = 0
    expiry_on_time, expiry_any = -NEVER, -NEVER
    for stage in range(3):
        for r in range(n_rows):
            if (2 if rows[r, REGULAR] == 0.0 else 0 if near[r] else 1) != stage:
                continue
            if not vehicle_allows(rows, r, book, j):
                continue
            found, on_time, whenever = best_insertion(at, rows, r, book, j, now, seconds, pool, m)
            if found:
                m += 1
                expiry_on_time, expiry_any = max(expiry_on_time, on_time), max(expiry_any, whenever)
        if expiry_on_time > -NEVER:
            break
    return m, expiry_on_time if expiry_on_time > -NEVER else expiry_any


@loop_kernel
def price(rows: np.ndarray, book: np.ndarray, j: int, pool: np.ndarray, m: int) -> None:
    """Add to the pairs [m] of booking j what depends on the driver alone."""
    planned = book[j, PLANNED_DRIVER]
    for k in range(m):
        r = int(pool[k, ROW])
        changed = planned >= 0.0 and planned != rows[r, DRIVER]
        pool[k, CHANGE_PRICE] = DRIVER_CHANGE if changed else 0.0
        pool[k, TOTAL] = pool[k, ROUTE_COST] + rows[r, EMERGENCY_PRICE] + pool[k, CHANGE_PRICE] + rows[r, SPREAD_PRICE]


@loop_kernel
def in_order(rows: np.ndarray, pool: np.ndarray, m: int, keep: int, order: np.ndarray) -> int:
    """Indices of the `keep` cheapest pairs into `order`, cheapest first; ties, to the sixth decimal, by driver."""
    kept = 0
    for k in range(m):
        cost, driver = np.rint(pool[k, TOTAL] * 1e6), rows[int(pool[k, ROW]), DRIVER]
        i = kept
        while i > 0:
            other = order[i - 1]
            its_cost = np.rint(pool[other, TOTAL] * 1e6)
            if its_cost < cost or (its_cost == cost and rows[int(pool[other, ROW]), DRIVER] < driver):
                break
            if i < keep:
                order[i] = other
            i -= 1
        if i < keep:
            order[i] = k
            kept = min(kept + 1, keep)
    return kept


@loop_kernel
def count_on_time(pool: np.ndarray, m: int) -> int:
    """How many of the pairs [m] are on time."""
    count = 0
    for k in range(m):
        if pool[k, ON_TIME] > 0.0:
            count += 1
    return count
