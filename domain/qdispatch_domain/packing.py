"""Row form to array form: `pack(snapshots) -> Fleet`. Notes every gap; fills nothing in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qdispatch_domain.anchors import pack_anchors
from qdispatch_domain.fleet import Fleet, empty_fleet
from qdispatch_domain.reasons import BookingGap
from qdispatch_domain.row_columns import flags, reals, wholes
from qdispatch_domain.snapshot import Booking, Break, Driver, DriverKind, Leg, Snapshot, Trip, TripStatus
from qdispatch_domain.travel import PLACE, Travel, place_rows
from qdispatch_domain.weights import RULES

# read once: an enum's attribute costs more than the comparison it serves
_COMMITTED = TripStatus.COMMITTED
_OPEN = BookingGap.OPEN

_NAN = np.nan


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
    return tuple([t for t in driver.trips if t.status is _COMMITTED]) if driver.trips else ()


def _pack_drivers(fleet: Fleet, n: int, snapshot: Snapshot) -> None:
    drivers = snapshot.drivers
    if not drivers:
        return
    here, regular = slice(0, len(drivers)), DriverKind.REGULAR
    fleet.driver_real[n, here] = True
    fleet.regular[n, here] = flags([d.kind is regular for d in drivers])
    fleet.wheelchair_access[n, here] = flags([d.wheelchair_access for d in drivers])
    fleet.seats[n, here] = wholes([d.seats for d in drivers])
    fleet.contract_share[n, here] = reals([d.contract_share for d in drivers])
    fleet.trips_done[n, here] = reals([d.trips_done_today for d in drivers])
    fleet.minutes_driven[n, here] = reals([d.minutes_driven_today for d in drivers])
    fleet.window_trips[n, here] = reals([d.window_trips for d in drivers])
    fleet.window_minutes[n, here] = reals([d.window_minutes for d in drivers])
    pauses = [(i, k, p) for i, d in enumerate(drivers) if d.breaks for k, p in enumerate(_in_order(d.breaks))]
    if pauses:
        at = n, wholes([i for i, _, _ in pauses]), wholes([k for _, k, _ in pauses])
        fleet.break_start[at] = reals([p.start for _, _, p in pauses])
        fleet.break_end[at] = reals([p.end for _, _, p in pauses])
    homes = [(i, d.end_location) for i, d in enumerate(drivers) if d.end_location is not None]
    if homes:
        home = wholes([i for i, _ in homes])
        fleet.has_home[n, home], fleet.home[n, home] = True, place_rows([place for _, place in homes])
    pack_anchors(fleet, n, drivers, snapshot.now)


def _in_order(breaks: tuple[Break, ...]) -> Sequence[Break]:
    return breaks if len(breaks) < 2 else sorted(breaks, key=lambda p: p.start)


def _pack_trips(fleet: Fleet, n: int, committed: Sequence[Sequence[Trip]]) -> None:
    fleet.n_trips[n, : len(committed)] = [len(trips) for trips in committed]
    rows = [t for trips in committed for t in trips]
    if not rows:
        return
    i = wholes([i for i, trips in enumerate(committed) for _ in trips])
    k = wholes([k for trips in committed for k in range(len(trips))])
    outbound = Leg.OUTBOUND
    fleet.trip_scheduled[n, i, k] = reals([t.scheduled_time for t in rows])
    fleet.trip_promised[n, i, k] = reals([t.promised_pickup_time for t in rows])
    fleet.trip_tolerance[n, i, k] = reals([t.tolerance_min for t in rows])
    fleet.trip_pickup_service[n, i, k] = reals([t.pickup_service_min for t in rows])
    fleet.trip_dropoff_service[n, i, k] = reals([t.dropoff_service_min for t in rows])
    fleet.trip_outbound[n, i, k] = flags([t.leg is outbound for t in rows])
    fleet.trip_code[n, i, k] = np.arange(len(rows))
    pickup, dropoff = place_rows([t.pickup for t in rows] + [t.dropoff for t in rows]).reshape(2, len(rows), PLACE)
    fleet.trip_pickup[n, i, k], fleet.trip_dropoff[n, i, k] = pickup, dropoff
    fleet.trip_loaded[n, i, k] = fleet.travel.free_flow(pickup, dropoff)


def _pack_bookings(fleet: Fleet, n: int, snapshot: Snapshot, index: dict[str, int]) -> None:
    rows = snapshot.bookings
    if not rows:
        return
    here, now, outbound = slice(0, len(rows)), snapshot.now, Leg.OUTBOUND
    loading, unloading = RULES.pickup_service_min, RULES.dropoff_service_min
    fleet.booking_real[n, here] = True
    fleet.booking_code[n, here] = np.arange(len(rows))
    gap = np.fromiter([booking_gap(b, now) for b in rows], np.int64, len(rows))
    fleet.booking_gap[n, here], fleet.open[n, here] = gap, gap == 0
    fleet.outbound[n, here] = brings = flags([b.leg is outbound for b in rows])
    fleet.urgent[n, here] = flags([b.urgent for b in rows])
    fleet.wheelchair[n, here] = flags([b.wheelchair for b in rows])
    fleet.passengers[n, here] = wholes([b.passengers for b in rows])
    fleet.pinned[n, here] = flags([b.pinned for b in rows])
    tolerance = reals([_NAN if b.tolerance_min is None else b.tolerance_min for b in rows])
    legs_own = np.where(brings, leg_tolerance(outbound), leg_tolerance(Leg.RETURN))
    fleet.tolerance[n, here] = np.where(np.isnan(tolerance), legs_own, tolerance)
    fleet.pickup_service[n, here] = reals(
        [loading if b.pickup_service_min is None else b.pickup_service_min for b in rows]
    )
    fleet.dropoff_service[n, here] = reals(
        [unloading if b.dropoff_service_min is None else b.dropoff_service_min for b in rows]
    )
    fleet.scheduled[n, here] = reals([_NAN if b.scheduled_time is None else b.scheduled_time for b in rows])
    fleet.promised[n, here] = reals([_NAN if b.promised_pickup_time is None else b.promised_pickup_time for b in rows])
    fleet.known_since[n, here] = reals([_NAN if b.known_since is None else b.known_since for b in rows])
    _pack_places(fleet, n, rows)
    _pack_names(fleet, n, snapshot, index)


def _pack_places(fleet: Fleet, n: int, bookings: Sequence[Booking]) -> None:
    """Where the bookings that say both places begin and end, and the minutes between."""
    placed = [
        (i, b.pickup, b.dropoff) for i, b in enumerate(bookings) if b.pickup is not None and b.dropoff is not None
    ]
    if not placed:
        return
    at = wholes([i for i, _, _ in placed])
    pickup, dropoff = place_rows([p for _, p, _ in placed] + [p for _, _, p in placed]).reshape(2, len(at), PLACE)
    fleet.pickup[n, at], fleet.dropoff[n, at] = pickup, dropoff
    fleet.loaded[n, at] = fleet.travel.free_flow(pickup, dropoff)


def _pack_names(fleet: Fleet, n: int, snapshot: Snapshot, index: dict[str, int]) -> None:
    """The drivers and other legs that the bookings name."""
    rows = snapshot.bookings
    planned = [(i, b.current_driver_id) for i, b in enumerate(rows) if b.current_driver_id is not None]
    if planned:
        try:
            fleet.current_driver[n, [i for i, _ in planned]] = [index[d] for _, d in planned]
        except KeyError as error:
            raise ValueError("Expected current_driver_id to name a driver of the snapshot.") from error
    _pack_links(fleet, n, snapshot)


def _pack_links(fleet: Fleet, n: int, snapshot: Snapshot) -> None:
    """Where the other legs are that the bookings name: among the bookings, or driven already."""
    rows = snapshot.bookings
    row_of = {b.id: i for i, b in enumerate(rows)}
    row = wholes([-1 if b.linked_booking_id is None else row_of.get(b.linked_booking_id, -1) for b in rows])
    fleet.linked_booking[n, : len(rows)] = row
    fleet.linked_scheduled[n, : len(rows)] = np.where(row >= 0, fleet.scheduled[n, row], _NAN)
    driver_of = {t.booking_id: (i, t.scheduled_time) for i, d in enumerate(snapshot.drivers) for t in d.trips}
    driven = [
        (i, *driver_of[b.linked_booking_id])
        for i, b in enumerate(rows)
        if b.linked_booking_id is not None and b.linked_booking_id in driver_of
    ]
    if driven:
        at = wholes([i for i, _, _ in driven])
        fleet.linked_driver[n, at] = wholes([driver for _, driver, _ in driven])
        fleet.linked_scheduled[n, at] = reals([scheduled for _, _, scheduled in driven])
