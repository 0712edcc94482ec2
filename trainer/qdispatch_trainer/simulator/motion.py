"""How the drivers really drive: departures by the rule, then the day's own travel and service times."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.compiled.arrays import FleetArrays, arrays_of
from qdispatch_domain.compiled.columns import BREAK, BREAK_COLUMNS
from qdispatch_domain.compiled.committing import drop_first_trip
from qdispatch_domain.compiled.day_tables import gather_breaks
from qdispatch_domain.compiled.jit import kernel
from qdispatch_domain.compiled.roads import flow, road_minutes, unflow
from qdispatch_domain.compiled.timing import BUFFER, end_of, serve
from qdispatch_domain.fleet import EPS, Fleet
from qdispatch_domain.weights import RULES
from qdispatch_trainer.day import F64
from qdispatch_trainer.simulator.progress import IDLE, Fate, Progress
from qdispatch_trainer.simulator.state_arrays import ProgressArrays, TruthArrays, progress_arrays, truth_arrays
from qdispatch_trainer.simulator.truth import Truth

OPEN, RUNNING, DONE, UNSERVED = int(Fate.OPEN), int(Fate.RUNNING), int(Fate.DONE), int(Fate.UNSERVED)
LATEST_INSERTION = RULES.latest_insertion_min


def advance(fleet: Fleet, truth: Truth, progress: Progress, to: F64) -> None:
    """Move every day on to `to` [N] (>= now; infinite: until all trips are done), in place.

    A driver leaves for the next COMMITTED trip when the rules say (they know the predicted times only) and needs the
    realised times for it. At `to` itself nobody has left yet: a decision at that instant comes first.
    """
    _advance(arrays_of(fleet), truth_arrays(truth), progress_arrays(progress), to)


@kernel
def _advance(f: FleetArrays, t: TruthArrays, p: ProgressArrays, to: F64) -> None:
    breaks = np.empty((1, BREAK + BREAK_COLUMNS * f.break_start.shape[2]))
    for n in range(p.now.shape[0]):
        if p.over[n]:
            continue
        for d in range(p.running.shape[1]):
            if p.running[n, d] == IDLE and f.n_trips[n, d] == 0:
                continue
            gather_breaks(f.break_start, f.break_end, n, d, breaks, 0, False)
            while True:
                b = p.running[n, d]
                if b != IDLE:
                    if p.done_at[n, b] > to[n]:
                        break
                    p.fate[n, b] = DONE
                    p.running[n, d], p.last_done[n, d] = IDLE, b
                    p.free_since[n, d] = p.done_at[n, b]
                    f.trips_done[n, d] += 1.0
                    empty = p.arrived_at[n, b] - p.departed_at[n, b]
                    f.minutes_driven[n, d] += empty + (p.reached_dropoff_at[n, b] - p.left_pickup_at[n, b])
                if f.n_trips[n, d] == 0:
                    break
                b, last = f.trip_code[n, d, 0], p.last_done[n, d]
                approach = _approach(f.trip_pickup, t.start_place, t.dropoff, n, d, last)
                free = max(max(p.now[n], p.free_since[n, d]), f.shift_start[n, d])
                depart = _departure(
                    free,
                    approach,
                    f.trip_scheduled[n, d, 0],
                    f.trip_pickup_service[n, d, 0],
                    f.trip_dropoff_service[n, d, 0],
                    f.trip_loaded[n, d, 0],
                    breaks,
                )
                if depart >= to[n] - EPS:
                    break
                arrived = unflow(flow(depart, False) + approach * t.deadhead_factor[n, b], False)
                picked_up = max(arrived, t.scheduled[n, b])
                left = picked_up + t.pickup_service[n, b]
                reached = unflow(flow(left, False) + t.loaded[n, b] * t.loaded_factor[n, b], False)
                p.fate[n, b], p.running[n, d], p.came_from[n, b] = RUNNING, b, last
                p.approach[n, b], p.departed_at[n, b], p.arrived_at[n, b] = approach, depart, arrived
                p.picked_up_at[n, b], p.left_pickup_at[n, b] = picked_up, left
                p.reached_dropoff_at[n, b], p.done_at[n, b] = reached, reached + t.dropoff_service[n, b]
                drop_first_trip(f, n, d)
        if np.isfinite(to[n]):
            p.now[n] = to[n]
        for b in range(p.fate.shape[1]):
            expires = t.scheduled[n, b] + LATEST_INSERTION
            if p.fate[n, b] == OPEN and t.ready_at[n, b] <= to[n] and expires <= to[n]:
                p.fate[n, b] = UNSERVED


@kernel
def _approach(trip_pickup: F64, start_place: F64, dropoff: F64, n: int, d: int, last: int) -> float:
    """Free-flow minutes from where driver d stands, the dropoff of booking `last` or the start, to the next pickup."""
    x, y, z = trip_pickup[n, d, 0, 0], trip_pickup[n, d, 0, 1], trip_pickup[n, d, 0, 2]
    if last == IDLE:
        return road_minutes(start_place[n, d, 0] - x, start_place[n, d, 1] - y, start_place[n, d, 2] - z)
    return road_minutes(dropoff[n, last, 0] - x, dropoff[n, last, 1] - y, dropoff[n, last, 2] - z)


@kernel
def _departure(
    free: float,
    approach: float,
    scheduled: float,
    pickup_service: float,
    dropoff_service: float,
    loaded: float,
    breaks: F64,
) -> float:
    """When the rules let a driver leave for a trip."""
    depart, _, _, _ = serve(
        free,
        flow(free, False),
        approach,
        scheduled,
        flow(scheduled - BUFFER, False),
        end_of(scheduled, pickup_service, loaded, dropoff_service, False),
        pickup_service,
        dropoff_service,
        loaded,
        breaks,
        0,
        False,
    )
    return depart
