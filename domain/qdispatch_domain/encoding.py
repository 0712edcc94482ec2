"""`encode(fleet, table) -> Observations`: the one place where a situation becomes numbers for a network.

Rows of drivers are the usable drivers, rows of bookings the open ones, in snapshot order, days one after another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qdispatch_domain.acceleration import kernels
from qdispatch_domain.candidates import CandidateTable
from qdispatch_domain.events import next_event
from qdispatch_domain.features import BOOKING, CLIP, CONTEXT, DRIVER, PAIR, Feature
from qdispatch_domain.fleet import NEVER, Fleet
from qdispatch_domain.observation import F32, Observation
from qdispatch_domain.reasons import BookingGap
from qdispatch_domain.travel import DETOUR_FACTOR, EARTH_RADIUS_KM, degrees_from_places

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Observations:
    """Observations of N days, rows one after another; `*_graph` says which day a row belongs to.

    `pair_driver` and `pair_booking` index the concatenated rows. Shapes as in Observation, `context` [N, Fc].
    """

    driver_features: F32
    booking_features: F32
    pair_features: F32
    pair_driver: I64
    pair_booking: I64
    context: F32
    pair_cost: F32
    driver_graph: I64
    booking_graph: I64
    pair_graph: I64

    def one(self, day: int) -> Observation:
        """The observation of one day, indices local to it."""
        d0, d1 = np.searchsorted(self.driver_graph, [day, day + 1])
        b0, b1 = np.searchsorted(self.booking_graph, [day, day + 1])
        p0, p1 = np.searchsorted(self.pair_graph, [day, day + 1])
        return Observation(
            self.driver_features[d0:d1],
            self.booking_features[b0:b1],
            self.pair_features[p0:p1],
            self.pair_driver[p0:p1] - d0,
            self.pair_booking[p0:p1] - b0,
            self.context[day],
            self.pair_cost[p0:p1],
        )


def encode(fleet: Fleet, table: CandidateTable) -> Observations:
    """Observations of all days of a fleet."""
    compiled = kernels()
    if compiled is None:
        return encode_numpy(fleet, table)
    pairs, s, load = table.insertion, table.schedules, table.loads
    arrays = compiled.TableArrays(
        pairs.row,
        pairs.day,
        pairs.driver,
        pairs.booking,
        pairs.position,
        pairs.depart,
        pairs.pickup,
        pairs.end,
        pairs.on_time,
        pairs.deadhead,
        pairs.lateness,
        pairs.downstream,
        pairs.slack,
        pairs.expiry,
        table.rank,
        table.emergency,
        table.driver_change,
        table.spread,
        table.total,
        table.has_pair,
        table.feasible_drivers,
        table.on_time_drivers,
        table.decide_by,
        s.count,
        s.free_time,
        s.depart,
        s.finish,
        load.counts,
        load.x,
        load.size,
        load.total,
        load.squares,
        next_event(fleet, table),
    )
    return Observations(*compiled.encode(compiled.arrays_of(fleet), arrays))


def encode_numpy(fleet: Fleet, table: CandidateTable) -> Observations:
    """`encode` without numba."""
    usable, opened = fleet.usable, fleet.open
    n_d, d = np.nonzero(usable)
    n_b, b = np.nonzero(opened)
    driver_row = np.cumsum(usable.ravel()).reshape(usable.shape) - 1
    booking_row = np.cumsum(opened.ravel()).reshape(opened.shape) - 1
    pairs = table.insertion
    centre = mean_place(fleet)
    load, window = _load(fleet, table)
    size = np.maximum(usable.sum(axis=1), 1).astype(np.float64)

    driver_columns = _driver_columns(fleet, table, centre, load, window)
    booking_columns = _booking_columns(fleet, table, centre)
    pair_columns = _pair_columns(fleet, table, load, window)
    context_columns = _context_columns(fleet, table, size)
    return Observations(
        driver_features=_scaled(DRIVER, [driver_columns[f.name][n_d, d] for f in DRIVER]),
        booking_features=_scaled(BOOKING, [booking_columns[f.name][n_b, b] for f in BOOKING]),
        pair_features=_scaled(PAIR, [pair_columns[f.name] for f in PAIR]),
        pair_driver=driver_row[pairs.day, pairs.driver],
        pair_booking=booking_row[pairs.day, pairs.booking],
        context=_scaled(CONTEXT, [context_columns[f.name] for f in CONTEXT]),
        pair_cost=table.total.astype(np.float32),
        driver_graph=n_d,
        booking_graph=n_b,
        pair_graph=pairs.day,
    )


def _scaled(features: Sequence[Feature], columns: Sequence[F64]) -> F32:
    """Columns [M] each, stacked, scaled and clipped: [M, len(features)] float32."""
    table = np.stack(columns, axis=1)
    table /= np.array([f.scale for f in features])
    return np.clip(table, -CLIP, CLIP).astype(np.float32)


def mean_place(fleet: Fleet) -> tuple[F64, F64]:
    """Mean latitude and longitude of the usable drivers' anchors, [N, 1] degrees."""
    weight = fleet.usable[:, :, None]
    total = (fleet.anchor_place * weight).sum(axis=1)
    norm = np.maximum(np.linalg.norm(total[:, :3], axis=1), 1e-12)
    total[:, :3] /= norm[:, None]
    latitude, longitude = degrees_from_places(total)
    return latitude[:, None], longitude[:, None]


def local_km(places: F64, centre: tuple[F64, F64]) -> tuple[F64, F64]:
    """Road-equivalent kilometres east and north of the centre, [N, M] each."""
    latitude, longitude = degrees_from_places(places)
    km_per_degree = np.pi / 180.0 * EARTH_RADIUS_KM * DETOUR_FACTOR
    turn = (longitude - centre[1] + 180.0) % 360.0 - 180.0
    return turn * np.cos(np.radians(centre[0])) * km_per_degree, (latitude - centre[0]) * km_per_degree


def _load(fleet: Fleet, table: CandidateTable) -> tuple[F64, F64]:
    """x - mean, and the same for the fairness window's trips, [N, D]; 0 for drivers who do not count."""
    counts, size = table.loads.counts, np.maximum(table.loads.size, 1.0)[:, None]
    load = np.where(counts, table.loads.x - table.loads.total[:, None] / size, 0.0)
    window = np.where(counts, fleet.window_trips / fleet.contract_share, 0.0)
    return load, np.where(counts, window - window.sum(axis=1, keepdims=True) / size, 0.0)


def _driver_columns(
    fleet: Fleet, table: CandidateTable, centre: tuple[F64, F64], load: F64, window: F64
) -> dict[str, F64]:
    now = fleet.now[:, None]
    s = table.schedules
    shape = fleet.driver_real.shape
    finish, departure = np.zeros(shape), np.full(shape, NEVER)
    finish[s.day, s.driver] = s.finish
    departure[s.day, s.driver] = np.where(s.count > 0, s.depart[:, 0], NEVER)
    upcoming = np.where(fleet.break_end > now[:, :, None], fleet.break_start, NEVER).min(axis=2, initial=NEVER)
    wanted = np.zeros(shape)
    best = table.rank == 0
    np.add.at(wanted, (table.insertion.day[best], table.insertion.driver[best]), 1.0)
    counts, size = table.loads.counts, np.maximum(table.loads.size, 1.0)[:, None]
    minutes = np.where(counts, fleet.window_minutes / fleet.contract_share, 0.0)
    east, north = local_km(fleet.anchor_place, centre)
    return {
        "free_in": fleet.anchor_time - now,
        "shift_left": fleet.shift_end - fleet.anchor_time,
        "next_break_in": upcoming - now,
        "next_departure_in": departure - now,
        "finish_in": finish - now,
        "seats": fleet.seats.astype(np.float64),
        "trips": fleet.trips_done + fleet.locked + fleet.n_trips,
        "committed": fleet.n_trips.astype(np.float64),
        "load": load,
        "contract_share": fleet.contract_share,
        "window_load": window,
        "window_minutes": np.where(counts, minutes - minutes.sum(axis=1, keepdims=True) / size, 0.0),
        "minutes_driven": fleet.minutes_driven,
        "east": east,
        "north": north,
        "wanted": wanted,
        "regular": fleet.regular.astype(np.float64),
        "wheelchair_access": fleet.wheelchair_access.astype(np.float64),
        "running": fleet.locked.astype(np.float64),
    }


def _booking_columns(fleet: Fleet, table: CandidateTable, centre: tuple[F64, F64]) -> dict[str, F64]:
    now = fleet.now[:, None]
    shape = fleet.open.shape
    best, second = np.zeros(shape), np.full(shape, NEVER)
    pairs = table.insertion
    first, next_best = table.rank == 0, table.rank == 1
    best[pairs.day[first], pairs.booking[first]] = table.total[first]
    second[pairs.day[next_best], pairs.booking[next_best]] = table.total[next_best]
    pickup_east, pickup_north = local_km(fleet.pickup, centre)
    dropoff_east, dropoff_north = local_km(fleet.dropoff, centre)
    linked = fleet.linked_booking
    other_open = (linked >= 0) & np.take_along_axis(
        fleet.booking_real & (fleet.linked_driver < 0), np.maximum(linked, 0), 1
    )
    return {
        "due_in": fleet.scheduled - now,
        "decide_in": np.nan_to_num(table.decide_by, nan=NEVER) - now,
        "known_for": np.nan_to_num(now - fleet.known_since, nan=NEVER),
        "loaded": fleet.loaded,
        "tolerance": fleet.tolerance,
        "passengers": fleet.passengers.astype(np.float64),
        "feasible_drivers": table.feasible_drivers.astype(np.float64),
        "on_time_drivers": table.on_time_drivers.astype(np.float64),
        "best_cost": best,
        "regret": second - best,
        "pickup_east": pickup_east,
        "pickup_north": pickup_north,
        "dropoff_east": dropoff_east,
        "dropoff_north": dropoff_north,
        "outbound": fleet.outbound.astype(np.float64),
        "urgent": fleet.urgent.astype(np.float64),
        "wheelchair": fleet.wheelchair.astype(np.float64),
        "planned": (fleet.current_driver >= 0).astype(np.float64),
        "pinned": fleet.pinned.astype(np.float64),
        "promised": np.isfinite(fleet.promised).astype(np.float64),
        "other_leg_open": other_open.astype(np.float64),
        "other_leg_driven": (fleet.linked_driver >= 0).astype(np.float64),
        "must": table.must.astype(np.float64),
    }


def _pair_columns(fleet: Fleet, table: CandidateTable, load: F64, window: F64) -> dict[str, F64]:
    pairs = table.insertion
    n, d, b = pairs.day, pairs.driver, pairs.booking
    now = fleet.now[n]
    s = table.schedules
    by_booking = n * fleet.open.shape[1] + b
    by_driver = n * fleet.driver_real.shape[1] + d
    linked = fleet.linked_driver[n, b]
    return {
        "deadhead": pairs.deadhead,
        "lateness": np.maximum(pairs.pickup - fleet.scheduled[n, b], 0.0),
        "lateness_cost": pairs.lateness,
        "downstream": pairs.downstream,
        "emergency": table.emergency,
        "driver_change": table.driver_change,
        "spread": table.spread,
        "cost": table.total,
        "pickup_in": pairs.pickup - now,
        "departure_in": pairs.depart - now,
        "expires_in": pairs.expiry - now,
        "idle_before": pairs.depart - s.free_time[pairs.row, pairs.position],
        "slack": pairs.slack,
        "position": pairs.position.astype(np.float64),
        "regret_driver": table.total - _best_other(by_booking, table.total),
        "regret_booking": table.total - _best_other(by_driver, table.total),
        "load": load[n, d],
        "window_load": window[n, d],
        "shift_left_after": fleet.shift_end[n, d] - pairs.end,
        "rank": table.rank.astype(np.float64),
        "on_time": pairs.on_time.astype(np.float64),
        "appended": (pairs.position == s.count[pairs.row]).astype(np.float64),
        "wheelchair_wasted": (fleet.wheelchair_access[n, d] & ~fleet.wheelchair[n, b]).astype(np.float64),
        "is_planned": (fleet.current_driver[n, b] == d).astype(np.float64),
        "same_as_other_leg": (linked == d).astype(np.float64),
        "other_than_other_leg": ((linked >= 0) & (linked != d)).astype(np.float64),
    }


def _best_other(group: I64, cost: F64) -> F64:
    """For each pair the cheapest cost of another pair in its group, [P]; NEVER when it is alone."""
    order = np.lexsort((cost, group))
    ordered = group[order]
    first = np.diff(ordered, prepend=-1) != 0
    start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    best = cost[order[start]] if len(order) else cost
    follower = np.minimum(start + 1, len(order) - 1)
    second = np.where(ordered[follower] == ordered, cost[order[follower]], NEVER) if len(order) else cost
    alone = follower == start
    out = np.empty_like(cost)
    out[order] = np.where(first, np.where(alone, NEVER, second), best)
    return out


def _context_columns(fleet: Fleet, table: CandidateTable, size: F64) -> dict[str, F64]:
    usable = fleet.usable
    not_ready = (fleet.booking_gap == BookingGap.NOT_READY) & fleet.booking_real
    pairs = np.bincount(table.insertion.day, minlength=fleet.days)

    def per_driver(flags: npt.NDArray[np.generic]) -> F64:
        share: F64 = flags.sum(axis=1) / size
        return share

    return {
        "drivers": np.log1p(usable.sum(axis=1)),
        "open": per_driver(fleet.open),
        "urgent_open": per_driver(fleet.open & fleet.urgent),
        "not_ready": per_driver(not_ready),
        "must": per_driver(table.must),
        "hopeless": per_driver(fleet.open & ~table.has_pair),
        "pairs": pairs / size,
        "committed": per_driver(np.where(usable, fleet.n_trips, 0)),
        "done": per_driver(np.where(usable, fleet.trips_done, 0.0)),
        "running": per_driver(usable & fleet.locked),
        "reserve": per_driver(usable & ~fleet.regular),
        "wheelchair_access": per_driver(usable & fleet.wheelchair_access),
        "spread": table.loads.spread / size,
        "free_in": per_driver(np.where(usable, fleet.anchor_time - fleet.now[:, None], 0.0)),
        "shift_left": per_driver(np.where(usable, fleet.shift_end - fleet.anchor_time, 0.0)),
        "time_of_day": fleet.now - 720.0,
        "next_event_in": next_event(fleet, table) - fleet.now,
    }
