"""Timing of schedules: the forward pass (what is predicted) and the backward pass (how late it may become).

One trip is timed by `serve` and nowhere else; the rules stand in docs/dispatch-rules.md, "One trip".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qdispatch_domain.fleet import EPS, NEVER, Fleet
from qdispatch_domain.travel import Travel
from qdispatch_domain.weights import RULES

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Work:
    """One trip to be timed, every field [M] (breaks [M, K])."""

    scheduled: F64
    pickup_service: F64
    dropoff_service: F64
    loaded: F64  # free-flow minutes
    break_start: F64
    break_end: F64

    def take(self, rows: npt.NDArray[np.generic]) -> Work:
        """The rows selected by an index or mask."""
        return Work(
            self.scheduled[rows],
            self.pickup_service[rows],
            self.dropoff_service[rows],
            self.loaded[rows],
            self.break_start[rows],
            self.break_end[rows],
        )


@dataclass(frozen=True, slots=True)
class Timing:
    """When a trip happens, every field [M], service-day minutes."""

    depart: F64
    pickup: F64
    end: F64
    deadhead: F64  # minutes of driving to the pickup


def serve(travel: Travel, free: F64, approach: F64, work: Work) -> Timing:
    """Time one trip for drivers free at `free` [M] who are `approach` [M] free-flow minutes from its pickup."""
    depart = np.maximum(free, travel.depart(work.scheduled - RULES.arrival_buffer_min, approach))
    arrival, pickup, end = _drive(travel, depart, approach, work)
    for k in range(work.break_start.shape[-1]):
        clash = (depart < work.break_end[..., k]) & (end > work.break_start[..., k] + EPS)
        if clash.any():
            depart = np.where(clash, work.break_end[..., k], depart)
            arrival, pickup, end = _drive(travel, depart, approach, work)
    return Timing(depart, pickup, end, arrival - depart)


def latest_free(travel: Travel, latest_pickup: F64, approach: F64, work: Work) -> F64:
    """Latest time [M] at which a driver may become free and still pick up by `latest_pickup` [M]; -NEVER if never.

    The inverse of `serve`, which is non-decreasing in the time a driver becomes free.
    """
    possible = latest_pickup >= work.scheduled - 1e-9
    latest = travel.depart(latest_pickup, approach)
    for k in range(work.break_start.shape[-1] - 1, -1, -1):
        start = work.break_start[..., k]
        _, _, end = _drive(travel, latest, approach, work)
        # with a margin: a trip that waits for the end of a break leaves at that very end, give or take a rounding
        clash = (latest < work.break_end[..., k] - EPS) & (end > start + EPS)
        if clash.any():
            pickup_before = travel.depart(start - work.dropoff_service, work.loaded) - work.pickup_service
            possible &= ~clash | (pickup_before >= work.scheduled - 1e-9)
            latest = np.where(clash, travel.depart(pickup_before, approach), latest)
    return np.where(possible, latest, -NEVER)


def _drive(travel: Travel, depart: F64, approach: F64, work: Work) -> tuple[F64, F64, F64]:
    arrival = travel.arrive(depart, approach)
    pickup = np.maximum(arrival, work.scheduled)
    end = travel.arrive(pickup + work.pickup_service, work.loaded) + work.dropoff_service
    return arrival, pickup, end


@dataclass(slots=True)
class Schedules:
    """Both passes over R drivers of a fleet, `day` and `driver` [R] say which. L is the fleet's trip capacity."""

    day: I64
    driver: I64
    count: I64  # [R] COMMITTED trips
    free_time: F64  # [R, L + 1] when the driver is free before trip i; index count: after the last trip
    free_place: F64  # [R, L + 1, 4]
    approach: F64  # [R, L] free-flow minutes to the pickup of trip i
    depart: F64  # [R, L]
    pickup: F64  # [R, L]
    end: F64  # [R, L]
    deadhead: F64  # [R, L] minutes
    finish: F64  # [R] end of work, arrival at the end_location included
    home_deadhead: F64  # [R] minutes of the last leg to the end_location, 0 without one
    latest_pickup: F64  # [R, L] latest pickup of trip i that keeps every promise from i on and the shift end
    latest_finish: F64  # [R]


def work_of_trips(fleet: Fleet, day: I64, driver: I64, trip: I64) -> Work:
    """The COMMITTED trips (day, driver, trip), each [M], as work."""
    return Work(
        fleet.trip_scheduled[day, driver, trip],
        fleet.trip_pickup_service[day, driver, trip],
        fleet.trip_dropoff_service[day, driver, trip],
        fleet.trip_loaded[day, driver, trip],
        fleet.break_start[day, driver],
        fleet.break_end[day, driver],
    )


def work_of_bookings(fleet: Fleet, day: I64, driver: I64, booking: I64) -> Work:
    """Bookings (day, booking) driven by `driver`, each [M], as work."""
    return Work(
        fleet.scheduled[day, booking],
        fleet.pickup_service[day, booking],
        fleet.dropoff_service[day, booking],
        fleet.loaded[day, booking],
        fleet.break_start[day, driver],
        fleet.break_end[day, driver],
    )


def drive_home(fleet: Fleet, day: I64, driver: I64, free: F64, place: F64) -> tuple[F64, F64]:
    """End of work [M] of drivers free at `free` [M] at `place` [M, 4], and the minutes driven to get home."""
    away = np.where(fleet.has_home[day, driver], fleet.travel.free_flow(place, fleet.home[day, driver]), 0.0)
    finish = fleet.travel.arrive(free, away)
    return finish, finish - free


def schedules(fleet: Fleet, day: I64, driver: I64) -> Schedules:
    """Forward and backward pass of the given drivers, each [R]. Only the first `count` entries of a row count."""
    rows, capacity = len(day), int(fleet.trip_scheduled.shape[2])
    count = fleet.n_trips[day, driver]
    longest = int(count.max(initial=0))
    free_time = np.full((rows, capacity + 1), NEVER)
    free_place = np.zeros((rows, capacity + 1, 4))
    free_time[:, 0] = fleet.anchor_time[day, driver]
    free_place[:, 0] = fleet.anchor_place[day, driver]
    shape = (rows, capacity)
    s = Schedules(
        day,
        driver,
        count,
        free_time,
        free_place,
        approach=np.zeros(shape),
        depart=np.full(shape, NEVER),
        pickup=np.full(shape, NEVER),
        end=np.full(shape, NEVER),
        deadhead=np.zeros(shape),
        finish=np.zeros(rows),
        home_deadhead=np.zeros(rows),
        latest_pickup=np.full(shape, NEVER),
        latest_finish=np.zeros(rows),
    )
    for i in range(longest):
        r = np.flatnonzero(count > i)
        slot = np.full(len(r), i)
        n, d = day[r], driver[r]
        s.approach[r, i] = fleet.travel.free_flow(s.free_place[r, i], fleet.trip_pickup[n, d, slot])
        timing = serve(fleet.travel, s.free_time[r, i], s.approach[r, i], work_of_trips(fleet, n, d, slot))
        s.depart[r, i], s.pickup[r, i], s.end[r, i] = timing.depart, timing.pickup, timing.end
        s.deadhead[r, i] = timing.deadhead
        s.free_time[r, i + 1] = timing.end
        s.free_place[r, i + 1] = fleet.trip_dropoff[n, d, slot]
    last = np.arange(rows)
    s.finish, s.home_deadhead = drive_home(fleet, day, driver, s.free_time[last, count], s.free_place[last, count])
    s.latest_finish = np.maximum(fleet.shift_end[day, driver], s.finish)
    _backward(fleet, s, longest)
    return s


def _backward(fleet: Fleet, s: Schedules, longest: int) -> None:
    last = np.arange(len(s.day))
    latest_end = latest_free_before_home(fleet, s, last, s.free_place[last, s.count])  # [R]
    for i in range(longest - 1, -1, -1):
        r = np.flatnonzero(s.count > i)
        slot = np.full(len(r), i)
        n, d = s.day[r], s.driver[r]
        work = work_of_trips(fleet, n, d, slot)
        promise = fleet.trip_promised[n, d, slot] + fleet.trip_tolerance[n, d, slot]
        by_end = fleet.travel.depart(latest_end[r] - work.dropoff_service, work.loaded) - work.pickup_service
        # never below what is predicted now: a breach that is there already is kept, not worsened
        s.latest_pickup[r, i] = np.maximum(np.minimum(promise, by_end), s.pickup[r, i])
        latest_end[r] = np.maximum(
            latest_free(fleet.travel, s.latest_pickup[r, i], s.approach[r, i], work), s.free_time[r, i]
        )


def latest_free_before_home(fleet: Fleet, s: Schedules, rows: I64, place: F64) -> F64:
    """Latest time [M] at which the drivers of schedule rows `rows` [M] may be free at `place` [M, 4] for good."""
    n, d = s.day[rows], s.driver[rows]
    away = np.where(fleet.has_home[n, d], fleet.travel.free_flow(place, fleet.home[n, d]), 0.0)
    return fleet.travel.depart(s.latest_finish[rows], away)
