"""All features of N days in one call, straight into float32: the twin of `encoding.py`.

`D.free_in` is the column of that name in `features.py`, and so on; a test compares every one of them with numpy's.
"""

from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from qdispatch_domain.compiled.arrays import FleetArrays
from qdispatch_domain.compiled.jit import kernel, part
from qdispatch_domain.features import (
    BOOKING,
    CLIP,
    CONTEXT,
    DRIVER,
    N_BOOKING,
    N_CONTEXT,
    N_DRIVER,
    N_PAIR,
    PAIR,
    Feature,
)
from qdispatch_domain.fleet import EPS, NEVER
from qdispatch_domain.reasons import BookingGap
from qdispatch_domain.travel import DETOUR_FACTOR, EARTH_RADIUS_KM


def _columns(features: Sequence[Feature]) -> Any:  # a named tuple, whose names are the data's
    return namedtuple("Columns", [feature.name for feature in features])(*range(len(features)))


def _scales(features: Sequence[Feature]) -> np.ndarray:
    return np.array([feature.scale for feature in features])


D, B, P, C = _columns(DRIVER), _columns(BOOKING), _columns(PAIR), _columns(CONTEXT)
DRIVER_SCALES, BOOKING_SCALES, PAIR_SCALES, CONTEXT_SCALES = map(_scales, (DRIVER, BOOKING, PAIR, CONTEXT))
MOST_COLUMNS = max(len(DRIVER), len(BOOKING), len(PAIR), len(CONTEXT))
DEGREE = 180.0 / math.pi
KM_PER_DEGREE = math.pi / 180.0 * EARTH_RADIUS_KM * DETOUR_FACTOR
NOT_READY = int(BookingGap.NOT_READY)
NOON = 720.0


class TableArrays(NamedTuple):
    """What the features need of a `CandidateTable`, under its names; P pairs, R schedule rows."""

    row: np.ndarray  # [P]
    day: np.ndarray
    driver: np.ndarray
    booking: np.ndarray
    position: np.ndarray
    depart: np.ndarray
    pickup: np.ndarray
    end: np.ndarray
    on_time: np.ndarray
    deadhead: np.ndarray
    lateness: np.ndarray
    downstream: np.ndarray
    slack: np.ndarray
    expiry: np.ndarray
    rank: np.ndarray
    emergency: np.ndarray
    driver_change: np.ndarray
    spread: np.ndarray
    total: np.ndarray
    has_pair: np.ndarray  # [N, B]
    feasible_drivers: np.ndarray
    on_time_drivers: np.ndarray
    decide_by: np.ndarray
    trips: np.ndarray  # [R]
    free_time: np.ndarray  # [R, L + 1]
    departs: np.ndarray  # [R, L]
    finish: np.ndarray  # [R]
    counts: np.ndarray  # [N, D]
    x: np.ndarray  # [N, D]
    size: np.ndarray  # [N]
    sum_x: np.ndarray  # [N]
    squares: np.ndarray  # [N]
    next_event: np.ndarray  # [N]


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
        last = p
        while last < pairs and t.day[last] == n:
            last += 1
        _against_mean(n, t.counts, t.x, t.size, t.sum_x, f.window_trips, f.contract_share, load, window)
        _per_driver_pairs(t.driver, t.rank, t.total, p, last, best, other, wanted)
        latitude, longitude = _centre(f, n)
        rows = _drivers(f, t, n, latitude, longitude, load, window, wanted, first_row, raw, out.driver_features)
        opened = _bookings(
            f, t, n, latitude, longitude, p, last, first_open, raw, out.booking_features, out.pair_booking
        )
        _pairs(f, t, n, p, last, load, window, best, other, raw, out.pair_features, out.pair_cost)
        _context(f, t, n, rows, last - p, raw, out.context)
        out.driver_graph[first_row : first_row + rows] = n
        out.booking_graph[first_open : first_open + opened] = n
        first_row += rows
        first_open += opened
        p = last
    return out


@kernel
def _store(raw: np.ndarray, out: np.ndarray, i: int, scales: np.ndarray) -> None:
    """Scaled and clipped values into row i."""
    for c in range(scales.shape[0]):
        value = raw[c] / scales[c]
        value = value if value < CLIP else CLIP
        out[i, c] = value if value > -CLIP else -CLIP


@kernel
def _flag(condition: bool) -> float:
    return 1.0 if condition else 0.0


@kernel
def _against_mean(
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
def _per_driver_pairs(
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


@kernel
def _degrees(places: np.ndarray, n: int, i: int) -> tuple[float, float]:
    """Latitude and longitude of the place [n, i]."""
    latitude = math.asin(min(max(places[n, i, 2], -1.0), 1.0)) * DEGREE
    return latitude, math.atan2(places[n, i, 1], places[n, i, 0]) * DEGREE


@kernel
def _local_km(places: np.ndarray, n: int, i: int, latitude: float, longitude: float) -> tuple[float, float]:
    """Road-equivalent kilometres east and north of the centre."""
    lat, lon = _degrees(places, n, i)
    turn = (lon - longitude + 180.0) % 360.0 - 180.0
    return turn * math.cos(latitude / DEGREE) * KM_PER_DEGREE, (lat - latitude) * KM_PER_DEGREE


@part
def _centre(f: FleetArrays, n: int) -> tuple[float, float]:
    """Mean latitude and longitude of the usable drivers' anchors."""
    x, y, z = 0.0, 0.0, 0.0
    for d in range(f.driver_real.shape[1]):
        if f.driver_real[n, d] and f.driver_gap[n, d] == 0:
            x += f.anchor_place[n, d, 0]
            y += f.anchor_place[n, d, 1]
            z += f.anchor_place[n, d, 2]
    norm = max(math.sqrt(x * x + y * y + z * z), 1e-12)
    return math.asin(min(max(z / norm, -1.0), 1.0)) * DEGREE, math.atan2(y / norm, x / norm) * DEGREE


@part
def _drivers(
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
        running = _flag(f.locked[n, d])
        east, north = _local_km(f.anchor_place, n, d, latitude, longitude)
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
        raw[D.regular] = _flag(f.regular[n, d])
        raw[D.wheelchair_access] = _flag(f.wheelchair_access[n, d])
        raw[D.running] = running
        _store(raw, out, r, DRIVER_SCALES)
        r += 1
    return r - first_row


@part
def _bookings(
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
        pickup_east, pickup_north = _local_km(f.pickup, n, b, latitude, longitude)
        dropoff_east, dropoff_north = _local_km(f.dropoff, n, b, latitude, longitude)
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
        raw[B.outbound] = _flag(f.outbound[n, b])
        raw[B.urgent] = _flag(f.urgent[n, b])
        raw[B.wheelchair] = _flag(f.wheelchair[n, b])
        raw[B.planned] = _flag(f.current_driver[n, b] >= 0)
        raw[B.pinned] = _flag(f.pinned[n, b])
        raw[B.promised] = _flag(math.isfinite(f.promised[n, b]))
        raw[B.other_leg_open] = _flag(linked >= 0 and f.booking_real[n, linked] and f.linked_driver[n, linked] < 0)
        raw[B.other_leg_driven] = _flag(f.linked_driver[n, b] >= 0)
        raw[B.must] = _flag(_must(t.has_pair[n, b], t.decide_by[n, b], now))
        _store(raw, out, j, BOOKING_SCALES)
        j += 1
    return j - first_open


@kernel
def _must(has_pair: bool, decide_by: float, now: float) -> bool:
    """See `CandidateTable.must`."""
    return has_pair and decide_by <= now + EPS


@part
def _pairs(
    f: FleetArrays,
    t: TableArrays,
    n: int,
    p: int,
    last: int,
    load: np.ndarray,
    window: np.ndarray,
    best: np.ndarray,
    other: np.ndarray,
    raw: np.ndarray,
    out: np.ndarray,
    cost: np.ndarray,
) -> None:
    """Rows of the pairs p to last, which are those of day n."""
    now = f.now[n]
    cheapest, next_one, group_end = NEVER, NEVER, p
    for i in range(p, last):
        d, b, r, total = t.driver[i], t.booking[i], t.row[i], t.total[i]
        if i == group_end:  # the next booking: its two cheapest pairs
            cheapest, next_one = NEVER, NEVER
            while group_end < last and t.booking[group_end] == b:
                if t.total[group_end] < cheapest:
                    cheapest, next_one = t.total[group_end], cheapest
                elif t.total[group_end] < next_one:
                    next_one = t.total[group_end]
                group_end += 1
        linked = f.linked_driver[n, b]
        raw[P.deadhead] = t.deadhead[i]
        raw[P.lateness] = max(t.pickup[i] - f.scheduled[n, b], 0.0)
        raw[P.lateness_cost] = t.lateness[i]
        raw[P.downstream] = t.downstream[i]
        raw[P.emergency] = t.emergency[i]
        raw[P.driver_change] = t.driver_change[i]
        raw[P.spread] = t.spread[i]
        raw[P.cost] = total
        raw[P.pickup_in] = t.pickup[i] - now
        raw[P.departure_in] = t.depart[i] - now
        raw[P.expires_in] = t.expiry[i] - now
        raw[P.idle_before] = t.depart[i] - t.free_time[r, t.position[i]]
        raw[P.slack] = t.slack[i]
        raw[P.position] = float(t.position[i])
        raw[P.regret_driver] = total - (next_one if total == cheapest else cheapest)
        raw[P.regret_booking] = total - (other[d] if total == best[d] else best[d])
        raw[P.load] = load[d]
        raw[P.window_load] = window[d]
        raw[P.shift_left_after] = f.shift_end[n, d] - t.end[i]
        raw[P.rank] = float(t.rank[i])
        raw[P.on_time] = _flag(t.on_time[i])
        raw[P.appended] = _flag(t.position[i] == t.trips[r])
        raw[P.wheelchair_wasted] = _flag(f.wheelchair_access[n, d] and not f.wheelchair[n, b])
        raw[P.is_planned] = _flag(f.current_driver[n, b] == d)
        raw[P.same_as_other_leg] = _flag(linked == d)
        raw[P.other_than_other_leg] = _flag(linked >= 0 and linked != d)
        _store(raw, out, i, PAIR_SCALES)
        cost[i] = total


@part
def _context(f: FleetArrays, t: TableArrays, n: int, rows: int, pairs: int, raw: np.ndarray, out: np.ndarray) -> None:
    """The row of day n with `rows` usable drivers."""
    now = f.now[n]
    size = float(max(rows, 1))
    opened, urgent, not_ready, must, hopeless = 0.0, 0.0, 0.0, 0.0, 0.0
    for b in range(f.open.shape[1]):
        if f.booking_real[n, b] and f.booking_gap[n, b] == NOT_READY:
            not_ready += 1.0
        if _must(t.has_pair[n, b], t.decide_by[n, b], now):
            must += 1.0
        if f.open[n, b]:
            opened += 1.0
            urgent += _flag(f.urgent[n, b])
            hopeless += _flag(not t.has_pair[n, b])
    committed, done, running, reserve, access, free_in, left = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for d in range(f.driver_real.shape[1]):
        if f.driver_real[n, d] and f.driver_gap[n, d] == 0:
            committed += f.n_trips[n, d]
            done += f.trips_done[n, d]
            running += _flag(f.locked[n, d])
            reserve += _flag(not f.regular[n, d])
            access += _flag(f.wheelchair_access[n, d])
            free_in += f.anchor_time[n, d] - now
            left += f.shift_end[n, d] - f.anchor_time[n, d]
    spread = math.sqrt(max(t.size[n] * t.squares[n] - t.sum_x[n] * t.sum_x[n], 0.0))
    raw[C.drivers] = math.log1p(float(rows))
    raw[C.open] = opened / size
    raw[C.urgent_open] = urgent / size
    raw[C.not_ready] = not_ready / size
    raw[C.must] = must / size
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
    _store(raw, out, n, CONTEXT_SCALES)
