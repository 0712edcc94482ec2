"""The insertion kernel: time and cost of inserting bookings, vectorised over (schedule row, booking, position).

Classical insertion for vehicle routing (Solomon 1987; Campbell and Savelsbergh 2004 for the constant-time
feasibility test by latest times), with time-dependent travel: the trip behind is timed anew, and a delay that remains
is carried on until it is absorbed.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from qdispatch_domain.cost import lateness_cost
from qdispatch_domain.fleet import EPS, NEVER, Fleet
from qdispatch_domain.schedule import (
    Schedules,
    Timing,
    drive_home,
    latest_free,
    latest_free_before_home,
    serve,
    work_of_bookings,
    work_of_trips,
)
from qdispatch_domain.weights import RULES, WEIGHTS

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Insertions:
    """Feasible insertions, every field [M]; the schedule row, the booking and the position say which."""

    row: I64
    day: I64
    driver: I64
    booking: I64
    position: I64
    depart: F64
    pickup: F64
    end: F64
    on_time: Bool
    deadhead: F64  # added minutes of driving without a patient
    lateness: F64  # cost of the booking's own lateness, minutes-equivalent
    downstream: F64  # growth of the lateness cost of the trips behind, minutes-equivalent
    slack: F64  # minutes by which what stands behind may still slip
    expiry: F64  # last instant at which this insertion is still on time (still feasible, if not on time)

    @property
    def route_cost(self) -> F64:
        """Growth of the day's cost without the terms that depend on the driver alone, minutes-equivalent, [M]."""
        total: F64 = WEIGHTS.deadhead_per_min * self.deadhead + self.lateness + self.downstream
        return total

    def take(self, chosen: npt.NDArray[np.generic]) -> Insertions:
        """The insertions selected by an index or mask."""
        return Insertions(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


def insertions(fleet: Fleet, s: Schedules, row: I64, booking: I64, position: I64) -> Insertions:
    """The feasible ones among the given (schedule row, booking, position), each [M], in the order given.

    Checks the rules that depend on time (docs/dispatch-rules.md, "Hard rules", 2 to 5), not those of the vehicle.
    """
    day, driver = s.day[row], s.driver[row]
    approach = fleet.travel.free_flow(s.free_place[row, position], fleet.pickup[day, booking])
    work = work_of_bookings(fleet, day, driver, booking)
    own = serve(fleet.travel, s.free_time[row, position], approach, work)
    keep = np.flatnonzero(own.pickup <= work.scheduled + RULES.latest_insertion_min + EPS)
    row, booking, position, day, driver = (a[keep] for a in (row, booking, position, day, driver))
    approach = approach[keep]
    own, work = _take(own, keep), work.take(keep)

    behind = _Behind.of(fleet, s, row, booking, position, own.end)
    keep = np.flatnonzero(behind.slack >= -EPS)
    row, booking, position, day, driver = (a[keep] for a in (row, booking, position, day, driver))
    approach = approach[keep]
    own, work, behind = _take(own, keep), work.take(keep), behind.take(keep)

    deadhead, downstream = _carry_on(fleet, s, row, position, behind)
    tolerance = fleet.tolerance[day, booking]
    on_time = own.pickup <= work.scheduled + tolerance + EPS
    latest = work.scheduled + np.where(on_time, tolerance, RULES.latest_insertion_min)
    by_end = fleet.travel.depart(behind.latest_end - work.dropoff_service, work.loaded) - work.pickup_service
    latest = np.maximum(np.minimum(latest, by_end), own.pickup)
    expiry = np.maximum(latest_free(fleet.travel, latest, approach, work), s.free_time[row, position])
    leaves = np.where(behind.trip, s.depart[row, np.minimum(position, s.depart.shape[1] - 1)], NEVER)
    expiry = np.maximum(np.minimum(expiry, leaves), fleet.now[day])
    return Insertions(
        row,
        day,
        driver,
        booking,
        position,
        depart=own.depart,
        pickup=own.pickup,
        end=own.end,
        on_time=on_time,
        deadhead=own.deadhead + deadhead,
        lateness=lateness_cost(own.pickup, work.scheduled, tolerance, fleet.outbound[day, booking]),
        downstream=downstream,
        slack=np.maximum(behind.slack, 0.0),
        expiry=expiry,
    )


def _take(timing: Timing, rows: npt.NDArray[np.generic]) -> Timing:
    return Timing(timing.depart[rows], timing.pickup[rows], timing.end[rows], timing.deadhead[rows])


@dataclass(slots=True)
class _Behind:
    """What stands directly behind an insertion, [M]: the next trip, or the end of work."""

    trip: Bool  # a trip (else the end of work)
    pickup: F64  # new pickup time of that trip
    end: F64  # new end of that trip, or of work
    deadhead: F64  # new minutes of driving to it
    slack: F64  # minutes left before a rule breaks; negative: broken
    latest_end: F64  # latest end of the inserted booking that breaks nothing behind it

    @staticmethod
    def of(fleet: Fleet, s: Schedules, row: I64, booking: I64, position: I64, own_end: F64) -> _Behind:
        day, driver = s.day[row], s.driver[row]
        size = len(row)
        out = _Behind(position < s.count[row], *(np.zeros(size) for _ in range(5)))
        place = fleet.dropoff[day, booking]
        i = np.flatnonzero(out.trip)
        if len(i):
            n, d, slot = day[i], driver[i], position[i]
            approach = fleet.travel.free_flow(place[i], fleet.trip_pickup[n, d, slot])
            work = work_of_trips(fleet, n, d, slot)
            timing = serve(fleet.travel, own_end[i], approach, work)
            latest = s.latest_pickup[row[i], slot]
            out.pickup[i], out.end[i], out.deadhead[i] = timing.pickup, timing.end, timing.deadhead
            out.slack[i] = latest - timing.pickup
            out.latest_end[i] = latest_free(fleet.travel, latest, approach, work)
        i = np.flatnonzero(~out.trip)
        if len(i):
            out.end[i], out.deadhead[i] = drive_home(fleet, day[i], driver[i], own_end[i], place[i])
            out.slack[i] = s.latest_finish[row[i]] - out.end[i]
            out.latest_end[i] = latest_free_before_home(fleet, s, row[i], place[i])
        return out

    def take(self, rows: npt.NDArray[np.generic]) -> _Behind:
        return _Behind(**{name: getattr(self, name)[rows] for name in self.__slots__})


def _carry_on(fleet: Fleet, s: Schedules, row: I64, position: I64, behind: _Behind) -> tuple[F64, F64]:
    """Growth of deadhead minutes and of lateness cost behind the insertions, [M] each."""
    day, driver = s.day[row], s.driver[row]
    deadhead, late = behind.deadhead.copy(), np.zeros(len(row))
    last = ~behind.trip
    deadhead[last] -= s.home_deadhead[row[last]]
    active = np.flatnonzero(behind.trip)
    pickup, end = behind.pickup[active], behind.end[active]
    slot = position[active]
    deadhead[active] -= s.deadhead[row[active], slot]
    while len(active):
        n, d, r = day[active], driver[active], row[active]
        scheduled, tolerance = fleet.trip_scheduled[n, d, slot], fleet.trip_tolerance[n, d, slot]
        outbound = fleet.trip_outbound[n, d, slot]
        late[active] += lateness_cost(pickup, scheduled, tolerance, outbound)
        late[active] -= lateness_cost(s.pickup[r, slot], scheduled, tolerance, outbound)
        slot = slot + 1
        home = slot == s.count[r]
        if home.any():
            who = active[home]
            _, minutes = drive_home(fleet, n[home], d[home], end[home], s.free_place[r[home], slot[home]])
            deadhead[who] += minutes - s.home_deadhead[r[home]]
        go = ~home & (np.abs(end - s.free_time[r, slot]) > 1e-9)
        active, slot, end = active[go], slot[go], end[go]
        if not len(active):
            break
        n, d, r = day[active], driver[active], row[active]
        timing = serve(fleet.travel, end, s.approach[r, slot], work_of_trips(fleet, n, d, slot))
        deadhead[active] += timing.deadhead - s.deadhead[r, slot]
        pickup, end = timing.pickup, timing.end
    return deadhead, late
