"""How the drivers really drive: departures by the rule, then the day's own travel and service times."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.fleet import EPS, Fleet, drop_first_trip
from qdispatch_domain.schedule import serve, work_of_trips
from qdispatch_trainer.day import F64, I64
from qdispatch_trainer.simulator.progress import IDLE, Fate, Progress
from qdispatch_trainer.simulator.truth import Truth


def advance(fleet: Fleet, truth: Truth, progress: Progress, to: F64) -> None:
    """Move every day on to `to` [N] (>= now; infinite: until all trips are done), in place.

    A driver leaves for the next COMMITTED trip when the rules say (they know the predicted times only) and needs the
    realised times for it. At `to` itself nobody has left yet: a decision at that instant comes first.
    """
    while True:
        _finish(fleet, progress, to)
        if not _depart(fleet, truth, progress, to):
            break
    progress.now[:] = np.where(np.isinf(to), progress.now, to)
    waiting = (progress.fate == Fate.OPEN) & (truth.ready_at <= to[:, None]) & (truth.expires <= to[:, None])
    progress.fate[waiting] = Fate.UNSERVED


def _finish(fleet: Fleet, progress: Progress, to: F64) -> None:
    n, d = np.nonzero(progress.running != IDLE)
    b = progress.running[n, d]
    ended = progress.done_at[n, b] <= to[n]
    n, d, b = n[ended], d[ended], b[ended]
    progress.fate[n, b] = Fate.DONE
    progress.running[n, d] = IDLE
    progress.last_done[n, d] = b
    progress.free_since[n, d] = progress.done_at[n, b]
    fleet.trips_done[n, d] += 1.0
    empty = progress.arrived_at[n, b] - progress.departed_at[n, b]
    fleet.minutes_driven[n, d] += empty + (progress.reached_dropoff_at[n, b] - progress.left_pickup_at[n, b])


def _depart(fleet: Fleet, truth: Truth, progress: Progress, to: F64) -> bool:
    """Let every idle driver leave who does so before `to`; False if nobody does."""
    n, d = np.nonzero((progress.running == IDLE) & (fleet.n_trips > 0))
    first = np.zeros(len(n), dtype=np.int64)
    last = progress.last_done[n, d]
    place = np.where((last == IDLE)[:, None], truth.start_place[n, d], truth.dropoff[n, last])
    free = np.maximum(np.maximum(progress.now[n], progress.free_since[n, d]), fleet.shift_start[n, d])
    approach = truth.travel.free_flow(place, fleet.trip_pickup[n, d, first])
    depart = serve(truth.travel, free, approach, work_of_trips(fleet, n, d, first)).depart
    leaves = depart < to[n] - EPS
    if not leaves.any():
        return False
    n, d, last = n[leaves], d[leaves], last[leaves]
    _drive(truth, progress, n, fleet.trip_code[n, d, 0], depart[leaves], approach[leaves])
    progress.came_from[n, fleet.trip_code[n, d, 0]] = last
    progress.running[n, d] = fleet.trip_code[n, d, 0]
    drop_first_trip(fleet, n, d)
    return True


def _drive(truth: Truth, progress: Progress, n: I64, b: I64, depart: F64, approach: F64) -> None:
    arrived = truth.travel.arrive(depart, approach * truth.deadhead_factor[n, b])
    picked_up = np.maximum(arrived, truth.scheduled[n, b])
    left = picked_up + truth.pickup_service[n, b]
    reached = truth.travel.arrive(left, truth.loaded[n, b] * truth.loaded_factor[n, b])
    progress.fate[n, b] = Fate.RUNNING
    progress.approach[n, b] = approach
    progress.departed_at[n, b] = depart
    progress.arrived_at[n, b] = arrived
    progress.picked_up_at[n, b] = picked_up
    progress.left_pickup_at[n, b] = left
    progress.reached_dropoff_at[n, b] = reached
    progress.done_at[n, b] = reached + truth.dropoff_service[n, b]
