"""The best insertion of one booking into one schedule row: the twin of `insertion.py`, one pair at a time."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.compiled.columns import (
    BUFFER_FLOW,
    DEADHEAD,
    DEPART,
    DOWNSTREAM,
    DROPOFF_PLACE,
    DROPOFF_SERVICE,
    END,
    EXPIRY,
    FIRST,
    FREE,
    FREE_FLOW,
    HAS_HOME,
    HOME,
    HOME_DEADHEAD,
    LATENESS,
    LATEST,
    LATEST_END,
    LATEST_FLOW,
    LEAVES,
    LOADED,
    ON_TIME,
    ON_TIME_LATEST,
    PERMITTED_LATEST,
    PICKUP,
    PICKUP_PLACE,
    PICKUP_SERVICE,
    PLACE,
    POSITION,
    PUNCTUAL_END,
    RATE,
    ROUTE_COST,
    ROW,
    SCHEDULED,
    SHORTEST_END,
    SLACK,
    TOLERANCE,
    TRIP_APPROACH,
    TRIP_BUFFER_FLOW,
    TRIP_DEADHEAD,
    TRIP_DROPOFF_SERVICE,
    TRIP_LATENESS,
    TRIP_LOADED,
    TRIP_PICKUP_PLACE,
    TRIP_PICKUP_SERVICE,
    TRIP_PUNCTUAL_END,
    TRIP_RATE,
    TRIP_SCHEDULED,
    TRIP_TOLERANCE,
    TRIPS,
)
from qdispatch_domain.compiled.jit import loop_kernel
from qdispatch_domain.compiled.roads import flow, minutes_between, unflow
from qdispatch_domain.compiled.timing import latest_free, serve
from qdispatch_domain.fleet import EPS, NEVER
from qdispatch_domain.weights import WEIGHTS

DEADHEAD_PRICE = WEIGHTS.deadhead_per_min


@loop_kernel
def best_insertion(
    at: np.ndarray,
    rows: np.ndarray,
    r: int,
    book: np.ndarray,
    j: int,
    now: float,
    seconds: np.ndarray,
    pool: np.ndarray,
    m: int,
) -> tuple[bool, float, float]:
    """Write the best insertion of booking j into row r to `pool[m]`.

    Returns whether there is one, and the latest expiry of those on time and of all, at any position; -NEVER: none.
    """
    matrix = seconds.shape[0] > 0
    scheduled, pickup_service, dropoff_service, loaded = (
        book[j, SCHEDULED],
        book[j, PICKUP_SERVICE],
        book[j, DROPOFF_SERVICE],
        book[j, LOADED],
    )
    permitted = book[j, PERMITTED_LATEST] + EPS
    on_time_until = scheduled + book[j, TOLERANCE] + EPS
    first = int(rows[r, FIRST])
    last = first + int(rows[r, TRIPS])
    cheapest, expiry_on_time, expiry_any = np.inf, -NEVER, -NEVER
    for q in range(first, last + 1):
        if at[q, FREE] > permitted:
            break
        if book[j, SHORTEST_END] > at[q, LATEST] + EPS:
            continue
        approach = minutes_between(at, q, PLACE, book, j, PICKUP_PLACE, seconds)
        depart, pickup, end, arrival = serve(
            at[q, FREE],
            at[q, FREE_FLOW],
            approach,
            scheduled,
            book[j, BUFFER_FLOW],
            book[j, PUNCTUAL_END],
            pickup_service,
            dropoff_service,
            loaded,
            rows,
            r,
            matrix,
        )
        if pickup > permitted:
            continue
        possible, slack, latest_end, onward, downstream = _behind(at, rows, r, q, last, book, j, end, seconds)
        if not possible:
            continue
        on_time = pickup <= on_time_until
        limit = ON_TIME_LATEST if on_time else PERMITTED_LATEST
        latest, latest_flow, end_then = book[j, limit], book[j, limit + 1], book[j, limit + 2]
        if end_then > latest_end or latest < pickup:
            by_end = unflow(flow(latest_end - dropoff_service, matrix) - loaded, matrix) - pickup_service
            latest = max(min(latest, by_end), pickup)
            latest_flow = flow(latest, matrix)  # `end_then` stays an upper bound, which is all it has to be
        free = latest_free(
            latest,
            latest_flow,
            max(end_then, end),
            approach,
            scheduled,
            pickup_service,
            dropoff_service,
            loaded,
            rows,
            r,
            matrix,
        )
        expiry = max(min(max(free, at[q, FREE]), at[q, LEAVES]), now)
        expiry_any = max(expiry_any, expiry)
        if on_time:
            expiry_on_time = max(expiry_on_time, expiry)
        deadhead = arrival - depart + onward
        lateness = book[j, RATE] * max(pickup - scheduled - book[j, TOLERANCE], 0.0)
        cost = DEADHEAD_PRICE * deadhead + lateness + downstream
        rounded = np.rint(cost * 1e6)  # ties, to the sixth decimal, go to the earliest position
        if rounded < cheapest:
            cheapest = rounded
            pool[m, ROW] = r
            pool[m, POSITION] = q - first
            pool[m, DEPART] = depart
            pool[m, PICKUP] = pickup
            pool[m, END] = end
            pool[m, ON_TIME] = 1.0 if on_time else 0.0
            pool[m, DEADHEAD] = deadhead
            pool[m, LATENESS] = lateness
            pool[m, DOWNSTREAM] = downstream
            pool[m, SLACK] = max(slack, 0.0)
            pool[m, EXPIRY] = expiry
            pool[m, ROUTE_COST] = cost
    return expiry_any > -NEVER, expiry_on_time, expiry_any


@loop_kernel
def _behind(
    at: np.ndarray,
    rows: np.ndarray,
    r: int,
    q: int,
    last: int,
    book: np.ndarray,
    j: int,
    end: float,
    seconds: np.ndarray,
) -> tuple[bool, float, float, float, float]:
    """What stands behind booking j, inserted at position q and done at `end`.

    (possible, slack, latest end of the booking that breaks nothing, added deadhead minutes, added lateness cost).
    """
    matrix = seconds.shape[0] > 0
    end_flow = flow(end, matrix)
    if q == last:
        finish, away = end, 0.0
        if rows[r, HAS_HOME] > 0.0:
            away = minutes_between(book, j, DROPOFF_PLACE, rows, r, HOME, seconds)
            finish = unflow(end_flow + away, matrix)
        slack = at[q, LATEST] - finish
        latest_end = unflow(at[q, LATEST_FLOW] - away, matrix)
        return slack >= -EPS, slack, latest_end, finish - end - rows[r, HOME_DEADHEAD], 0.0
    approach = minutes_between(book, j, DROPOFF_PLACE, at, q, TRIP_PICKUP_PLACE, seconds)
    depart, pickup, free, arrival = _serve_trip(at, q, end, end_flow, approach, rows, r, matrix)
    slack = at[q, LATEST] - pickup
    if slack < -EPS:
        return False, slack, 0.0, 0.0, 0.0
    latest_end = latest_free(
        at[q, LATEST],
        at[q, LATEST_FLOW],
        at[q, LATEST_END],
        approach,
        at[q, TRIP_SCHEDULED],
        at[q, TRIP_PICKUP_SERVICE],
        at[q, TRIP_DROPOFF_SERVICE],
        at[q, TRIP_LOADED],
        rows,
        r,
        matrix,
    )
    deadhead = arrival - depart - at[q, TRIP_DEADHEAD]
    late = _lateness(at, q, pickup) - at[q, TRIP_LATENESS]
    # a delay that remains is carried on until it is absorbed
    for k in range(q + 1, last + 1):
        if abs(free - at[k, FREE]) <= 1e-9:
            break
        if k == last:
            if rows[r, HAS_HOME] > 0.0:
                away = minutes_between(at, k, PLACE, rows, r, HOME, seconds)
                deadhead += unflow(flow(free, matrix) + away, matrix) - free - rows[r, HOME_DEADHEAD]
            break
        depart, pickup, free, arrival = _serve_trip(
            at, k, free, flow(free, matrix), at[k, TRIP_APPROACH], rows, r, matrix
        )
        deadhead += arrival - depart - at[k, TRIP_DEADHEAD]
        late += _lateness(at, k, pickup) - at[k, TRIP_LATENESS]
    return True, slack, latest_end, deadhead, late


@loop_kernel
def _serve_trip(
    at: np.ndarray, q: int, free: float, free_flow: float, approach: float, rows: np.ndarray, r: int, matrix: bool
) -> tuple[float, float, float, float]:
    return serve(
        free,
        free_flow,
        approach,
        at[q, TRIP_SCHEDULED],
        at[q, TRIP_BUFFER_FLOW],
        at[q, TRIP_PUNCTUAL_END],
        at[q, TRIP_PICKUP_SERVICE],
        at[q, TRIP_DROPOFF_SERVICE],
        at[q, TRIP_LOADED],
        rows,
        r,
        matrix,
    )


@loop_kernel
def _lateness(at: np.ndarray, q: int, pickup: float) -> float:
    """Cost of the lateness of the trip behind position q, picked up at `pickup`."""
    return at[q, TRIP_RATE] * max(pickup - at[q, TRIP_SCHEDULED] - at[q, TRIP_TOLERANCE], 0.0)
