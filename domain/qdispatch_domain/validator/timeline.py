"""One driver's day by scalar code: where the schedule can still change, and every later trip's times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qdispatch_domain.reasons import DriverGap
from qdispatch_domain.snapshot import Driver, Location, Trip, TripStatus
from qdispatch_domain.validator.roads import Roads
from qdispatch_domain.weights import RULES

EPSILON_MIN = 1e-6  # comparisons allow this much


@dataclass(frozen=True, slots=True)
class Anchor:
    """Time and place from which the driver is free for the first COMMITTED trip."""

    time: float
    place: Location


@dataclass(frozen=True, slots=True)
class Leg:
    """The predicted times of one COMMITTED trip, service-day minutes."""

    departed: float
    arrived: float
    pickup: float
    end: float
    deadhead_km: float | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The predicted legs of one schedule, and its end (home, if the driver has an `end_location`)."""

    legs: tuple[Leg, ...]
    end: float
    deadhead_min: float
    deadhead_km: float | None


def driver_gap(driver: Driver, now: float, roads: Roads) -> DriverGap:
    """Why this driver can take nothing at all; NONE if there is no such reason."""
    if not driver.available:
        return DriverGap.UNAVAILABLE
    if driver.shift_start is None or driver.shift_end is None:
        return DriverGap.NO_SHIFT
    if anchor_of(driver, now, roads) is None:
        return DriverGap.POSITION_UNKNOWN
    return DriverGap.NONE


def committed(trips: Sequence[Trip]) -> list[Trip]:
    """The trips that have not begun, in order."""
    return [trip for trip in trips if trip.status is TripStatus.COMMITTED]


def anchor_of(driver: Driver, now: float, roads: Roads) -> Anchor | None:
    """Where and when the driver is free; None if unknown. ValueError on a running trip without its times."""
    if driver.shift_start is None:
        raise ValueError(f"Expected a shift of driver {driver.id!r}.")
    done = [trip for trip in driver.trips if trip.status is TripStatus.DONE]
    running = [trip for trip in driver.trips if trip.status in (TripStatus.EN_ROUTE, TripStatus.ONBOARD)]
    if len(running) > 1:
        raise ValueError(f"Expected at most one running trip of driver {driver.id!r}.")
    if running:
        return _after_running(driver, driver.shift_start, running[0], done, now, roads)
    seen: list[tuple[float, Location]] = []
    for trip in done[-1:]:
        if trip.done_at is None:
            raise ValueError(f"Expected done_at on DONE trip {trip.booking_id!r}.")
        seen.append((trip.done_at, trip.dropoff))
    if driver.position is not None and now - driver.position.observed_at <= RULES.position_max_age_min + 1e-6:
        seen.append((driver.position.observed_at, driver.position.location))
    if seen:
        latest = max(instant for instant, _ in seen)
        place = [where for instant, where in seen if instant == latest][-1]
        return Anchor(max(now, driver.shift_start), place)
    if driver.start_location is not None and now <= driver.shift_start:
        return Anchor(max(now, driver.shift_start), driver.start_location)
    return None


def _after_running(
    driver: Driver, shift_start: float, trip: Trip, done: Sequence[Trip], now: float, roads: Roads
) -> Anchor | None:
    if trip.status is TripStatus.ONBOARD:
        if trip.picked_up_at is None:
            raise ValueError(f"Expected picked_up_at on ONBOARD trip {trip.booking_id!r}.")
        pickup = trip.picked_up_at
    else:
        if trip.departed_at is None:
            raise ValueError(f"Expected departed_at on EN_ROUTE trip {trip.booking_id!r}.")
        since = trip.departed_at
        if driver.position is not None:
            origin = driver.position.location
            since = max(since, driver.position.observed_at)
        elif done:
            origin = done[-1].dropoff
        elif driver.start_location is not None:
            origin = driver.start_location
        else:
            return None
        pickup = max(roads.arrive(since, origin, trip.pickup), trip.scheduled_time, now)
    at_dropoff = roads.arrive(pickup + trip.pickup_service_min, trip.pickup, trip.dropoff)
    return Anchor(max(now, at_dropoff + trip.dropoff_service_min, shift_start), trip.dropoff)


def drive(
    driver: Driver,
    anchor: Anchor,
    trips: Sequence[Trip],
    roads: Roads,
    *,
    hold: Mapping[int, float] | None = None,
    breaks: bool = True,
) -> Timeline:
    """The times of `trips`, driven in this order from `anchor`.

    `hold` maps an index of `trips` to an instant before which the driver does not leave for that trip.
    `breaks=False` leaves the breaks out (to say which rule is to blame).
    """
    if driver.shift_start is None:
        raise ValueError(f"Expected a shift of driver {driver.id!r}.")
    clock, place = anchor.time, anchor.place
    legs: list[Leg] = []
    empty_min = 0.0
    empty_km: float | None = 0.0
    for index, trip in enumerate(trips):
        unhurried = roads.leave_by(trip.scheduled_time - RULES.arrival_buffer_min, place, trip.pickup)
        departure = max(clock, driver.shift_start, unhurried)
        if hold is not None and index in hold:
            departure = max(departure, hold[index])
        leg = _leg(departure, place, trip, roads)
        if breaks:
            for pause in sorted(driver.breaks, key=lambda entry: (entry.start, entry.end)):
                if leg.departed < pause.end and leg.end > pause.start + EPSILON_MIN:
                    leg = _leg(pause.end, place, trip, roads)
        legs.append(leg)
        empty_min += leg.arrived - leg.departed
        empty_km = None if empty_km is None or leg.deadhead_km is None else empty_km + leg.deadhead_km
        clock, place = leg.end, trip.dropoff
    if driver.end_location is not None:
        home = roads.arrive(clock, place, driver.end_location)
        empty_min += home - clock
        home_km = roads.km(place, driver.end_location)
        empty_km = None if empty_km is None or home_km is None else empty_km + home_km
        clock = home
    return Timeline(tuple(legs), clock, empty_min, empty_km)


def _leg(departure: float, place: Location, trip: Trip, roads: Roads) -> Leg:
    arrived = roads.arrive(departure, place, trip.pickup)
    pickup = max(arrived, trip.scheduled_time)
    at_dropoff = roads.arrive(pickup + trip.pickup_service_min, trip.pickup, trip.dropoff)
    return Leg(departure, arrived, pickup, at_dropoff + trip.dropoff_service_min, roads.km(place, trip.pickup))
