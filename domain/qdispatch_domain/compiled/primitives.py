"""Scalar twins of `travel.py` and `schedule.serve`, compiled by numba; the same numbers as the numpy path (a test).

Places are rows (x, y, z, matrix row) as in `travel.py`; `seconds` [M, M] is the caller's matrix, or empty without one.
Times are service-day minutes. Nothing here is called without numba: see `acceleration.py`.
"""

from __future__ import annotations

import math

import numpy as np

from qdispatch_domain.compiled.jit import loop_kernel
from qdispatch_domain.fleet import EPS, NEVER
from qdispatch_domain.travel import _FLOW, _TIMES, DETOUR_FACTOR, EARTH_RADIUS_KM, FREE_FLOW_KM_PER_MIN
from qdispatch_domain.weights import RULES

TIMES, FLOW = _TIMES, _FLOW
SLOPE = np.diff(FLOW) / np.diff(TIMES)  # of F, per segment
INVERSE_SLOPE = np.diff(TIMES) / np.diff(FLOW)
SEGMENTS = len(SLOPE)
SEGMENT_OF_HOUR = np.searchsorted(TIMES, 60.0 * np.arange(24), side="right") - 1
if not np.isin(TIMES[1:-1] % 60.0, 0.0).all():
    raise AssertionError("the compiled travel time expects speeds that change at whole hours")
BUFFER = RULES.arrival_buffer_min
KM_FACTOR = 2.0 * EARTH_RADIUS_KM * DETOUR_FACTOR


@loop_kernel
def _segment(t: float) -> int:
    """Index of the segment of `TIMES` that holds t; all breakpoints but the ends are whole hours of the day."""
    if t < 0.0:
        return 0
    return SEGMENTS - 1 if t >= 1440.0 else SEGMENT_OF_HOUR[int(t / 60.0)]


@loop_kernel
def free_flow(origin: np.ndarray, destination: np.ndarray, seconds: np.ndarray) -> float:
    """Free-flow minutes between two place rows [4]."""
    if seconds.shape[0] > 0:
        return seconds[int(origin[3]), int(destination[3])] / 60.0
    dx, dy, dz = origin[0] - destination[0], origin[1] - destination[1], origin[2] - destination[2]
    half_chord = 0.5 * math.sqrt(dx * dx + dy * dy + dz * dz)
    return KM_FACTOR * math.asin(min(half_chord, 1.0)) / FREE_FLOW_KM_PER_MIN


@loop_kernel
def arrive(depart: float, minutes: float, matrix: bool) -> float:
    """Arrival of a leg of `minutes` free-flow minutes."""
    if matrix:
        return depart + minutes
    k = _segment(depart)
    flow = SLOPE[k] * (depart - TIMES[k]) + FLOW[k] + minutes
    while k < SEGMENTS - 1 and flow >= FLOW[k + 1]:
        k += 1
    return INVERSE_SLOPE[k] * (flow - FLOW[k]) + TIMES[k]


@loop_kernel
def depart_for(arrival: float, minutes: float, matrix: bool) -> float:
    """Latest departure that arrives by `arrival`."""
    if matrix:
        return arrival - minutes
    k = _segment(arrival)
    flow = SLOPE[k] * (arrival - TIMES[k]) + FLOW[k] - minutes
    while k > 0 and flow < FLOW[k]:
        k -= 1
    return INVERSE_SLOPE[k] * (flow - FLOW[k]) + TIMES[k]


@loop_kernel
def serve(
    free: float,
    approach: float,
    scheduled: float,
    pickup_service: float,
    dropoff_service: float,
    loaded: float,
    break_start: np.ndarray,
    break_end: np.ndarray,
    matrix: bool,
) -> tuple[float, float, float, float]:
    """(depart, pickup, end, arrival) of one trip, see `schedule.serve`; breaks [K] in order of time."""
    depart, punctual = free, scheduled - BUFFER
    if free < punctual:  # else there is nothing to wait for
        depart = max(free, depart_for(punctual, approach, matrix))
    arrival = arrive(depart, approach, matrix)
    pickup = max(arrival, scheduled)
    end = arrive(pickup + pickup_service, loaded, matrix) + dropoff_service
    for k in range(break_start.shape[0]):
        if depart < break_end[k] and end > break_start[k] + EPS:
            depart = break_end[k]
            arrival = arrive(depart, approach, matrix)
            pickup = max(arrival, scheduled)
            end = arrive(pickup + pickup_service, loaded, matrix) + dropoff_service
    return depart, pickup, end, arrival


@loop_kernel
def latest_free(
    latest_pickup: float,
    approach: float,
    scheduled: float,
    pickup_service: float,
    dropoff_service: float,
    loaded: float,
    break_start: np.ndarray,
    break_end: np.ndarray,
    matrix: bool,
) -> float:
    """Latest time at which a driver may become free and still pick up by `latest_pickup`; -NEVER if never."""
    possible = latest_pickup >= scheduled - 1e-9
    latest = depart_for(latest_pickup, approach, matrix)
    for k in range(break_start.shape[0] - 1, -1, -1):
        start = break_start[k]
        pickup = max(arrive(latest, approach, matrix), scheduled)
        end = arrive(pickup + pickup_service, loaded, matrix) + dropoff_service
        if latest < break_end[k] - EPS and end > start + EPS:
            before = depart_for(start - dropoff_service, loaded, matrix) - pickup_service
            possible = possible and before >= scheduled - 1e-9
            latest = depart_for(before, approach, matrix)
    return latest if possible else -NEVER
