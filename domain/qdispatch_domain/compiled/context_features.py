"""Features of a whole day as it stands."""

from __future__ import annotations

import math

import numpy as np

from qdispatch_domain.compiled.arrays import FleetArrays
from qdispatch_domain.compiled.booking_features import must
from qdispatch_domain.compiled.feature_columns import CONTEXT_SCALES, C, flag, store
from qdispatch_domain.compiled.jit import part
from qdispatch_domain.compiled.table_arrays import TableArrays
from qdispatch_domain.reasons import BookingGap

NOT_READY = int(BookingGap.NOT_READY)
NOON = 720.0


@part
def context_row(
    f: FleetArrays, t: TableArrays, n: int, rows: int, pairs: int, raw: np.ndarray, out: np.ndarray
) -> None:
    """The row of day n with `rows` usable drivers."""
    now = f.now[n]
    size = float(max(rows, 1))
    opened, urgent, not_ready, musts, hopeless = 0.0, 0.0, 0.0, 0.0, 0.0
    for b in range(f.open.shape[1]):
        if f.booking_real[n, b] and f.booking_gap[n, b] == NOT_READY:
            not_ready += 1.0
        if must(t.has_pair[n, b], t.decide_by[n, b], now):
            musts += 1.0
        if f.open[n, b]:
            opened += 1.0
            urgent += flag(f.urgent[n, b])
            hopeless += flag(not t.has_pair[n, b])
    committed, done, running, reserve, access, free_in, left = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for d in range(f.driver_real.shape[1]):
        if f.driver_real[n, d] and f.driver_gap[n, d] == 0:
            committed += f.n_trips[n, d]
            done += f.trips_done[n, d]
            running += flag(f.locked[n, d])
            reserve += flag(not f.regular[n, d])
            access += flag(f.wheelchair_access[n, d])
            free_in += f.anchor_time[n, d] - now
            left += f.shift_end[n, d] - f.anchor_time[n, d]
    spread = math.sqrt(max(t.size[n] * t.squares[n] - t.sum_x[n] * t.sum_x[n], 0.0))
    raw[C.drivers] = math.log1p(float(rows))
    raw[C.open] = opened / size
    raw[C.urgent_open] = urgent / size
    raw[C.not_ready] = not_ready / size
    raw[C.must] = musts / size
    raw[C.hopeless] = hopeless / size
    raw[C.pairs] = pairs / size
    raw[C.committed] = committed / size
    raw[C.done] = done / size
    raw[C.running] = running / size
    raw[C.reserve] = reserve / size
    raw[C.wheelchair_access] = access / size
    raw[C.spread] = spread / size
    raw[C.free_in] = free_in / size
    raw[C.shift_left] = left / size
    raw[C.time_of_day] = now - NOON
    raw[C.next_event_in] = t.next_event[n] - now
    store(raw, out, n, CONTEXT_SCALES)
