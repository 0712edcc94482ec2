"""Row form to array form: `pack(snapshots) -> Fleet`. Notes every gap; fills nothing in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qdispatch_domain.anchors import pack_anchors
from qdispatch_domain.fleet import Fleet, empty_fleet
from qdispatch_domain.reasons import BookingGap
from qdispatch_domain.snapshot import Booking, Break, Driver, DriverKind, Leg, Snapshot, Trip, TripStatus
from qdispatch_domain.travel import Travel, place_rows
from qdispatch_domain.weights import RULES

# read once: an enum's attribute costs more than the comparison it serves
_COMMITTED = TripStatus.COMMITTED
_OPEN = BookingGap.OPEN


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
    return _OPEN


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
    return tuple(t for t in driver.trips if t.status is _COMMITTED)


def _pack_drivers(fleet: Fleet, n: int, snapshot: Snapshot) -> None:
    drivers = snapshot.drivers
    count = len(drivers)
    if not count:
        return
    regular = DriverKind.REGULAR
    fleet.driver_real[n, :count] = True
    fleet.regular[n, :count] = [d.kind is regular for d in drivers]
    fleet.wheelchair_access[n, :count] = [d.wheelchair_access for d in drivers]
    fleet.seats[n, :count] = [d.seats for d in drivers]
    fleet.contract_share[n, :count] = [d.contract_share for d in drivers]
    fleet.trips_done[n, :count] = [d.trips_done_today for d in drivers]
    fleet.minutes_driven[n, :count] = [d.minutes_driven_today for d in drivers]
    fleet.window_trips[n, :count] = [d.window_trips for d in drivers]
    fleet.window_minutes[n, :count] = [d.window_minutes for d in drivers]
    pauses = [(i, k, p.start, p.end) for i, d in enumerate(drivers) for k, p in enumerate(_in_order(d.breaks))]
    if pauses:
        i, k, start, end = (list(column) for column in zip(*pauses, strict=True))
        fleet.break_start[n, i, k], fleet.break_end[n, i, k] = start, end
    homes = [(i, d.end_location) for i, d in enumerate(drivers) if d.end_location is not None]
    if homes:
        at = [i for i, _ in homes]
        fleet.has_home[n, at], fleet.home[n, at] = True, place_rows(place for _, place in homes)
    pack_anchors(fleet, n, drivers, snapshot.now)


def _in_order(breaks: tuple[Break, ...]) -> Sequence[Break]:
    return breaks if len(breaks) < 2 else sorted(breaks, key=lambda p: p.start)


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
    here, outbound = slice(0, count), Leg.OUTBOUND
    punctual, patient = leg_tolerance(Leg.OUTBOUND), leg_tolerance(Leg.RETURN)
    fleet.booking_real[n, here] = True
    fleet.booking_gap[n, here] = np.fromiter([booking_gap(b, snapshot.now) for b in rows], np.int64, count)
    fleet.open[n, here] = fleet.booking_gap[n, here] == 0
    fleet.booking_code[n, here] = np.arange(count)
    fleet.outbound[n, here] = np.fromiter([b.leg is outbound for b in rows], np.bool_, count)
    fleet.urgent[n, here] = np.fromiter([b.urgent for b in rows], np.bool_, count)
    fleet.wheelchair[n, here] = np.fromiter([b.wheelchair for b in rows], np.bool_, count)
    fleet.passengers[n, here] = np.fromiter([b.passengers for b in rows], np.int64, count)
    fleet.pinned[n, here] = np.fromiter([b.pinned for b in rows], np.bool_, count)
    fleet.tolerance[n, here] = [
        b.tolerance_min if b.tolerance_min is not None else punctual if b.leg is outbound else patient for b in rows
    ]
    fleet.pickup_service[n, here] = _or([b.pickup_service_min for b in rows], RULES.pickup_service_min)
    fleet.dropoff_service[n, here] = _or([b.dropoff_service_min for b in rows], RULES.dropoff_service_min)
    fleet.scheduled[n, here] = _or([b.scheduled_time for b in rows], np.nan)
    fleet.promised[n, here] = _or([b.promised_pickup_time for b in rows], np.nan)
    fleet.known_since[n, here] = _or([b.known_since for b in rows], np.nan)
    planned = [b.current_driver_id for b in rows]
    try:
        fleet.current_driver[n, here] = np.fromiter([-1 if d is None else index[d] for d in planned], np.int64, count)
    except KeyError as error:
        raise ValueError("Expected current_driver_id to name a driver of the snapshot.") from error
    placed = [(i, b.pickup, b.dropoff) for i, b in enumerate(rows) if b.pickup is not None and b.dropoff is not None]
    if placed:
        at, pickups, dropoffs = (list(column) for column in zip(*placed, strict=True))
        fleet.pickup[n, at], fleet.dropoff[n, at] = place_rows(pickups), place_rows(dropoffs)
        fleet.loaded[n, at] = fleet.travel.free_flow(fleet.pickup[n, at], fleet.dropoff[n, at])
    driven = {t.booking_id: i for i, d in enumerate(snapshot.drivers) for t in d.trips}
    wanted = dict(zip((b.id for b in rows), fleet.scheduled[n, here].tolist(), strict=True))
    wanted |= {t.booking_id: t.scheduled_time for d in snapshot.drivers for t in d.trips}
    waiting = {b.id: i for i, b in enumerate(rows)}
    linked = [b.linked_booking_id for b in rows]
    fleet.linked_driver[n, here] = [-1 if k is None else driven.get(k, -1) for k in linked]
    fleet.linked_scheduled[n, here] = [np.nan if k is None else wanted.get(k, np.nan) for k in linked]
    fleet.linked_booking[n, here] = [-1 if k is None else waiting.get(k, -1) for k in linked]


def _or(values: Sequence[float | None], otherwise: float) -> list[float]:
    return [otherwise if value is None else value for value in values]
