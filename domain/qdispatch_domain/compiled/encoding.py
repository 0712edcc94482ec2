"""All features of N days in one call, straight into float32: the twin of `encoding.py` of the domain, by a test."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qdispatch_domain.compiled.arrays import FleetArrays
from qdispatch_domain.compiled.booking_features import booking_rows
from qdispatch_domain.compiled.context_features import context_row
from qdispatch_domain.compiled.driver_features import against_mean, driver_rows, per_driver_pairs
from qdispatch_domain.compiled.feature_columns import MOST_COLUMNS
from qdispatch_domain.compiled.jit import kernel
from qdispatch_domain.compiled.local_places import centre
from qdispatch_domain.compiled.pair_features import pair_rows
from qdispatch_domain.compiled.runs import run_end
from qdispatch_domain.compiled.table_arrays import TableArrays
from qdispatch_domain.features import N_BOOKING, N_CONTEXT, N_DRIVER, N_PAIR


class Encoded(NamedTuple):
    """The fields of `Observations`, in its order."""

    driver_features: np.ndarray
    booking_features: np.ndarray
    pair_features: np.ndarray
    pair_driver: np.ndarray
    pair_booking: np.ndarray
    context: np.ndarray
    pair_cost: np.ndarray
    driver_graph: np.ndarray
    booking_graph: np.ndarray
    pair_graph: np.ndarray


@kernel
def encode(f: FleetArrays, t: TableArrays) -> Encoded:
    """Observations of all days."""
    days, drivers = f.driver_real.shape
    bookings, pairs, n_rows = f.open.shape[1], t.total.shape[0], t.trips.shape[0]
    n_open = 0
    for n in range(days):
        for b in range(bookings):
            if f.open[n, b]:
                n_open += 1
    out = Encoded(
        np.empty((n_rows, N_DRIVER), np.float32),
        np.empty((n_open, N_BOOKING), np.float32),
        np.empty((pairs, N_PAIR), np.float32),
        t.row.copy(),
        np.empty(pairs, np.int64),
        np.empty((days, N_CONTEXT), np.float32),
        np.empty(pairs, np.float32),
        np.empty(n_rows, np.int64),
        np.empty(n_open, np.int64),
        t.day.copy(),
    )
    best, other = np.empty(drivers), np.empty(drivers)  # a driver's cheapest pair, and the next one
    load, window = np.empty(drivers), np.empty(drivers)  # against the mean
    wanted = np.empty(drivers)
    raw = np.full(MOST_COLUMNS, np.nan)
    first_row, first_open, p = 0, 0, 0
    for n in range(days):
        last = run_end(t.day, p) if p < pairs and t.day[p] == n else p  # a day may have none
        against_mean(n, t.counts, t.x, t.size, t.sum_x, f.window_trips, f.contract_share, load, window)
        per_driver_pairs(t.driver, t.rank, t.total, p, last, best, other, wanted)
        latitude, longitude = centre(f, n)
        rows = driver_rows(f, t, n, latitude, longitude, load, window, wanted, first_row, raw, out.driver_features)
        opened = booking_rows(
            f, t, n, latitude, longitude, p, last, first_open, raw, out.booking_features, out.pair_booking
        )
        pair_rows(f, t, n, p, last, load, window, best, other, raw, out.pair_features, out.pair_cost)
        context_row(f, t, n, rows, last - p, raw, out.context)
        out.driver_graph[first_row : first_row + rows] = n
        out.booking_graph[first_open : first_open + opened] = n
        first_row += rows
        first_open += opened
        p = last
    return out
