"""The permitted pairs of one booking, timed: vehicle rules, nearest drivers, the EMERGENCY rule, prices, order."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.compiled.columns import (
    CHANGE_PRICE,
    DRIVER,
    EMERGENCY_PRICE,
    ON_TIME,
    PASSENGERS,
    PINNED,
    PLANNED_DRIVER,
    REGULAR,
    ROUTE_COST,
    ROW,
    SEATS,
    SPREAD_PRICE,
    TOTAL,
    WHEELCHAIR,
    WHEELCHAIR_ACCESS,
)
from qdispatch_domain.compiled.jit import loop_kernel, loop_part
from qdispatch_domain.compiled.pair_insertion import best_insertion
from qdispatch_domain.fleet import NEVER
from qdispatch_domain.weights import WEIGHTS

DRIVER_CHANGE = WEIGHTS.driver_change


@loop_part
def vehicle_allows(rows: np.ndarray, r: int, book: np.ndarray, j: int) -> bool:
    """Whether vehicle and pin allow booking j on schedule row r."""
    if book[j, WHEELCHAIR] > rows[r, WHEELCHAIR_ACCESS] or book[j, PASSENGERS] > rows[r, SEATS]:
        return False
    return book[j, PINNED] == 0.0 or book[j, PLANNED_DRIVER] == rows[r, DRIVER]


@loop_kernel
def timed_pairs(
    at: np.ndarray,
    rows: np.ndarray,
    n_rows: int,
    book: np.ndarray,
    j: int,
    now: float,
    chosen: np.ndarray,
    n_chosen: int,
    rest: np.ndarray,
    seconds: np.ndarray,
    pool: np.ndarray,
) -> tuple[int, float]:
    """Time booking j into the `chosen` REGULAR rows; if none is on time, the others; if still none, the EMERGENCY rows.

    Writes the pairs to `pool` and returns how many, and `decide_by`. `chosen` is in the order of the rows; `rest`
    [rows] is overwritten.
    """
    m, on_time, whenever = _time_rows(at, rows, chosen, n_chosen, book, j, now, seconds, pool, 0, -NEVER)
    if on_time == -NEVER:
        left = _regular_rest(rows, n_rows, chosen, n_chosen, rest)
        m, on_time, whenever = _time_rows(at, rows, rest, left, book, j, now, seconds, pool, m, whenever)
    if on_time == -NEVER:
        left = rows_of_kind(rows, n_rows, 0.0, rest)
        m, on_time, whenever = _time_rows(at, rows, rest, left, book, j, now, seconds, pool, m, whenever)
    return m, on_time if on_time > -NEVER else whenever


@loop_kernel
def _time_rows(
    at: np.ndarray,
    rows: np.ndarray,
    which: np.ndarray,
    count: int,
    book: np.ndarray,
    j: int,
    now: float,
    seconds: np.ndarray,
    pool: np.ndarray,
    m: int,
    whenever: float,
) -> tuple[int, float, float]:
    """Add booking j's pairs with the rows `which` [count] to the m in `pool`.

    Returns how many there are then, the latest expiry of those added that are on time (-NEVER: none), and of all.
    """
    on_time = -NEVER
    for k in range(count):
        r = which[k]
        if not vehicle_allows(rows, r, book, j):
            continue
        found, on_time_here, here = best_insertion(at, rows, r, book, j, now, seconds, pool, m)
        if found:
            m += 1
            on_time, whenever = max(on_time, on_time_here), max(whenever, here)
    return m, on_time, whenever


@loop_kernel
def _regular_rest(rows: np.ndarray, n_rows: int, chosen: np.ndarray, n_chosen: int, rest: np.ndarray) -> int:
    """The REGULAR rows that are not `chosen`, into `rest`; returns how many."""
    left, k = 0, 0
    for r in range(n_rows):
        if k < n_chosen and chosen[k] == r:
            k += 1
        elif rows[r, REGULAR] > 0.0:
            rest[left] = r
            left += 1
    return left


@loop_kernel
def rows_of_kind(rows: np.ndarray, n_rows: int, regular: float, found: np.ndarray) -> int:
    """The rows whose flag REGULAR is `regular`, into `found`; returns how many."""
    count = 0
    for r in range(n_rows):
        if rows[r, REGULAR] == regular:
            found[count] = r
            count += 1
    return count


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
