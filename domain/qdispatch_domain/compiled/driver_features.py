"""Features of the usable drivers, and what the pairs' features compare with."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.compiled.arrays import FleetArrays
from qdispatch_domain.compiled.feature_columns import DRIVER_SCALES, D, flag, store
from qdispatch_domain.compiled.jit import kernel, part
from qdispatch_domain.compiled.local_places import local_km
from qdispatch_domain.compiled.table_arrays import TableArrays
from qdispatch_domain.fleet import NEVER


@kernel
def against_mean(
    n: int,
    counts: np.ndarray,
    x: np.ndarray,
    size: np.ndarray,
    sum_x: np.ndarray,
    window_trips: np.ndarray,
    share: np.ndarray,
    load: np.ndarray,
    window: np.ndarray,
) -> None:
    """Trips per share today and in the fairness window, against the mean; 0 for drivers who do not count."""
    drivers = max(size[n], 1.0)
    mean = sum_x[n] / drivers
    total = 0.0
    for d in range(load.shape[0]):
        load[d], window[d] = 0.0, 0.0
        if counts[n, d]:
            load[d], window[d] = x[n, d] - mean, window_trips[n, d] / share[n, d]
            total += window[d]
    for d in range(load.shape[0]):
        if counts[n, d]:
            window[d] -= total / drivers


@kernel
def per_driver_pairs(
    driver: np.ndarray,
    rank: np.ndarray,
    total: np.ndarray,
    p: int,
    last: int,
    best: np.ndarray,
    other: np.ndarray,
    wanted: np.ndarray,
) -> None:
    """The two cheapest pairs of every driver (NEVER: none) and how many bookings want the driver most."""
    best[:] = NEVER
    other[:] = NEVER
    wanted[:] = 0.0
    for i in range(p, last):
        d, cost = driver[i], total[i]
        if rank[i] == 0:
            wanted[d] += 1.0
        if cost < best[d]:
            best[d], other[d] = cost, best[d]
        elif cost < other[d]:
            other[d] = cost


@part
def driver_rows(
    f: FleetArrays,
    t: TableArrays,
    n: int,
    latitude: float,
    longitude: float,
    load: np.ndarray,
    window: np.ndarray,
    wanted: np.ndarray,
    first_row: int,
    raw: np.ndarray,
    out: np.ndarray,
) -> int:
    """Rows of the usable drivers of day n; returns how many."""
    now = f.now[n]
    minutes = 0.0
    for d in range(load.shape[0]):
        if t.counts[n, d]:
            minutes += f.window_minutes[n, d] / f.contract_share[n, d]
    mean_minutes = minutes / max(t.size[n], 1.0)
    r = first_row
    for d in range(load.shape[0]):
        if not f.driver_real[n, d] or f.driver_gap[n, d] != 0:
            continue
        pause = NEVER
        for k in range(f.break_end.shape[2]):
            if f.break_end[n, d, k] > now:
                pause = min(pause, f.break_start[n, d, k])
        running = flag(f.locked[n, d])
        east, north = local_km(f.anchor_place, n, d, latitude, longitude)
        raw[D.free_in] = f.anchor_time[n, d] - now
        raw[D.shift_left] = f.shift_end[n, d] - f.anchor_time[n, d]
        raw[D.next_break_in] = pause - now
        raw[D.next_departure_in] = (t.departs[r, 0] if t.trips[r] > 0 else NEVER) - now
        raw[D.finish_in] = t.finish[r] - now
        raw[D.seats] = float(f.seats[n, d])
        raw[D.trips] = f.trips_done[n, d] + running + f.n_trips[n, d]
        raw[D.committed] = float(f.n_trips[n, d])
        raw[D.load] = load[d]
        raw[D.contract_share] = f.contract_share[n, d]
        raw[D.window_load] = window[d]
        raw[D.window_minutes] = (
            f.window_minutes[n, d] / f.contract_share[n, d] - mean_minutes if t.counts[n, d] else 0.0
        )
        raw[D.minutes_driven] = f.minutes_driven[n, d]
        raw[D.east] = east
        raw[D.north] = north
        raw[D.wanted] = wanted[d]
        raw[D.regular] = flag(f.regular[n, d])
        raw[D.wheelchair_access] = flag(f.wheelchair_access[n, d])
        raw[D.running] = running
        store(raw, out, r, DRIVER_SCALES)
        r += 1
    return r - first_row
