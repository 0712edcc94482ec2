"""Row form to array form: `pack(snapshots) -> Fleet`. Locates every driver and notes every gap; fills nothing in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from qdispatch_domain.fleet import EPS, Fleet, empty_fleet
from qdispatch_domain.reasons import BookingGap, DriverGap
from qdispatch_domain.snapshot import Booking, Driver, DriverKind, Leg, Location, Snapshot, Trip, TripStatus
from qdispatch_domain.travel import Travel, place_row, place_rows
from qdispatch_domain.weights import RULES

F64 = npt.NDArray[np.float64]


def leg_tolerance(leg: Leg) -> float:
    """The leg's own tolerance in minutes, for a booking that brings none."""
    return RULES.outbound_tolerance_min if leg is Leg.OUTBOUND else RULES.return_tolerance_min


def booking_gap(booking: Booking, now: float) -> BookingGap:
    """Whether the booking is open, and if not, why."""
    if not booking.time_confirmed:
        return BookingGap.NOT_READY
    if booking.scheduled_time is None:
        return BookingGap.NO_SCHEDULED_TIME
    if booking.pickup is None:
        return BookingGap.NO_PICKUP
    if booking.dropoff is None:
        return BookingGap.NO_DROPOFF
    if now >= booking.scheduled_time + RULES.latest_insertion_min:
        return BookingGap.EXPIRED
    return BookingGap.OPEN


def pack(snapshots: Sequence[Snapshot]) -> Fleet:
    """Arrays of one or several situations that share one travel model.

    Raises ValueError when several snapshots are given and one carries a matrix, or when a reference names an unknown
    driver.
    """
    matrix = snapshots[0].matrix
    if len(snapshots) > 1 and any(s.matrix is not None for s in snapshots):
        raise ValueError("Expected snapshots with a travel matrix to be packed one at a time.")
    committed = [[_committed(d) for d in s.drivers] for s in snapshots]
    fleet = empty_fleet(
        Travel(matrix),
        len(snapshots),
        max((len(s.drivers) for s in snapshots), default=0),
        max((len(s.bookings) for s in snapshots), default=0),
        max((len(t) for day in committed for t in day), default=0) + 1,
        max((len(d.breaks) for s in snapshots for d in s.drivers), default=0),
    )
    for n, snapshot in enumerate(snapshots):
        fleet.now[n] = snapshot.now
        index = {d.id: i for i, d in enumerate(snapshot.drivers)}
        _pack_drivers(fleet, n, snapshot)
        _pack_trips(fleet, n, committed[n])
        _pack_bookings(fleet, n, snapshot, index)
    return fleet


def _committed(driver: Driver) -> tuple[Trip, ...]:
    return tuple(t for t in driver.trips if t.status is TripStatus.COMMITTED)


def _pack_drivers(fleet: Fleet, n: int, snapshot: Snapshot) -> None:
    count = len(snapshot.drivers)
    if not count:
        return
    drivers = snapshot.drivers
    fleet.driver_real[n, :count] = True
    fleet.regular[n, :count] = [d.kind is DriverKind.REGULAR for d in drivers]
    fleet.wheelchair_access[n, :count] = [d.wheelchair_access for d in drivers]
    fleet.seats[n, :count] = [d.seats for d in drivers]
    fleet.contract_share[n, :count] = [d.contract_share for d in drivers]
    fleet.trips_done[n, :count] = [d.trips_done_today for d in drivers]
    fleet.minutes_driven[n, :count] = [d.minutes_driven_today for d in drivers]
    fleet.window_trips[n, :count] = [d.window_trips for d in drivers]
    fleet.window_minutes[n, :count] = [d.window_minutes for d in drivers]
    for i, driver in enumerate(drivers):
        for k, pause in enumerate(sorted(driver.breaks, key=lambda p: p.start)):
            fleet.break_start[n, i, k], fleet.break_end[n, i, k] = pause.start, pause.end
        if driver.end_location is not None:
            fleet.has_home[n, i], fleet.home[n, i] = True, place_row(driver.end_location)
        if not driver.available:
            fleet.driver_gap[n, i] = DriverGap.UNAVAILABLE
            continue
        if driver.shift_start is None or driver.shift_end is None:
            fleet.driver_gap[n, i] = DriverGap.NO_SHIFT
            continue
        fleet.shift_start[n, i], fleet.shift_end[n, i] = driver.shift_start, driver.shift_end
        running = next((t for t in driver.trips if t.status in (TripStatus.EN_ROUTE, TripStatus.ONBOARD)), None)
        fleet.locked[n, i] = running is not None
        anchor = (
            _idle(driver, snapshot.now) if running is None else _running(fleet.travel, driver, running, snapshot.now)
        )
        if anchor is None:
            fleet.driver_gap[n, i] = DriverGap.POSITION_UNKNOWN
            continue
        fleet.anchor_time[n, i] = max(anchor[0], driver.shift_start)
        fleet.anchor_place[n, i] = place_row(anchor[1])


def _last_done(driver: Driver) -> Trip | None:
    return next((t for t in reversed(driver.trips) if t.status is TripStatus.DONE), None)


def _idle(driver: Driver, now: float) -> tuple[float, Location] | None:
    """Anchor of a driver without a running trip (docs/dispatch-rules.md, "Where a driver is")."""
    done, seen = _last_done(driver), driver.position
    fresh = seen is not None and now - seen.observed_at <= RULES.position_max_age_min + EPS
    newer = seen is not None and (done is None or done.done_at is None or seen.observed_at >= done.done_at)
    if seen is not None and fresh and newer:
        return now, seen.location
    if done is not None:
        return now, done.dropoff
    if driver.start_location is not None and driver.shift_start is not None and now <= driver.shift_start:
        return now, driver.start_location
    return None


def _running(travel: Travel, driver: Driver, trip: Trip, now: float) -> tuple[float, Location] | None:
    """Anchor of a driver on a running trip: its predicted end, at its dropoff."""
    loaded = travel.free_flow(place_row(trip.pickup), place_row(trip.dropoff))
    if trip.status is TripStatus.ONBOARD:
        if trip.picked_up_at is None:
            raise ValueError("Expected picked_up_at on an ONBOARD trip.")
        pickup = trip.picked_up_at
    else:
        if trip.departed_at is None:
            raise ValueError("Expected departed_at on an EN_ROUTE trip.")
        done = _last_done(driver)
        since, origin = trip.departed_at, None
        if driver.position is not None:
            since, origin = max(since, driver.position.observed_at), driver.position.location
        elif done is not None:
            origin = done.dropoff
        elif driver.start_location is not None:
            origin = driver.start_location
        if origin is None:
            return None
        approach = travel.free_flow(place_row(origin), place_row(trip.pickup))
        pickup = max(float(travel.arrive(np.array(since), approach)), trip.scheduled_time, now)
    end = float(travel.arrive(np.array(pickup + trip.pickup_service_min), loaded)) + trip.dropoff_service_min
    return max(end, now), trip.dropoff


def _pack_trips(fleet: Fleet, n: int, committed: Sequence[Sequence[Trip]]) -> None:
    at = [(i, k) for i, trips in enumerate(committed) for k in range(len(trips))]
    fleet.n_trips[n, : len(committed)] = [len(trips) for trips in committed]
    if not at:
        return
    i, k = np.array(at).T
    rows = [t for trips in committed for t in trips]
    fleet.trip_pickup[n, i, k] = place_rows(t.pickup for t in rows)
    fleet.trip_dropoff[n, i, k] = place_rows(t.dropoff for t in rows)
    fleet.trip_scheduled[n, i, k] = [t.scheduled_time for t in rows]
    fleet.trip_promised[n, i, k] = [t.promised_pickup_time for t in rows]
    fleet.trip_tolerance[n, i, k] = [t.tolerance_min for t in rows]
    fleet.trip_pickup_service[n, i, k] = [t.pickup_service_min for t in rows]
    fleet.trip_dropoff_service[n, i, k] = [t.dropoff_service_min for t in rows]
    fleet.trip_outbound[n, i, k] = [t.leg is Leg.OUTBOUND for t in rows]
    fleet.trip_code[n, i, k] = np.arange(len(rows))
    fleet.trip_loaded[n, i, k] = fleet.travel.free_flow(fleet.trip_pickup[n, i, k], fleet.trip_dropoff[n, i, k])


def _pack_bookings(fleet: Fleet, n: int, snapshot: Snapshot, index: dict[str, int]) -> None:
    rows = snapshot.bookings
    count = len(rows)
    if not count:
        return
    gaps = [booking_gap(b, snapshot.now) for b in rows]
    here = slice(0, count)
    fleet.booking_real[n, here] = True
    fleet.booking_gap[n, here] = gaps
    fleet.open[n, here] = [g is BookingGap.OPEN for g in gaps]
    fleet.booking_code[n, here] = np.arange(count)
    fleet.outbound[n, here] = [b.leg is Leg.OUTBOUND for b in rows]
    fleet.urgent[n, here] = [b.urgent for b in rows]
    fleet.wheelchair[n, here] = [b.wheelchair for b in rows]
    fleet.passengers[n, here] = [b.passengers for b in rows]
    fleet.pinned[n, here] = [b.pinned for b in rows]
    fleet.tolerance[n, here] = [_or(b.tolerance_min, leg_tolerance(b.leg)) for b in rows]
    fleet.pickup_service[n, here] = [_or(b.pickup_service_min, RULES.pickup_service_min) for b in rows]
    fleet.dropoff_service[n, here] = [_or(b.dropoff_service_min, RULES.dropoff_service_min) for b in rows]
    fleet.scheduled[n, here] = [_or(b.scheduled_time, np.nan) for b in rows]
    fleet.promised[n, here] = [_or(b.promised_pickup_time, np.nan) for b in rows]
    fleet.known_since[n, here] = [_or(b.known_since, np.nan) for b in rows]
    try:
        fleet.current_driver[n, here] = [
            -1 if b.current_driver_id is None else index[b.current_driver_id] for b in rows
        ]
    except KeyError as error:
        raise ValueError("Expected current_driver_id to name a driver of the snapshot.") from error
    placed = [i for i, b in enumerate(rows) if b.pickup is not None and b.dropoff is not None]
    fleet.pickup[n, placed] = place_rows(p for p in (rows[i].pickup for i in placed) if p is not None)
    fleet.dropoff[n, placed] = place_rows(p for p in (rows[i].dropoff for i in placed) if p is not None)
    fleet.loaded[n, placed] = fleet.travel.free_flow(fleet.pickup[n, placed], fleet.dropoff[n, placed])
    driven = {t.booking_id: i for i, d in enumerate(snapshot.drivers) for t in d.trips}
    waiting = {b.id: i for i, b in enumerate(rows)}
    linked = [b.linked_booking_id for b in rows]
    fleet.linked_driver[n, here] = [-1 if k is None else driven.get(k, -1) for k in linked]
    fleet.linked_booking[n, here] = [-1 if k is None else waiting.get(k, -1) for k in linked]


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
