"""Tiny named situations on a line east of a fixed point: 1 km of road is 2 free-flow minutes."""

from __future__ import annotations

import math
from dataclasses import replace

from qdispatch_domain.snapshot import Booking, Driver, DriverKind, Leg, Location, Position, Snapshot, Trip, TripStatus
from qdispatch_domain.travel import DETOUR_FACTOR, EARTH_RADIUS_KM


def at(road_km: float) -> Location:
    """The place `road_km` kilometres of road north of the origin."""
    return Location(46.2 + math.degrees(road_km / DETOUR_FACTOR / EARTH_RADIUS_KM), 6.2)


def driver(name: str, km: float = 0.0, *, now: float = 600.0, **changes: object) -> Driver:
    """A free REGULAR driver with a wheelchair vehicle, three seats and a shift from 6:00 to 18:00."""
    base = Driver(
        id=name,
        kind=DriverKind.REGULAR,
        available=True,
        wheelchair_access=True,
        seats=3,
        shift_start=360.0,
        shift_end=1080.0,
        position=Position(at(km), now),
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a test names the fields it changes


def booking(name: str, km: float, to: float, time: float, **changes: object) -> Booking:
    """An outbound booking from kilometre `km` to kilometre `to`."""
    base = Booking(
        id=name,
        pickup=at(km),
        dropoff=at(to),
        scheduled_time=time,
        leg=Leg.OUTBOUND,
        time_confirmed=True,
        known_since=0.0,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a test names the fields it changes


def trip(name: str, km: float, to: float, time: float, **changes: object) -> Trip:
    """A COMMITTED outbound trip promised for its scheduled time."""
    base = Trip(
        booking_id=name,
        status=TripStatus.COMMITTED,
        pickup=at(km),
        dropoff=at(to),
        leg=Leg.OUTBOUND,
        scheduled_time=time,
        promised_pickup_time=time,
        tolerance_min=0.0,
        pickup_service_min=5.0,
        dropoff_service_min=10.0,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a test names the fields it changes


def snapshot(drivers: list[Driver], bookings: list[Booking], now: float = 600.0) -> Snapshot:
    """A situation without a matrix."""
    return Snapshot(now, tuple(drivers), tuple(bookings))
