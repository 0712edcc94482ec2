"""Features of the open bookings."""

from __future__ import annotations

import math

import numpy as np

from qdispatch_domain.compiled.arrays import FleetArrays
from qdispatch_domain.compiled.feature_columns import BOOKING_SCALES, B, flag, store
from qdispatch_domain.compiled.jit import kernel, part
from qdispatch_domain.compiled.local_places import local_km
from qdispatch_domain.compiled.table_arrays import TableArrays
from qdispatch_domain.fleet import EPS, NEVER


@part
def booking_rows(
    f: FleetArrays,
    t: TableArrays,
    n: int,
    latitude: float,
    longitude: float,
    p: int,
    last: int,
    first_open: int,
    raw: np.ndarray,
    out: np.ndarray,
    pair_booking: np.ndarray,
) -> int:
    """Rows of the open bookings of day n; returns how many, and notes which row each of the pairs p to last has."""
    now = f.now[n]
    j, i = first_open, p
    for b in range(f.open.shape[1]):
        if not f.open[n, b]:
            continue
        best, regret = 0.0, NEVER
        while i < last and t.booking[i] == b:
            if t.rank[i] == 0:
                best = t.total[i]
            elif t.rank[i] == 1:
                regret = t.total[i]
            pair_booking[i] = j
            i += 1
        decide_in = (NEVER if math.isnan(t.decide_by[n, b]) else t.decide_by[n, b]) - now
        linked = f.linked_booking[n, b]
        pickup_east, pickup_north = local_km(f.pickup, n, b, latitude, longitude)
        dropoff_east, dropoff_north = local_km(f.dropoff, n, b, latitude, longitude)
        raw[B.due_in] = f.scheduled[n, b] - now
        raw[B.decide_in] = decide_in
        raw[B.known_for] = NEVER if math.isnan(f.known_since[n, b]) else now - f.known_since[n, b]
        raw[B.loaded] = f.loaded[n, b]
        raw[B.tolerance] = f.tolerance[n, b]
        raw[B.passengers] = float(f.passengers[n, b])
        raw[B.feasible_drivers] = float(t.feasible_drivers[n, b])
        raw[B.on_time_drivers] = float(t.on_time_drivers[n, b])
        raw[B.best_cost] = best
        raw[B.regret] = regret - best
        raw[B.pickup_east] = pickup_east
        raw[B.pickup_north] = pickup_north
        raw[B.dropoff_east] = dropoff_east
        raw[B.dropoff_north] = dropoff_north
        raw[B.outbound] = flag(f.outbound[n, b])
        raw[B.urgent] = flag(f.urgent[n, b])
        raw[B.wheelchair] = flag(f.wheelchair[n, b])
        raw[B.planned] = flag(f.current_driver[n, b] >= 0)
        raw[B.pinned] = flag(f.pinned[n, b])
        raw[B.promised] = flag(math.isfinite(f.promised[n, b]))
        raw[B.other_leg_open] = flag(linked >= 0 and f.booking_real[n, linked] and f.linked_driver[n, linked] < 0)
        raw[B.other_leg_driven] = flag(f.linked_driver[n, b] >= 0)
        raw[B.must] = flag(must(t.has_pair[n, b], t.decide_by[n, b], now))
        store(raw, out, j, BOOKING_SCALES)
        j += 1
    return j - first_open


@kernel
def must(has_pair: bool, decide_by: float, now: float) -> bool:
    """See `CandidateTable.must`."""
    return has_pair and decide_by <= now + EPS
