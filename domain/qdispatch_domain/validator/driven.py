"""How the drivers really drove: one trip at a time, chained in place and time, within the day's noise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from qdispatch_domain.day_record import BookingRecord, DayRecord, NoiseBounds, TripRecord
from qdispatch_domain.snapshot import Driver, Location, Trip, TripStatus
from qdispatch_domain.validator.roads import Roads
from qdispatch_domain.validator.situation import as_trip
from qdispatch_domain.validator.violation import Fault, Violation

SLACK_MIN = 1e-3
SAME_PLACE_DEGREES = 1e-9


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a driven booking asked for."""

    trip: Trip
    record: BookingRecord | None  # None: committed before the day was recorded


def check_trips(record: DayRecord) -> list[Violation]:
    """Order, places, travel and service times, breaks, vehicle and knowledge of every driven trip."""
    plans = _plans(record)
    drivers = {driver.id: driver for driver in record.drivers}
    roads = Roads(record.matrix)
    found: list[Violation] = []
    by_driver: dict[str, list[TripRecord]] = defaultdict(list)
    for trip in record.trips:
        if trip.driver_id not in drivers:
            found.append(Violation(Fault.UNKNOWN_INDEX, trip.booking_id, f"driver {trip.driver_id!r} does not exist"))
        else:
            by_driver[trip.driver_id].append(trip)
    for driver_id, trips in by_driver.items():
        driver = drivers[driver_id]
        trips.sort(key=lambda trip: trip.departed_at)
        found += _chain(driver, trips, plans)
        for trip in trips:
            plan = plans.get(trip.booking_id)
            if plan is not None:
                found += _fit(driver, trip, plan)
                found += _times(trip, plan.trip, roads, record.noise)
    return found


def check_home_drives(record: DayRecord) -> list[Violation]:
    """Every drive home starts where and when the last trip ended, once per driver."""
    plans = _plans(record)
    drivers = {driver.id: driver for driver in record.drivers}
    roads = Roads(record.matrix)
    found: list[Violation] = []
    seen: set[str] = set()
    for home in record.home_drives:
        where = f"home drive of {home.driver_id}"
        driver = drivers.get(home.driver_id)
        if driver is None or driver.end_location is None:
            found.append(Violation(Fault.UNKNOWN_INDEX, where, "no such driver with an end_location"))
            continue
        if home.driver_id in seen:
            found.append(Violation(Fault.DUPLICATE, where, "drives home twice"))
        seen.add(home.driver_id)
        trips = sorted((t for t in record.trips if t.driver_id == driver.id), key=lambda trip: trip.departed_at)
        known = [plans[t.booking_id].trip.dropoff for t in trips if t.booking_id in plans]
        places = known[-1:] or _first_places(driver)
        if not any(_same(home.departed_from, place) for place in places):
            found.append(Violation(Fault.TELEPORT, where, f"starts at {home.departed_from}, the driver was elsewhere"))
        if trips and home.departed_at < trips[-1].done_at - SLACK_MIN:
            text = f"departs at {home.departed_at}, the last trip ends at {trips[-1].done_at}"
            found.append(Violation(Fault.OVERLAP, where, text))
        found += _drive(
            roads, record.noise, home.departed_from, driver.end_location, home.departed_at, home.arrived_at, where
        )
    return found


def _plans(record: DayRecord) -> dict[str, _Plan]:
    plans = {trip.booking_id: _Plan(trip, None) for driver in record.drivers for trip in driver.trips}
    for row in record.bookings:
        booking = row.booking
        if booking.scheduled_time is not None and booking.pickup is not None and booking.dropoff is not None:
            plans[booking.id] = _Plan(as_trip(booking, booking.scheduled_time), row)
    return plans


def _first_places(driver: Driver) -> list[Location]:
    """Where the driver may stand as the day begins."""
    done = [trip.dropoff for trip in driver.trips if trip.status is TripStatus.DONE][-1:]
    seen = [] if driver.position is None else [driver.position.location]
    return [*done, *seen, *([] if driver.start_location is None else [driver.start_location])]


def _same(one: Location, other: Location) -> bool:
    near = abs(one.latitude - other.latitude) <= SAME_PLACE_DEGREES
    return (
        near and abs(one.longitude - other.longitude) <= SAME_PLACE_DEGREES and one.matrix_index == other.matrix_index
    )


def _chain(driver: Driver, trips: list[TripRecord], plans: dict[str, _Plan]) -> Iterator[Violation]:
    places = _first_places(driver)
    free: float | None = None
    for trip in trips:
        where = trip.booking_id
        if free is not None and trip.departed_at < free - SLACK_MIN:
            text = f"driver {driver.id!r} departs at {trip.departed_at}, the trip before ends at {free}"
            yield Violation(Fault.OVERLAP, where, text)
        if not any(_same(trip.departed_from, place) for place in places):
            text = f"driver {driver.id!r} starts at {trip.departed_from}, but was elsewhere"
            yield Violation(Fault.TELEPORT, where, text)
        if driver.shift_start is None or driver.shift_end is None:
            yield Violation(Fault.NO_SHIFT, where, f"driver {driver.id!r} has no shift")
        elif trip.departed_at < driver.shift_start - SLACK_MIN:
            yield Violation(Fault.SHIFT, where, f"departs at {trip.departed_at}, shift starts at {driver.shift_start}")
        for pause in driver.breaks:
            if pause.start + SLACK_MIN < trip.departed_at < pause.end - SLACK_MIN:
                text = f"driver {driver.id!r} departs at {trip.departed_at} in the break {pause.start}-{pause.end}"
                yield Violation(Fault.BREAK, where, text)
        free = trip.done_at if free is None else max(free, trip.done_at)
        if trip.booking_id in plans:
            places = [plans[trip.booking_id].trip.dropoff]


def _fit(driver: Driver, trip: TripRecord, plan: _Plan) -> Iterator[Violation]:
    where = trip.booking_id
    if trip.picked_up_at < plan.trip.scheduled_time - SLACK_MIN:
        text = f"picked up at {trip.picked_up_at}, scheduled {plan.trip.scheduled_time}"
        yield Violation(Fault.TOO_EARLY, where, text)
    if plan.record is None:
        return
    booking = plan.record.booking
    if booking.wheelchair and not driver.wheelchair_access:
        yield Violation(Fault.WHEELCHAIR, where, f"driver {driver.id!r} has no wheelchair access")
    if booking.passengers > driver.seats:
        yield Violation(Fault.SEATS, where, f"{booking.passengers} passengers, {driver.seats} seats")
    if booking.pinned and booking.current_driver_id != driver.id:
        yield Violation(Fault.PINNED, where, f"pinned to {booking.current_driver_id!r}, driven by {driver.id!r}")
    if trip.departed_at < plan.record.known_at - SLACK_MIN:
        yield Violation(Fault.NOT_YET_KNOWN, where, f"departed at {trip.departed_at}, known at {plan.record.known_at}")
    if plan.record.needs_call:
        called = plan.record.called_at
        if called is None or trip.departed_at < called - SLACK_MIN:
            text = f"departed at {trip.departed_at}, the patient called at {called}"
            yield Violation(Fault.NOT_YET_KNOWN, where, text)


def _times(trip: TripRecord, plan: Trip, roads: Roads, noise: NoiseBounds) -> Iterator[Violation]:
    where = trip.booking_id
    if trip.picked_up_at < trip.arrived_at - SLACK_MIN:
        yield Violation(Fault.OVERLAP, where, f"picked up at {trip.picked_up_at}, arrived at {trip.arrived_at}")
    yield from _drive(roads, noise, trip.departed_from, plan.pickup, trip.departed_at, trip.arrived_at, where)
    yield from _drive(roads, noise, plan.pickup, plan.dropoff, trip.left_pickup_at, trip.reached_dropoff_at, where)
    services = (
        ("pickup", plan.pickup_service_min, trip.left_pickup_at - trip.picked_up_at),
        ("dropoff", plan.dropoff_service_min, trip.done_at - trip.reached_dropoff_at),
    )
    for name, planned, real in services:
        low, high = planned * noise.service_low, planned * noise.service_high
        if not low - SLACK_MIN <= real <= high + SLACK_MIN:
            text = f"{name} service took {real:.3f} min, allowed {low:.3f}-{high:.3f}"
            yield Violation(Fault.SERVICE_TIME, where, text)


def _drive(
    roads: Roads, noise: NoiseBounds, start: Location, goal: Location, departed: float, arrived: float, where: str
) -> Iterator[Violation]:
    planned = roads.free_flow_min(start, goal)
    real = roads.free_flow_between(departed, arrived)
    low, high = planned * noise.travel_low, planned * noise.travel_high
    if not low - SLACK_MIN <= real <= high + SLACK_MIN:
        text = f"drive {departed:.3f}-{arrived:.3f} spent {real:.3f} free-flow min, allowed {low:.3f}-{high:.3f}"
        yield Violation(Fault.TRAVEL_TIME, where, text)
