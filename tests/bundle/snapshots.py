"""Small synthetic snapshots of every kind the golden vectors should cover."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.snapshot import (
    Booking,
    Break,
    Driver,
    DriverKind,
    Leg,
    Location,
    Position,
    Snapshot,
    TravelMatrix,
    Trip,
    TripStatus,
)

NOW = 540.0


def place(rng: np.random.Generator, index: int | None = None) -> Location:
    return Location(46.2 + rng.uniform(-0.05, 0.05), 6.15 + rng.uniform(-0.07, 0.07), index)


def _driver(rng: np.random.Generator, number: int, committed: int) -> Driver:
    trips = tuple(
        Trip(
            booking_id=f"t{number}-{slot}",
            status=TripStatus.COMMITTED,
            pickup=place(rng),
            dropoff=place(rng),
            leg=Leg.OUTBOUND,
            scheduled_time=NOW + 60.0 + 120.0 * slot,
            promised_pickup_time=NOW + 60.0 + 120.0 * slot,
            tolerance_min=0.0,
            pickup_service_min=5.0,
            dropoff_service_min=10.0,
        )
        for slot in range(committed)
    )
    return Driver(
        id=f"d{number}",
        kind=DriverKind.EMERGENCY if number == 0 else DriverKind.REGULAR,
        available=True,
        wheelchair_access=number % 2 == 0,
        seats=4,
        shift_start=420.0,
        shift_end=900.0 + 30.0 * number,
        position=Position(place(rng), NOW - 2.0),
        breaks=(Break(720.0, 750.0),),
        trips=trips,
        trips_done_today=int(rng.integers(4)),
    )


def _booking(rng: np.random.Generator, number: int) -> Booking:
    return Booking(
        id=f"b{number}",
        pickup=place(rng),
        dropoff=place(rng),
        scheduled_time=NOW + float(rng.uniform(5.0, 240.0)),
        leg=Leg.RETURN if number % 3 == 0 else Leg.OUTBOUND,
        time_confirmed=True,
        urgent=number % 7 == 0,
        wheelchair=number % 5 == 0,
        known_since=420.0,
    )


def snapshot(seed: int, drivers: int, bookings: int, committed: int = 0) -> Snapshot:
    """A busy morning at 9:00; driver 0 is the reserve when there are several."""
    rng = np.random.default_rng(seed)
    fleet = tuple(_driver(rng, number if drivers > 1 else 2, committed) for number in range(drivers))
    return Snapshot(NOW, fleet, tuple(_booking(rng, number) for number in range(bookings)))


def with_matrix(seed: int) -> Snapshot:
    """One driver, two bookings, travel by the caller's matrix."""
    rng = np.random.default_rng(seed)
    at = [place(rng, index) for index in range(5)]
    seconds = rng.uniform(300.0, 1500.0, (5, 5))
    np.fill_diagonal(seconds, 0.0)
    driver = Driver("d", DriverKind.REGULAR, True, True, 4, 420.0, 960.0, Position(at[0], NOW))
    bookings = tuple(
        Booking(f"b{n}", at[1 + 2 * n], at[2 + 2 * n], NOW + 60.0 + 90.0 * n, Leg.OUTBOUND, True) for n in range(2)
    )
    return Snapshot(NOW, (driver,), bookings, TravelMatrix(seconds, seconds * 8.0))


def diverse() -> list[Snapshot]:
    """Eight situations: a clinic day, a lone pair, a full fleet, committed trips, a matrix, nobody who can."""
    return [
        snapshot(1, 4, 8),
        snapshot(2, 1, 1),
        snapshot(3, 10, 20),
        snapshot(4, 5, 9, committed=2),
        snapshot(5, 3, 12, committed=1),
        with_matrix(6),
        snapshot(7, 2, 0),
        snapshot(8, 6, 6, committed=3),
    ]
