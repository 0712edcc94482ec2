"""Random dispatch situations of a small clinic region: everything that a real day may hold, gaps and breaches included.

`random_snapshot(rng)` draws one; whole minutes are common on purpose, so that ties and exact limits are met often.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from hypothesis import strategies as st

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

CENTRE = (46.235, 6.207)


@dataclass(slots=True)
class _Region:
    """Draws places; with a matrix every place is a row of it."""

    rng: np.random.Generator
    indexed: bool
    places: list[Location] = field(default_factory=list)

    def place(self) -> Location:
        if self.places and self.rng.random() < 0.35:  # clinics, homes with several legs, drivers waiting there
            return self.places[int(self.rng.integers(len(self.places)))]
        latitude = CENTRE[0] + float(self.rng.normal(0.0, 0.035))
        longitude = CENTRE[1] + float(self.rng.normal(0.0, 0.045))
        place = Location(latitude, longitude, len(self.places) if self.indexed else None)
        self.places.append(place)
        return place

    def matrix(self) -> TravelMatrix | None:
        if not self.indexed:
            return None
        size = len(self.places)
        latitude = np.array([p.latitude for p in self.places])
        longitude = np.array([p.longitude for p in self.places])
        north = (latitude[:, None] - latitude[None, :]) * 111.2
        east = (longitude[:, None] - longitude[None, :]) * 77.0
        km = np.hypot(north, east) * 1.3
        if self.rng.random() < 0.3:  # roads need not obey the triangle inequality
            km = km * self.rng.uniform(0.3, 2.0, (size, size))
        np.fill_diagonal(km, 0.0)
        meters = np.round(km * 1000.0) if self.rng.random() < 0.6 else None
        return TravelMatrix(seconds=np.round(km * 120.0), meters=meters)


def random_snapshot(
    rng: np.random.Generator,
    *,
    drivers: tuple[int, int] = (1, 12),
    bookings: tuple[int, int] = (0, 20),
    matrix: bool | None = None,
) -> Snapshot:
    """One situation. Sizes are drawn from the closed ranges; `matrix` None: in one case of five."""
    indexed = bool(rng.random() < 0.2) if matrix is None else matrix
    region = _Region(rng, indexed)
    now = _minute(rng, 330.0, 1110.0)
    fleet = tuple(
        _driver(rng, region, now, row) for row in range(int(rng.integers(drivers[0], drivers[1], endpoint=True)))
    )
    count = int(rng.integers(bookings[0], bookings[1], endpoint=True))
    open_rows = tuple(_booking(rng, region, now, row, fleet) for row in range(count))
    return Snapshot(now=now, drivers=fleet, bookings=open_rows, matrix=region.matrix())


def snapshots(*, drivers: tuple[int, int] = (1, 6), bookings: tuple[int, int] = (0, 8)) -> st.SearchStrategy[Snapshot]:
    """The same situations as a Hypothesis strategy (seed -> snapshot)."""
    seeds = st.integers(min_value=0, max_value=2**32 - 1)
    return seeds.map(lambda seed: random_snapshot(np.random.default_rng(seed), drivers=drivers, bookings=bookings))


def _minute(rng: np.random.Generator, low: float, high: float) -> float:
    drawn = float(rng.uniform(low, high))
    return float(round(drawn)) if rng.random() < 0.6 else drawn


def _chance(rng: np.random.Generator, probability: float) -> bool:
    return bool(rng.random() < probability)


def _trip(rng: np.random.Generator, region: _Region, name: str, status: TripStatus, scheduled: float) -> Trip:
    leg = Leg.OUTBOUND if _chance(rng, 0.5) else Leg.RETURN
    own = 15.0 if leg is Leg.RETURN else 0.0
    delay = float(rng.choice([0.0, 0.0, 0.0, 7.0, 25.0]))
    return Trip(
        booking_id=name,
        status=status,
        pickup=region.place(),
        dropoff=region.place(),
        leg=leg,
        scheduled_time=scheduled,
        promised_pickup_time=scheduled + delay,
        tolerance_min=float(rng.choice([own, own, 0.0, 10.0])),
        pickup_service_min=float(rng.choice([5.0, 5.0, 0.0, 3.5])),
        dropoff_service_min=float(rng.choice([10.0, 10.0, 0.0, 6.5])),
        urgent=_chance(rng, 0.1),
    )


def _driver(rng: np.random.Generator, region: _Region, now: float, row: int) -> Driver:
    begin = _minute(rng, now - 420.0, now + 90.0) if _chance(rng, 0.9) else now
    end = begin + float(rng.choice([240.0, 360.0, 480.0, 480.0, 600.0]))
    breaks = tuple(_break(rng, begin, end) for _ in range(int(rng.choice([0, 1, 1, 2]))))
    done = _done(rng, region, now, row) if begin < now else ()
    running = _running(rng, region, now, row) if begin < now and _chance(rng, 0.4) else ()
    ahead = _ahead(rng, region, now, row, max(begin, now))
    position = None
    if _chance(rng, 0.75):
        position = Position(region.place(), now - float(rng.choice([0.0, 0.5, 5.0, 15.0, 16.0, 45.0])))
    untold = int(rng.integers(0, 3)) if begin < now and _chance(rng, 0.4) else 0
    no_shift = _chance(rng, 0.04)
    return Driver(
        id=f"driver-{row}",
        kind=DriverKind.EMERGENCY if _chance(rng, 0.2) else DriverKind.REGULAR,
        available=_chance(rng, 0.93),
        wheelchair_access=_chance(rng, 0.5),
        seats=int(rng.integers(1, 5)),
        shift_start=None if no_shift else begin,
        shift_end=None if no_shift else end,
        position=position,
        start_location=region.place() if _chance(rng, 0.7) else None,
        end_location=region.place() if _chance(rng, 0.3) else None,
        breaks=breaks,
        trips=(*done, *running, *ahead),
        trips_done_today=len(done) + untold,
        minutes_driven_today=float(rng.uniform(0.0, 200.0)),
        contract_share=float(rng.choice([1.0, 1.0, 0.8, 0.5])),
        window_trips=int(rng.integers(0, 30)),
        window_minutes=float(rng.uniform(0.0, 900.0)),
    )


def _break(rng: np.random.Generator, begin: float, end: float) -> Break:
    start = max(0.0, _minute(rng, begin, end))
    return Break(start, start + float(rng.choice([15.0, 30.0, 45.0])))


def _done(rng: np.random.Generator, region: _Region, now: float, row: int) -> tuple[Trip, ...]:
    count = int(rng.integers(0, 3))
    ends = sorted(now - float(rng.uniform(0.0, 200.0)) for _ in range(count))
    if ends and _chance(rng, 0.3):
        ends[-1] = now
    trips = []
    for index, end in enumerate(ends):
        trip = _trip(rng, region, f"done-{row}-{index}", TripStatus.DONE, end - 40.0)
        trips.append(replace(trip, departed_at=end - 50.0, picked_up_at=end - 40.0, done_at=end))
    return tuple(trips)


def _running(rng: np.random.Generator, region: _Region, now: float, row: int) -> tuple[Trip, ...]:
    if _chance(rng, 0.5):
        trip = _trip(rng, region, f"running-{row}", TripStatus.EN_ROUTE, _minute(rng, now - 20.0, now + 20.0))
        return (replace(trip, departed_at=now - float(rng.choice([0.0, 2.0, 12.0]))),)
    picked_up = now - float(rng.choice([0.0, 3.0, 20.0, 60.0]))
    trip = _trip(rng, region, f"running-{row}", TripStatus.ONBOARD, picked_up - float(rng.choice([0.0, 4.0])))
    return (replace(trip, picked_up_at=picked_up, departed_at=picked_up - 10.0),)


def _ahead(rng: np.random.Generator, region: _Region, now: float, row: int, first: float) -> tuple[Trip, ...]:
    count = int(rng.choice([0, 0, 1, 2, 3, 5]))
    clock = first + float(rng.uniform(-25.0, 60.0))
    trips = []
    for index in range(count):
        scheduled = float(round(clock)) if _chance(rng, 0.6) else clock
        trips.append(_trip(rng, region, f"ahead-{row}-{index}", TripStatus.COMMITTED, scheduled))
        clock += float(rng.choice([25.0, 45.0, 60.0, 90.0, 150.0])) * float(rng.uniform(0.8, 1.2))
    return tuple(trips)


def _booking(rng: np.random.Generator, region: _Region, now: float, row: int, fleet: tuple[Driver, ...]) -> Booking:
    scheduled = _minute(rng, now - 65.0, now + 200.0)
    planned = fleet[int(rng.integers(len(fleet)))].id if fleet and _chance(rng, 0.3) else None
    return Booking(
        id=f"booking-{row}",
        pickup=None if _chance(rng, 0.04) else region.place(),
        dropoff=None if _chance(rng, 0.04) else region.place(),
        scheduled_time=None if _chance(rng, 0.04) else scheduled,
        leg=Leg.OUTBOUND if _chance(rng, 0.5) else Leg.RETURN,
        time_confirmed=_chance(rng, 0.92),
        urgent=_chance(rng, 0.15),
        wheelchair=_chance(rng, 0.25),
        passengers=int(rng.choice([1, 1, 1, 2, 4])),
        tolerance_min=None if _chance(rng, 0.7) else float(rng.choice([0.0, 5.0, 30.0])),
        pickup_service_min=None if _chance(rng, 0.7) else float(rng.choice([0.0, 2.5, 8.0])),
        dropoff_service_min=None if _chance(rng, 0.7) else float(rng.choice([0.0, 4.0, 12.5])),
        linked_booking_id=f"booking-{row - 1}" if row and _chance(rng, 0.3) else None,
        known_since=now - 30.0 if _chance(rng, 0.5) else None,
        current_driver_id=planned,
        promised_pickup_time=scheduled + float(rng.choice([0.0, 8.0, 40.0])) if _chance(rng, 0.2) else None,
        pinned=planned is not None and _chance(rng, 0.3),
    )
