"""A fleet small enough to be worked out by hand: every drive between two places takes 10 minutes, at every hour.

Pickup takes 5 minutes, dropoff 10: a trip ends 25 minutes after its pickup. `now` is 480.
"""

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

PLACES = tuple(Location(46.2 + 0.01 * i, 6.2, i) for i in range(10))
NOW = 480.0


def matrix() -> TravelMatrix:
    """Ten minutes and 5 km between any two of the places."""
    size = len(PLACES)
    apart = 1.0 - np.eye(size)
    return TravelMatrix(seconds=600.0 * apart, meters=5000.0 * apart)


def driver(name: str, **changed: object) -> Driver:
    """A REGULAR driver at place 0, on shift from 420 to 960, with four seats and wheelchair access."""
    row: dict[str, object] = {
        "id": name,
        "kind": DriverKind.REGULAR,
        "available": True,
        "wheelchair_access": True,
        "seats": 4,
        "shift_start": 420.0,
        "shift_end": 960.0,
        "position": Position(PLACES[0], NOW),
    }
    return Driver(**{**row, **changed})  # type: ignore[arg-type]  # the rows are written by name


def trip(name: str, scheduled: float, **changed: object) -> Trip:
    """A COMMITTED outbound trip from place 1 to place 2, promised for its scheduled time."""
    row: dict[str, object] = {
        "booking_id": name,
        "status": TripStatus.COMMITTED,
        "pickup": PLACES[1],
        "dropoff": PLACES[2],
        "leg": Leg.OUTBOUND,
        "scheduled_time": scheduled,
        "promised_pickup_time": scheduled,
        "tolerance_min": 0.0,
        "pickup_service_min": 5.0,
        "dropoff_service_min": 10.0,
    }
    return Trip(**{**row, **changed})  # type: ignore[arg-type]  # the rows are written by name


def booking(name: str, scheduled: float | None, **changed: object) -> Booking:
    """An open outbound booking from place 3 to place 4."""
    row: dict[str, object] = {
        "id": name,
        "pickup": PLACES[3],
        "dropoff": PLACES[4],
        "scheduled_time": scheduled,
        "leg": Leg.OUTBOUND,
        "time_confirmed": True,
    }
    return Booking(**{**row, **changed})  # type: ignore[arg-type]  # the rows are written by name


ANNA = driver("anna", breaks=(Break(720.0, 750.0),), trips=(trip("k0", 600.0),))
BERT = driver("bert", wheelchair_access=False, seats=2, shift_end=620.0)
CARL = driver("carl", kind=DriverKind.EMERGENCY)
DORA = driver("dora", available=False)
EMIL = driver("emil", shift_start=None, shift_end=None)
FINN = driver("finn", position=None)
FLEET = (ANNA, BERT, CARL, DORA, EMIL, FINN)


def situation(*bookings: Booking, drivers: tuple[Driver, ...] = FLEET) -> Snapshot:
    """The fleet at 8:00 with these open bookings."""
    return Snapshot(now=NOW, drivers=drivers, bookings=bookings, matrix=matrix())
