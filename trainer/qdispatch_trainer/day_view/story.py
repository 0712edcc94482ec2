"""A played day as stretches of time per driver, with places in kilometers around the middle of the day's places."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from qdispatch_domain.day_record import DayRecord, TripRecord
from qdispatch_domain.fleet import EPS
from qdispatch_domain.packing import leg_tolerance
from qdispatch_domain.situation import Scorer
from qdispatch_domain.snapshot import Booking, Driver, DriverKind, Leg, Location
from qdispatch_domain.travel import EARTH_RADIUS_KM
from qdispatch_trainer.day import Day
from qdispatch_trainer.simulator.day_log import DayLog, day_record
from qdispatch_trainer.simulator.kpi import DayKpi, day_kpis
from qdispatch_trainer.simulator.play import play

Point = tuple[float, float]  # km east, km north


class Kind(StrEnum):
    """What a driver does in a stretch."""

    EMPTY = "drives empty"
    WAITING = "waits at the pickup"
    OUTBOUND = "outbound trip"
    RETURN = "return trip"
    HOME = "drives home"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Service-day minutes from `start` to `end`. Of a trip it lasts from the pickup to the end of the drop-off."""

    kind: Kind
    start: float
    end: float
    origin: Point
    target: Point
    booking: str | None = None
    scheduled: float | None = None  # of a trip: the wanted pickup
    tolerance: float = 0.0
    moves_from: float | None = None  # of a trip: when the car leaves the pickup, and when it reaches the drop-off
    moves_until: float | None = None

    @property
    def late(self) -> float:
        """Minutes from the wanted to the real pickup, 0 when on time or no trip."""
        return 0.0 if self.scheduled is None else max(0.0, self.start - self.scheduled)

    @property
    def too_late(self) -> float:
        """Minutes beyond the tolerance: what is late in the key figures."""
        return max(0.0, self.late - self.tolerance) if self.late > self.tolerance + EPS else 0.0


@dataclass(frozen=True, slots=True)
class DriverStory:
    """A driver's day. Breaks and shift as (start, end)."""

    id: str
    emergency: bool
    shift: tuple[float, float] | None
    breaks: tuple[tuple[float, float], ...]
    begins: Point | None
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Unserved:
    """A booking that nobody drove."""

    booking: str
    scheduled: float | None
    pickup: Point | None


@dataclass(frozen=True, slots=True)
class Story:
    """A day as one policy played it."""

    policy: str
    kpi: DayKpi
    drivers: tuple[DriverStory, ...]
    unserved: tuple[Unserved, ...]


def play_story(day: Day, policy: str, scorer: Scorer) -> Story:
    """Play the day and tell it."""
    log = DayLog()
    batch = play([day], scorer, log)
    return told(day_record(batch, 0, log), day_kpis(batch)[0], policy)


def told(record: DayRecord, kpi: DayKpi, policy: str) -> Story:
    """The record as a story."""
    bookings = {one.booking.id: one.booking for one in record.bookings}
    point = _projection(bookings)
    return Story(
        policy,
        kpi,
        tuple(_driver(driver, record, bookings, point) for driver in record.drivers),
        tuple(
            Unserved(one.booking_id, booking.scheduled_time, None if booking.pickup is None else point(booking.pickup))
            for one in record.unserved
            for booking in (bookings[one.booking_id],)
        ),
    )


def _driver(
    driver: Driver, record: DayRecord, bookings: Mapping[str, Booking], point: Callable[[Location], Point]
) -> DriverStory:
    stretches: list[Stretch] = []
    for trip in sorted((one for one in record.trips if one.driver_id == driver.id), key=lambda one: one.departed_at):
        stretches += _of_trip(trip, bookings[trip.booking_id], point)
    for home in record.home_drives:
        if home.driver_id == driver.id and driver.end_location is not None:
            origin, target = point(home.departed_from), point(driver.end_location)
            stretches.append(Stretch(Kind.HOME, home.departed_at, home.arrived_at, origin, target))
    known = driver.shift_start is not None and driver.shift_end is not None
    return DriverStory(
        driver.id,
        driver.kind is DriverKind.EMERGENCY,
        (driver.shift_start or 0.0, driver.shift_end or 0.0) if known else None,
        tuple((pause.start, pause.end) for pause in driver.breaks),
        None if driver.start_location is None else point(driver.start_location),
        tuple(stretches),
    )


def _of_trip(trip: TripRecord, booking: Booking, point: Callable[[Location], Point]) -> list[Stretch]:
    if booking.pickup is None or booking.dropoff is None:
        raise ValueError(f"A driven booking has its places: {booking.id}.")
    pickup, dropoff = point(booking.pickup), point(booking.dropoff)
    kind = Kind.OUTBOUND if booking.leg is Leg.OUTBOUND else Kind.RETURN
    out = [Stretch(Kind.EMPTY, trip.departed_at, trip.arrived_at, point(trip.departed_from), pickup, trip.booking_id)]
    if trip.picked_up_at > trip.arrived_at + EPS:
        out.append(Stretch(Kind.WAITING, trip.arrived_at, trip.picked_up_at, pickup, pickup, trip.booking_id))
    out.append(
        Stretch(
            kind,
            trip.picked_up_at,
            trip.done_at,
            pickup,
            dropoff,
            trip.booking_id,
            booking.scheduled_time,
            leg_tolerance(booking.leg) if booking.tolerance_min is None else booking.tolerance_min,
            trip.left_pickup_at,
            trip.reached_dropoff_at,
        )
    )
    return out


def _projection(bookings: Mapping[str, Booking]) -> Callable[[Location], Point]:
    """Straight-line kilometers east and north of the mean place (equirectangular: fair within a city)."""
    places = [place for one in bookings.values() for place in (one.pickup, one.dropoff) if place is not None]
    middle = Location(0.0, 0.0)
    if places:
        latitude = math.fsum(place.latitude for place in places) / len(places)
        middle = Location(latitude, math.fsum(place.longitude for place in places) / len(places))
    km_per_degree = math.radians(1.0) * EARTH_RADIUS_KM
    shrink = math.cos(math.radians(middle.latitude))

    def point(place: Location) -> Point:
        east = (place.longitude - middle.longitude) * shrink * km_per_degree
        return round(east, 3), round((place.latitude - middle.latitude) * km_per_degree, 3)

    return point
