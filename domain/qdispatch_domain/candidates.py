"""The candidate table: per open booking the cheapest permitted drivers, and until when the choice can wait.

One function for simulator, server, heuristics and export; the vehicle rules, the EMERGENCY rule and `decide_by` live
here. On fleets of more than `PRUNE_ABOVE` drivers only the `NEAREST` drivers of each booking are timed, chosen by a
cheap bound; whether a REGULAR driver can be on time and whether anybody can at all is still settled over all drivers,
for the bookings where it matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import numpy as np
import numpy.typing as npt

from qdispatch_domain.acceleration import kernels
from qdispatch_domain.cost import Loads, loads, spread_growth
from qdispatch_domain.fleet import EPS, NEVER, Fleet
from qdispatch_domain.insertion import Insertions, insertions
from qdispatch_domain.schedule import Schedules, schedules
from qdispatch_domain.weights import RULES, WEIGHTS

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

CANDIDATES = 6  # K cheapest drivers kept per booking
PRUNE_ABOVE = 16  # drivers
NEAREST = 12  # drivers timed per booking on larger fleets


@dataclass(slots=True)
class CandidateTable:
    """Kept pairs, every field of the first group [P], ordered by (day, booking, rank)."""

    insertion: Insertions  # the best position of each pair
    rank: I64  # 0 is the cheapest driver of the booking
    emergency: F64  # cost terms, minutes-equivalent
    driver_change: F64
    spread: F64
    total: F64  # growth of the day's cost
    # per booking, [N, B]
    has_pair: Bool
    feasible_drivers: I64  # permitted drivers with a feasible insertion, among those timed
    on_time_drivers: I64
    decide_by: F64  # NaN without a pair
    best_expiry: F64  # of the cheapest pair; NaN without one
    # what it was made from
    now: F64  # [N]
    schedules: Schedules
    loads: Loads
    # [N], where they came for free: `cost.committed_cost` and `events.next_event`
    committed_cost: F64 | None = None
    next_event: F64 | None = None

    @property
    def must(self) -> Bool:
        """Bookings [N, B] whose decision cannot wait any longer."""
        return self.has_pair & (self.decide_by <= self.now[:, None] + EPS)  # NaN is never <=


def candidate_table(fleet: Fleet, keep: int = CANDIDATES) -> CandidateTable:
    """Time all permitted insertions of the open bookings and keep the `keep` cheapest drivers of each."""
    compiled = kernels()
    return candidate_table_numpy(fleet, keep) if compiled is None else _compiled_table(compiled, fleet, keep)


def _compiled_table(compiled: ModuleType, fleet: Fleet, keep: int) -> CandidateTable:
    found = compiled.find(compiled.arrays_of(fleet), keep, PRUNE_ABOVE, NEAREST)
    depart, pickup, end, deadhead, lateness, downstream, slack, expiry, emergency, change, spread, total = found.real
    row, day, driver, booking, position, rank = found.whole
    approach, departs, pickups, ends, deadheads, latest = found.legs
    size, sum_x, squares, committed, following = found.sums
    n, d, trips = found.schedule_of
    finish, home_deadhead, latest_finish = found.ends
    return CandidateTable(
        insertion=Insertions(
            row,
            day,
            driver,
            booking,
            position,
            depart,
            pickup,
            end,
            found.on_time,
            deadhead,
            lateness,
            downstream,
            slack,
            expiry,
        ),
        rank=rank,
        emergency=emergency,
        driver_change=change,
        spread=spread,
        total=total,
        has_pair=found.feasible_drivers > 0,
        feasible_drivers=found.feasible_drivers,
        on_time_drivers=found.on_time_drivers,
        decide_by=found.decide_by,
        best_expiry=found.best_expiry,
        now=fleet.now.copy(),
        schedules=Schedules(
            n,
            d,
            trips,
            found.free_time,
            found.free_place,
            approach,
            departs,
            pickups,
            ends,
            deadheads,
            finish,
            home_deadhead,
            latest,
            latest_finish,
        ),
        loads=Loads(found.counts, found.load, size, sum_x, squares),
        committed_cost=committed,
        next_event=following,
    )


def candidate_table_numpy(fleet: Fleet, keep: int = CANDIDATES) -> CandidateTable:
    """`candidate_table` without numba."""
    day, driver = np.nonzero(fleet.usable)
    s = schedules(fleet, day, driver)
    vehicle = _vehicle_rules(fleet, day, driver)  # [R, B]
    regular = fleet.regular[day, driver]
    row, position, viable = _viable_positions(fleet, s, vehicle)  # [Q], [Q], [Q, B]
    near = (
        np.ones_like(vehicle)
        if fleet.driver_real.shape[1] <= PRUNE_ABOVE
        else _nearest(fleet, s, row, position, viable)
    )

    def timed(which: Bool) -> Insertions:
        q, booking = np.nonzero(viable & which[row])
        return insertions(fleet, s, row[q], booking, position[q])

    def late_everywhere(found: Insertions) -> Bool:
        """Open bookings [N, B] for which no insertion found so far is on time."""
        on_time = np.zeros_like(fleet.open)
        on_time[found.day[found.on_time], found.booking[found.on_time]] = True
        return fleet.open & ~on_time

    parts = [timed(regular[:, None] & near)]
    if not bool(near.all()):
        parts.append(timed(regular[:, None] & ~near & late_everywhere(parts[0])[day]))
    found = _join(parts)
    reserve = timed(~regular[:, None] & late_everywhere(found)[day])
    return _table(fleet, s, _join([found, reserve]), keep)


def _vehicle_rules(fleet: Fleet, day: I64, driver: I64) -> Bool:
    """Whether the vehicle and the pin allow booking b on schedule row r, [R, B]."""
    ok = fleet.open[day]
    ok = ok & (fleet.wheelchair_access[day, driver][:, None] | ~fleet.wheelchair[day])
    ok &= fleet.passengers[day] <= fleet.seats[day, driver][:, None]
    ok &= ~fleet.pinned[day] | (fleet.current_driver[day] == driver[:, None])
    return ok


def _viable_positions(fleet: Fleet, s: Schedules, vehicle: Bool) -> tuple[I64, I64, Bool]:
    """All positions [Q] and which bookings pass necessary conditions on time there, [Q, B]."""
    slots = np.arange(s.free_time.shape[1])
    row, position = np.nonzero(slots[None, :] <= s.count[:, None])
    day = s.day[row]
    last = position == s.count[row]
    latest = np.where(
        last, s.latest_finish[row], s.latest_pickup[row, np.minimum(position, s.latest_pickup.shape[1] - 1)]
    )
    scheduled = np.where(fleet.open, fleet.scheduled, NEVER)
    shortest = scheduled + fleet.pickup_service + fleet.dropoff_service + fleet.loaded
    latest_pickup = np.where(fleet.open, scheduled + RULES.latest_insertion_min, -NEVER)
    viable = vehicle[row]
    viable &= s.free_time[row, position][:, None] <= latest_pickup[day] + EPS
    viable &= shortest[day] <= latest[:, None] + EPS
    return row, position, viable


def _nearest(fleet: Fleet, s: Schedules, row: I64, position: I64, viable: Bool) -> Bool:
    """The `NEAREST` schedule rows of each booking by the distance from a viable position to the pickup, [R, B].

    Ties go to the later row.
    """
    near = np.zeros((len(s.day), viable.shape[1]), dtype=np.bool_)
    for n in np.unique(s.day):
        q = np.flatnonzero(s.day[row] == n)
        places = s.free_place[row[q], position[q]]
        if fleet.travel.matrix is None:
            x, y, z = (places[:, c, None] * fleet.pickup[n, None, :, c] for c in range(3))
            closeness = x + y + z  # not a matrix product: its rounding may differ between equal rows
        else:
            closeness = -fleet.travel.free_flow(places[:, None, :], fleet.pickup[n][None, :, :])
        closeness = np.where(viable[q], closeness, -NEVER)
        starts = np.flatnonzero(np.diff(row[q], prepend=-1))
        best = np.maximum.reduceat(closeness, starts, axis=0)  # [rows of the day, B]
        rows = row[q][starts]
        regular = fleet.regular[n, s.driver[rows]]
        best[~regular] = -NEVER
        if len(rows) <= NEAREST:
            near[rows] = True
            continue
        last = np.partition(best, len(rows) - NEAREST, axis=0)[len(rows) - NEAREST]
        surely, just = best > last, best == last
        behind = np.cumsum(just[::-1], axis=0)[::-1]  # equal rows from here to the end
        near[rows] = surely | (just & (behind <= NEAREST - surely.sum(axis=0)))
    return near


def _join(parts: list[Insertions]) -> Insertions:
    filled = [p for p in parts if len(p.row)] or parts[:1]
    if len(filled) == 1:
        return filled[0]
    return Insertions(**{name: np.concatenate([getattr(p, name) for p in filled]) for name in Insertions.__slots__})


def _table(fleet: Fleet, s: Schedules, found: Insertions, keep: int) -> CandidateTable:
    bookings, drivers = fleet.open.shape[1], fleet.driver_real.shape[1]
    place = found.day * bookings + found.booking  # [M] (day, booking)
    pair = place * drivers + found.driver
    best = _first_of_groups(pair, found.position, np.round(found.route_cost, 6))
    pairs = found.take(best)
    load = loads(fleet)
    n, d, b = pairs.day, pairs.driver, pairs.booking
    current = fleet.current_driver[n, b]
    emergency = np.where(fleet.regular[n, d], 0.0, WEIGHTS.emergency_trip)
    change = np.where((current >= 0) & (current != d), WEIGHTS.driver_change, 0.0)
    spread = spread_growth(fleet, load, n, d)
    total = pairs.route_cost + emergency + change + spread

    shape = fleet.open.shape
    place_of_pair = n * bookings + b
    feasible = np.bincount(place_of_pair, minlength=fleet.open.size).reshape(shape)
    punctual = np.zeros(fleet.open.size, dtype=np.bool_)
    punctual[place[found.on_time]] = True
    counts = found.on_time | ~punctual[place]
    decide_by = np.full(fleet.open.size, -NEVER)
    np.maximum.at(decide_by, place[counts], found.expiry[counts])

    order = np.lexsort((d, np.round(total, 6), place_of_pair))
    grouped = place_of_pair[order]
    starts = np.flatnonzero(np.diff(grouped, prepend=-1))
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    kept = order[rank < keep]
    best_expiry = np.full(fleet.open.size, np.nan)
    best_expiry[grouped[starts]] = pairs.expiry[order[starts]]
    on_time_pair = np.bincount(place_of_pair[pairs.on_time], minlength=fleet.open.size).reshape(shape)
    return CandidateTable(
        insertion=pairs.take(kept),
        rank=rank[rank < keep],
        emergency=emergency[kept],
        driver_change=change[kept],
        spread=spread[kept],
        total=total[kept],
        has_pair=feasible > 0,
        feasible_drivers=feasible,
        on_time_drivers=on_time_pair,
        decide_by=np.where(decide_by > -NEVER, decide_by, np.nan).reshape(shape),
        best_expiry=best_expiry.reshape(shape),
        now=fleet.now.copy(),
        schedules=s,
        loads=load,
    )


def _first_of_groups(group: I64, tie: I64, cost: F64) -> I64:
    """Index of the cheapest element of each group (ties: smallest `tie`), in the order of the groups."""
    order = np.lexsort((tie, cost, group))
    ordered = group[order]
    first: I64 = order[np.flatnonzero(np.diff(ordered, prepend=-1))]
    return first
