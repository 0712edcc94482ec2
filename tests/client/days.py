"""Tiny snapshots and answers that the client's tests name."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from qdispatch_client import Booking, Driver, DriverKind, Leg, Location, Snapshot

ZONE = ZoneInfo("Europe/Zurich")
HOME = Location(46.235, 6.207)
CLINIC = Location(46.213, 6.174)


def at(hour: int, minute: int = 0) -> datetime:
    """A local time of the day all these snapshots are of, a Monday in winter (UTC+1)."""
    return datetime(2026, 11, 23, hour, minute, tzinfo=ZONE)


def small_snapshot() -> Snapshot:
    """One driver, one booking, 9:10."""
    driver = Driver(
        id="driver-1",
        kind=DriverKind.REGULAR,
        available=True,
        wheelchair_access=False,
        seats=4,
        shift_start=at(7, 30),
        shift_end=at(16),
        start_location=HOME,
    )
    booking = Booking(
        id="booking-1",
        pickup=HOME,
        dropoff=CLINIC,
        scheduled_time=at(9, 45),
        leg=Leg.OUTBOUND,
        time_confirmed=True,
        wheelchair=False,
    )
    return Snapshot(now=at(9, 10), time_zone="Europe/Zurich", drivers=(driver,), bookings=(booking,))
