"""The drivers nearest to a booking, of many: the twin of `candidates._nearest`.

What the choice looks at stands in a table of its own, quantity by quantity, and nearness is compared as whole numbers,
so that the loops over it run on vector instructions: to take the largest again and again is then faster than to sort.
"""

from __future__ import annotations

import numpy as np

from qdispatch_domain.compiled.columns import (
    FIRST,
    FREE,
    LATEST,
    PASSENGERS,
    PERMITTED_LATEST,
    PICKUP_PLACE,
    PLACE,
    REGULAR,
    SEATS,
    SHORTEST_END,
    TRIPS,
    WHEELCHAIR,
    WHEELCHAIR_ACCESS,
)
from qdispatch_domain.compiled.jit import loop_kernel
from qdispatch_domain.fleet import EPS

LOWEST, HIGHEST = np.int64(-(2**63)), np.int64(2**63 - 1)
# rows of the table of spots, the positions of REGULAR drivers
X, Y, Z, PLACE_ROW, SINCE, UNTIL, ACCESS, ROOM, OF_ROW, SPOT_ROWS = range(10)


@loop_kernel
def gather_spots(
    at: np.ndarray, rows: np.ndarray, n_rows: int, spots: np.ndarray, behind: np.ndarray
) -> tuple[int, int]:
    """The positions of the REGULAR rows into `spots` [SPOT_ROWS, Q], in their order, and into `behind` [Q] which of
    them are not the first of their row; returns how many of each.
    """
    q, m = 0, 0
    for r in range(n_rows):
        if rows[r, REGULAR] == 0.0:
            continue
        first = int(rows[r, FIRST])
        for i in range(first, first + int(rows[r, TRIPS]) + 1):
            spots[X, q], spots[Y, q], spots[Z, q] = at[i, PLACE], at[i, PLACE + 1], at[i, PLACE + 2]
            spots[PLACE_ROW, q], spots[OF_ROW, q] = at[i, PLACE + 3], r
            spots[SINCE, q], spots[UNTIL, q] = at[i, FREE], at[i, LATEST] + EPS
            spots[ACCESS, q], spots[ROOM, q] = rows[r, WHEELCHAIR_ACCESS], rows[r, SEATS]
            if i > first:
                behind[m] = q
                m += 1
            q += 1
    return q, m


@loop_kernel
def nearest_rows(
    spots: np.ndarray,
    count: int,
    behind: np.ndarray,
    n_behind: int,
    book: np.ndarray,
    j: int,
    nearest: int,
    seconds: np.ndarray,
    closeness: np.ndarray,
    keys: np.ndarray,
    chosen: np.ndarray,
) -> int:
    """The `nearest` REGULAR rows with the shortest way from a viable position; ties go to the later row.

    Writes them to `chosen`, in their order, and returns how many: only rows with a viable position are among them.
    `closeness` [positions] is overwritten; `keys` are its bytes as whole numbers.
    """
    if seconds.shape[0] > 0:
        to = int(book[j, PICKUP_PLACE + 3])
        for q in range(count):
            closeness[q] = -(seconds[int(spots[PLACE_ROW, q]), to] / 60.0)
    else:
        _cosines(spots, count, book, j, closeness)
    _compare_as_whole_numbers(keys, count)
    _strike(spots, count, book, j, keys)
    for m in range(n_behind - 1, -1, -1):  # a row stands at its first position
        q = behind[m]
        keys[q - 1], keys[q] = max(keys[q - 1], keys[q]), LOWEST
    limit, reached = HIGHEST, 0
    while reached < nearest and limit > LOWEST:
        limit = _largest_below(keys, count, limit)
        reached = _reaching(keys, count, limit)
    surplus = max(reached - nearest, 0)  # of those equal to the last one the first fall out
    found = 0
    for q in range(count):
        if keys[q] < limit or keys[q] == LOWEST:
            continue
        if surplus > 0 and keys[q] == limit:
            surplus -= 1
            continue
        chosen[found] = int(spots[OF_ROW, q])
        found += 1
    return found


@loop_kernel
def _cosines(spots: np.ndarray, count: int, book: np.ndarray, j: int, closeness: np.ndarray) -> None:
    """The cosine of the angle between each position and the pickup."""
    x, y, z = book[j, PICKUP_PLACE], book[j, PICKUP_PLACE + 1], book[j, PICKUP_PLACE + 2]
    for q in range(count):
        closeness[q] = spots[X, q] * x + spots[Y, q] * y + spots[Z, q] * z


@loop_kernel
def _compare_as_whole_numbers(keys: np.ndarray, count: int) -> None:
    """Turn the bits of numbers into whole numbers of the same order: those of negative numbers run the other way."""
    for q in range(count):
        keys[q] ^= (keys[q] >> 63) & HIGHEST


@loop_kernel
def _strike(spots: np.ndarray, count: int, book: np.ndarray, j: int, keys: np.ndarray) -> None:
    """Set the positions to LOWEST that are not viable: the vehicle and necessary conditions on time.

    A pin is left out: whoever is not among the nearest is timed all the same when none of them may take the booking.
    """
    permitted, shortest = book[j, PERMITTED_LATEST] + EPS, book[j, SHORTEST_END]
    wheelchair, passengers = book[j, WHEELCHAIR], book[j, PASSENGERS]
    for q in range(count):
        viable = (spots[SINCE, q] <= permitted) & (shortest <= spots[UNTIL, q])
        viable &= (wheelchair <= spots[ACCESS, q]) & (passengers <= spots[ROOM, q])
        keys[q] = keys[q] if viable else LOWEST


@loop_kernel
def _largest_below(keys: np.ndarray, count: int, limit: np.int64) -> np.int64:
    """The largest of the keys [count] that is less than `limit`; LOWEST: none."""
    largest = LOWEST
    for q in range(count):
        key = keys[q] if keys[q] < limit else LOWEST
        largest = max(largest, key)
    return largest


@loop_kernel
def _reaching(keys: np.ndarray, count: int, limit: np.int64) -> int:
    """How many of the keys [count] are at least `limit`."""
    reached = 0
    for q in range(count):
        reached += keys[q] >= limit
    return reached
