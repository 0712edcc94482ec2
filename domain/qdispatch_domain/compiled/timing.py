"""Timing of one trip and of one driver's schedule, on the tables of `columns.py`: the twins of `schedule.py`.

What depends on the trip alone (its flows, its end when punctual) is computed once and handed in: most trips are
punctual because the driver leaves for them in time, and then nothing is left to compute.
"""

from __future__ import annotations

import numpy as np

from qdispatch_domain.compiled.columns import (
    BREAK,
    BREAK_COLUMNS,
    BREAKS,
    FINISH,
    FIRST,
    FREE,
    FREE_FLOW,
    HAS_HOME,
    HOME,
    HOME_DEADHEAD,
    LATEST,
    LATEST_END,
    LATEST_FLOW,
    LEAVES,
    PLACE,
    SHIFT_END,
    TRIP_APPROACH,
    TRIP_BUFFER_FLOW,
    TRIP_DEADHEAD,
    TRIP_DROPOFF_SERVICE,
    TRIP_END,
    TRIP_LATENESS,
    TRIP_LOADED,
    TRIP_PICKUP,
    TRIP_PICKUP_PLACE,
    TRIP_PICKUP_SERVICE,
    TRIP_PROMISE,
    TRIP_PUNCTUAL_END,
    TRIP_RATE,
    TRIP_SCHEDULED,
    TRIP_TOLERANCE,
    TRIPS,
)
from qdispatch_domain.compiled.jit import loop_kernel
from qdispatch_domain.compiled.roads import flow, minutes_between, unflow
from qdispatch_domain.fleet import EPS, NEVER
from qdispatch_domain.weights import RULES

BUFFER = RULES.arrival_buffer_min


@loop_kernel
def end_of(pickup: float, pickup_service: float, loaded: float, dropoff_service: float, matrix: bool) -> float:
    """End of a trip picked up at `pickup`."""
    return unflow(flow(pickup + pickup_service, matrix) + loaded, matrix) + dropoff_service


@loop_kernel
def serve(
    free: float,
    free_flow: float,
    approach: float,
    scheduled: float,
    buffer_flow: float,
    punctual_end: float,
    pickup_service: float,
    dropoff_service: float,
    loaded: float,
    rows: np.ndarray,
    r: int,
    matrix: bool,
) -> tuple[float, float, float, float]:
    """(depart, pickup, end, arrival) of a trip by the driver of schedule row r; see `schedule.serve`."""
    depart = unflow(buffer_flow - approach, matrix)
    if free > depart:
        depart = free
        arrival = unflow(free_flow + approach, matrix)
    else:
        arrival = scheduled - BUFFER
    pickup, end = scheduled, punctual_end
    if arrival > scheduled:
        pickup, end = arrival, end_of(arrival, pickup_service, loaded, dropoff_service, matrix)
    for k in range(int(rows[r, BREAKS])):
        at = BREAK + BREAK_COLUMNS * k
        if depart < rows[r, at + 1] and end > rows[r, at] + EPS:
            depart = rows[r, at + 1]
            arrival = unflow(rows[r, at + 2] + approach, matrix)
            pickup, end = scheduled, punctual_end
            if arrival > scheduled:
                pickup, end = arrival, end_of(arrival, pickup_service, loaded, dropoff_service, matrix)
    return depart, pickup, end, arrival


@loop_kernel
def latest_free(
    latest: float,
    latest_flow: float,
    latest_end: float,
    approach: float,
    scheduled: float,
    pickup_service: float,
    dropoff_service: float,
    loaded: float,
    rows: np.ndarray,
    r: int,
    matrix: bool,
) -> float:
    """Latest time to become free and still pick up by `latest`, whose flow and end of trip are given; -NEVER: never."""
    if latest < scheduled - 1e-9:
        return -NEVER
    free = unflow(latest_flow - approach, matrix)
    for k in range(int(rows[r, BREAKS]) - 1, -1, -1):
        at = BREAK + BREAK_COLUMNS * k
        start = rows[r, at]
        if free < rows[r, at + 1] - EPS and latest_end > start + EPS:
            pickup = max(unflow(flow(free, matrix) + approach, matrix), scheduled)
            if end_of(pickup, pickup_service, loaded, dropoff_service, matrix) > start + EPS:
                before = unflow(flow(start - dropoff_service, matrix) - loaded, matrix) - pickup_service
                if before < scheduled - 1e-9:
                    return -NEVER
                free = unflow(flow(before, matrix) - approach, matrix)
    return free


@loop_kernel
def time_row(at: np.ndarray, rows: np.ndarray, r: int, seconds: np.ndarray) -> None:
    """Forward and backward pass over the positions of schedule row r, in place; see `schedule.schedules`.

    Wants: FREE at the first position, PLACE everywhere, the trips' own columns, and the row's home, shift and breaks.
    """
    matrix = seconds.shape[0] > 0
    first = int(rows[r, FIRST])
    last = first + int(rows[r, TRIPS])
    at[first, FREE_FLOW] = flow(at[first, FREE], matrix)
    for q in range(first, last):
        scheduled, loaded = at[q, TRIP_SCHEDULED], at[q, TRIP_LOADED]
        pickup_service, dropoff_service = at[q, TRIP_PICKUP_SERVICE], at[q, TRIP_DROPOFF_SERVICE]
        approach = minutes_between(at, q, PLACE, at, q, TRIP_PICKUP_PLACE, seconds)
        buffer_flow = flow(scheduled - BUFFER, matrix)
        punctual_end = end_of(scheduled, pickup_service, loaded, dropoff_service, matrix)
        depart, pickup, end, arrival = serve(
            at[q, FREE],
            at[q, FREE_FLOW],
            approach,
            scheduled,
            buffer_flow,
            punctual_end,
            pickup_service,
            dropoff_service,
            loaded,
            rows,
            r,
            matrix,
        )
        at[q, TRIP_APPROACH] = approach
        at[q, TRIP_BUFFER_FLOW] = buffer_flow
        at[q, TRIP_PUNCTUAL_END] = punctual_end
        at[q, LEAVES] = depart
        at[q, TRIP_PICKUP] = pickup
        at[q, TRIP_END] = end
        at[q, TRIP_DEADHEAD] = arrival - depart
        at[q, TRIP_LATENESS] = at[q, TRIP_RATE] * max(pickup - scheduled - at[q, TRIP_TOLERANCE], 0.0)
        at[q + 1, FREE] = end
        at[q + 1, FREE_FLOW] = flow(end, matrix)

    finish, away = at[last, FREE], 0.0
    if rows[r, HAS_HOME] > 0.0:
        away = minutes_between(at, last, PLACE, rows, r, HOME, seconds)
        finish = unflow(at[last, FREE_FLOW] + away, matrix)
    rows[r, FINISH] = finish
    rows[r, HOME_DEADHEAD] = finish - at[last, FREE]
    at[last, LATEST] = max(rows[r, SHIFT_END], finish)
    at[last, LATEST_FLOW] = flow(at[last, LATEST], matrix)
    at[last, LEAVES] = NEVER

    latest_end = unflow(at[last, LATEST_FLOW] - away, matrix)
    for q in range(last - 1, first - 1, -1):
        scheduled, loaded = at[q, TRIP_SCHEDULED], at[q, TRIP_LOADED]
        pickup_service, dropoff_service = at[q, TRIP_PICKUP_SERVICE], at[q, TRIP_DROPOFF_SERVICE]
        by_end = unflow(flow(latest_end - dropoff_service, matrix) - loaded, matrix) - pickup_service
        # never below what is predicted now: a breach that is there already is kept, not worsened
        latest = max(min(at[q, TRIP_PROMISE], by_end), at[q, TRIP_PICKUP])
        at[q, LATEST] = latest
        at[q, LATEST_FLOW] = flow(latest, matrix)
        at[q, LATEST_END] = end_of(latest, pickup_service, loaded, dropoff_service, matrix)
        free = latest_free(
            latest,
            at[q, LATEST_FLOW],
            at[q, LATEST_END],
            at[q, TRIP_APPROACH],
            scheduled,
            pickup_service,
            dropoff_service,
            loaded,
            rows,
            r,
            matrix,
        )
        latest_end = max(free, at[q, FREE])
