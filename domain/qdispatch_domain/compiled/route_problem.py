"""What a plan of one day is about: its tasks and drivers in few arrays, and the driving minutes between their places.

Few, because a compiled function that is not inlined is handed every array of a tuple anew. Places are numbered: task t
is place t, where its patient is fetched as a destination and where that trip ends as an origin; behind the tasks come
the drivers, whose anchor is an origin and whose home a destination.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qdispatch_domain.compiled.jit import loop_part
from qdispatch_domain.compiled.primitives import free_flow

# columns of `task`
SCHEDULED, TOLERANCE, PICKUP_SERVICE, DROPOFF_SERVICE, LOADED = 0, 1, 2, 3, 4
LATE_RATE = 5  # minutes-equivalent a minute
LATEST = 6  # latest pickup, hard
EXTRA_VARIANCE = 7  # of loading, driving with the patient and unloading, minutes squared
TASK_COLUMNS = 8

# columns of `driver`
ANCHOR_TIME = 0
TRIP_COST = 1  # of every trip: EMERGENCY drivers
HAS_HOME = 2
WORKED = 3  # has driven a trip already, so the drive home is due even without another one
LATEST_FINISH = 4
LOAD_STEP = 5  # trips per contract share of one more trip; 0 where it does not count
LOAD_BASE = 6  # x without any task of this problem
DRIVER_COLUMNS = 7

MOST_KEPT = 320  # places; with more, minutes are computed whenever they are needed


class Problem(NamedTuple):
    """One day: tasks [T] (COMMITTED trips first, then bookings) and drivers [D]. Never changes in a search."""

    task: np.ndarray  # [T, TASK_COLUMNS]
    driver: np.ndarray  # [D, DRIVER_COLUMNS]
    breaks: np.ndarray  # [2, D, K] start, end
    origin: np.ndarray  # [T + D, 4] places as in `travel.py`: drop-offs, anchors
    destination: np.ndarray  # [T + D, 4] pickups, homes
    minutes: np.ndarray  # [T + D, T + D] free-flow minutes from origin to destination, NaN until asked for; or [0, 0]
    seconds: np.ndarray  # the caller's matrix, [0, 0] without one
    load_size: float  # drivers who count, those outside this problem included
    load_total: float  # sum of x over those outside
    load_squares: float  # sum of x^2 over those outside
    travel_sd: float


@loop_part
def between(p: Problem, origin: int, destination: int) -> float:
    """Free-flow minutes between two places."""
    if p.minutes.shape[0] == 0:
        return free_flow(p.origin[origin], p.destination[destination], p.seconds)
    known = p.minutes[origin, destination]
    if known != known:
        known = free_flow(p.origin[origin], p.destination[destination], p.seconds)
        p.minutes[origin, destination] = known
    return known
