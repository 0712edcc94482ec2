from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from qdispatch_client.stubs.v1.dispatch_service_pb2 import SuggestRequest
from qdispatch_domain.snapshot import Booking, Break, DriverKind, Leg, Location, Position, TripStatus
from qdispatch_server import limits
from qdispatch_server.errors import InvalidRequestError
from qdispatch_server.request_reader import Question, read_request
from tests.server.full_request import change, fields_of, full_request, leaves


def plain(question: Question) -> Any:
    """A question as nested tuples that compare by value, arrays included."""
    values = dataclasses.asdict(question)
    matrix = question.snapshot.matrix
    values["snapshot"]["matrix"] = None
    arrays = (
        () if matrix is None else (matrix.seconds.tolist(), None if matrix.meters is None else matrix.meters.tolist())
    )
    return values, arrays


def faults(request: SuggestRequest) -> dict[str, str]:
    with pytest.raises(InvalidRequestError) as caught:
        read_request(request)
    return {violation.field: violation.description for violation in caught.value.violations}


# --- every field is read ----------------------------------------------------------------------------------------------


def test_the_full_request_sets_every_field_of_the_protocol() -> None:
    """A new field of the protocol fails here first, then in the next test if nobody reads it."""
    set_fields = {field.full_name for _, field, _ in leaves(full_request())}
    assert set(fields_of(SuggestRequest.DESCRIPTOR)) == set_fields


def test_every_field_reaches_the_domain_or_is_refused() -> None:
    base = plain(read_request(full_request()))
    forgotten, walked = [], 0
    for number, (_, field, index) in enumerate(list(leaves(full_request()))):
        request = full_request()
        if not change(list(leaves(request))[number]):
            continue
        walked += 1
        try:
            same = plain(read_request(request)) == base
        except InvalidRequestError as error:
            same = not any(field.name in violation.field for violation in error.violations)
            # A changed id or size shows in what refers to it.
            same = same and field.name not in ("id", "location_count", "kind", "status", "booking_id")
        if same:
            forgotten.append(f"{field.full_name}[{index}]")
    assert forgotten == []
    assert walked > 100


def test_values_arrive_in_the_domain_s_units() -> None:
    question = read_request(full_request())
    snapshot = question.snapshot
    assert (question.request_id, question.company_id) == ("request-1", "company-1")
    assert snapshot.now == 600.0  # 09:00 UTC is 10:00 in Zurich in winter
    (driver,), (booking,) = snapshot.drivers, snapshot.bookings
    assert booking == Booking(
        id="booking-1",
        pickup=Location(46.21, 6.109999999999999, 1),
        dropoff=Location(46.220000000000006, 6.119999999999999, 2),
        scheduled_time=660.0,
        leg=Leg.OUTBOUND,
        time_confirmed=True,
        urgent=True,
        wheelchair=True,
        passengers=2,
        tolerance_min=5.0,
        pickup_service_min=2.0,
        dropoff_service_min=3.0,
        linked_booking_id="booking-2",
        known_since=660.0 - 3 * 1440,
        current_driver_id="driver-1",
        promised_pickup_time=665.0,
        pinned=True,
    )
    assert driver.kind is DriverKind.REGULAR
    assert (driver.shift_start, driver.shift_end, driver.breaks) == (480.0, 960.0, (Break(720.0, 750.0),))
    assert driver.position == Position(Location(46.2, 6.1, 0), 598.0)
    assert (driver.trips_done_today, driver.minutes_driven_today) == (2, 60.0)
    assert (driver.contract_share, driver.window_trips, driver.window_minutes) == (0.8, 12, 120.0)
    assert [trip.status for trip in driver.trips] == [TripStatus.DONE, TripStatus.EN_ROUTE, TripStatus.COMMITTED]
    done = driver.trips[0]
    assert (done.departed_at, done.picked_up_at, done.done_at) == (530.0, 541.0, 570.0)
    assert (done.tolerance_min, done.pickup_service_min, done.dropoff_service_min) == (10.0, 4.0, 7.0)
    assert snapshot.matrix is not None
    assert snapshot.matrix.meters is not None
    np.testing.assert_array_equal(snapshot.matrix.seconds[1], [310, 0, 500])
    np.testing.assert_array_equal(snapshot.matrix.meters[2], [4100, 5100, 0])


def test_documented_defaults_and_nothing_else() -> None:
    request = full_request()
    driver: Any = request.snapshot.drivers[0]
    booking: Any = request.snapshot.bookings[0]
    for name in ("tolerance", "pickup_service", "dropoff_service", "urgent"):
        booking.ClearField(name)
        driver.trips[2].ClearField(name)
    for name in ("passengers", "pinned", "pickup", "scheduled_time", "known_since", "promised_pickup_time"):
        booking.ClearField(name)
    for name in (
        "contract_share",
        "driven_today",
        "window_trips",
        "window_driven",
        "position",
        "shift_start",
        "shift_end",
    ):
        driver.ClearField(name)
    driver.trips_done_today = 1
    snapshot = read_request(request).snapshot
    (read_driver,), (read_booking,) = snapshot.drivers, snapshot.bookings
    assert (read_booking.passengers, read_booking.pinned, read_booking.urgent) == (1, False, False)
    assert (read_booking.pickup, read_booking.scheduled_time, read_booking.known_since) == (None, None, None)
    assert (read_booking.tolerance_min, read_booking.pickup_service_min) == (None, None)
    assert (read_driver.contract_share, read_driver.minutes_driven_today, read_driver.window_minutes) == (1.0, 0.0, 0.0)
    assert (read_driver.position, read_driver.shift_start, read_driver.shift_end) == (None, None, None)
    trip = read_driver.trips[2]
    assert (trip.tolerance_min, trip.pickup_service_min, trip.dropoff_service_min) == (15.0, 5.0, 10.0)  # a return


# --- every rule, with the path it names -------------------------------------------------------------------------------

Spoil = Callable[[SuggestRequest], object]


def _clear(path: str) -> Spoil:
    def spoil(request: SuggestRequest) -> None:
        parent: Any = request
        *front, last = path.split(".")
        for name in front:
            parent = parent[int(name)] if name.isdigit() else getattr(parent, name)
        parent.ClearField(last)

    return spoil


def _set(path: str, value: Any) -> Spoil:
    def spoil(request: SuggestRequest) -> None:
        parent: Any = request
        *front, last = path.split(".")
        for name in front:
            parent = parent[int(name)] if name.isdigit() else getattr(parent, name)
        if last.isdigit():
            parent[int(last)] = value
        else:
            setattr(parent, last, value)

    return spoil


D, B, T = "snapshot.drivers.0", "snapshot.bookings.0", "snapshot.drivers.0.trips"
PATHS: list[tuple[Spoil, str]] = [
    (_clear("request_id"), "request_id"),
    (_set("request_id", "x" * 129), "request_id"),
    (_clear("company_id"), "company_id"),
    (_clear("snapshot"), "snapshot"),
    (_clear("snapshot.now"), "snapshot.now"),
    (_set("snapshot.now.seconds", -1), "snapshot.now"),
    (_set("snapshot.now.nanos", 10**9), "snapshot.now"),
    (_set("snapshot.time_zone", "Mars/Olympus"), "snapshot.time_zone"),
    (_set("snapshot.time_zone", "../../etc/passwd"), "snapshot.time_zone"),
    (_set("snapshot.time_zone", "Europe"), "snapshot.time_zone"),  # a folder of the zone database
    (_clear("snapshot.time_zone"), "snapshot.time_zone"),
    (_clear(f"{D}.id"), "snapshot.drivers[0].id"),
    (_clear(f"{D}.kind"), "snapshot.drivers[0].kind"),
    (_set(f"{D}.kind", 99), "snapshot.drivers[0].kind"),
    (_clear(f"{D}.available"), "snapshot.drivers[0].available"),
    (_clear(f"{D}.wheelchair_access"), "snapshot.drivers[0].wheelchair_access"),
    (_clear(f"{D}.seats"), "snapshot.drivers[0].seats"),
    (_set(f"{D}.seats", 51), "snapshot.drivers[0].seats"),
    (_clear(f"{D}.shift_start"), "snapshot.drivers[0].shift_start"),
    (_clear(f"{D}.shift_end"), "snapshot.drivers[0].shift_end"),
    (_set(f"{D}.shift_end.seconds", 1795417200), "snapshot.drivers[0].shift_end"),  # the shift's start
    (_set(f"{D}.shift_end.seconds", 1795417200 + 86401), "snapshot.drivers[0].shift_end"),
    (_clear(f"{D}.position.location"), "snapshot.drivers[0].position.location"),
    (_clear(f"{D}.position.observed_at"), "snapshot.drivers[0].position.observed_at"),
    (_set(f"{D}.position.observed_at.seconds", 1795424401), "snapshot.drivers[0].position.observed_at"),
    (_set(f"{D}.position.location.latitude", 90.001), "snapshot.drivers[0].position.location.latitude"),
    (_set(f"{D}.position.location.latitude", math.nan), "snapshot.drivers[0].position.location.latitude"),
    (_set(f"{D}.end_location.longitude", -math.inf), "snapshot.drivers[0].end_location.longitude"),
    (_clear(f"{D}.start_location.latitude"), "snapshot.drivers[0].start_location.latitude"),
    (_clear(f"{D}.start_location.matrix_index"), "snapshot.drivers[0].start_location.matrix_index"),
    (_set(f"{D}.start_location.matrix_index", 3), "snapshot.drivers[0].start_location.matrix_index"),
    (_clear(f"{D}.breaks.0.start_time"), "snapshot.drivers[0].breaks[0].start_time"),
    (_clear(f"{D}.breaks.0.end_time"), "snapshot.drivers[0].breaks[0].end_time"),
    (_set(f"{D}.breaks.0.end_time.seconds", 1795431600), "snapshot.drivers[0].breaks[0].end_time"),
    (_set(f"{D}.trips_done_today", 0), "snapshot.drivers[0].trips_done_today"),  # one DONE trip is listed
    (_set(f"{D}.trips_done_today", 201), "snapshot.drivers[0].trips_done_today"),
    (_set(f"{D}.driven_today.seconds", -1), "snapshot.drivers[0].driven_today"),
    (_set(f"{D}.driven_today.seconds", 86401), "snapshot.drivers[0].driven_today"),
    (_set(f"{D}.contract_share", 0.0), "snapshot.drivers[0].contract_share"),
    (_set(f"{D}.contract_share", 1.001), "snapshot.drivers[0].contract_share"),
    (_set(f"{D}.contract_share", math.nan), "snapshot.drivers[0].contract_share"),
    (_set(f"{D}.window_trips", 10_001), "snapshot.drivers[0].window_trips"),
    (_set(f"{D}.window_driven.seconds", 36_000_001), "snapshot.drivers[0].window_driven"),
    (_clear(f"{T}.2.booking_id"), "snapshot.drivers[0].trips[2].booking_id"),
    (_clear(f"{T}.2.status"), "snapshot.drivers[0].trips[2].status"),
    (_clear(f"{T}.2.pickup"), "snapshot.drivers[0].trips[2].pickup"),
    (_clear(f"{T}.2.dropoff"), "snapshot.drivers[0].trips[2].dropoff"),
    (_clear(f"{T}.2.leg"), "snapshot.drivers[0].trips[2].leg"),
    (_clear(f"{T}.2.scheduled_time"), "snapshot.drivers[0].trips[2].scheduled_time"),
    (_clear(f"{T}.2.promised_pickup_time"), "snapshot.drivers[0].trips[2].promised_pickup_time"),
    (_set(f"{T}.2.tolerance.seconds", 3601), "snapshot.drivers[0].trips[2].tolerance"),
    (_set(f"{T}.2.pickup_service.seconds", 7201), "snapshot.drivers[0].trips[2].pickup_service"),
    (_set(f"{T}.2.dropoff_service.nanos", -1), "snapshot.drivers[0].trips[2].dropoff_service"),
    (_clear(f"{T}.1.departed_at"), "snapshot.drivers[0].trips[1].departed_at"),
    (_clear(f"{T}.0.done_at"), "snapshot.drivers[0].trips[0].done_at"),
    (_set(f"{T}.0.status", 3), "snapshot.drivers[0].trips[0].done_at"),  # ONBOARD and done
    (_set(f"{T}.1.status", 3), "snapshot.drivers[0].trips[1].picked_up_at"),  # ONBOARD, never picked up
    (_set(f"{T}.2.picked_up_at.seconds", 1795420000), "snapshot.drivers[0].trips[2].picked_up_at"),
    (_set(f"{T}.2.status", 2), "snapshot.drivers[0].trips[2].status"),  # two trips under way
    (_set(f"{T}.0.status", 1), "snapshot.drivers[0].trips[1].status"),  # under way after one to come
    (_clear(f"{B}.id"), "snapshot.bookings[0].id"),
    (_set(f"{B}.id", "trip-3"), "snapshot.bookings[0].id"),
    (_clear(f"{B}.leg"), "snapshot.bookings[0].leg"),
    (_clear(f"{B}.time_confirmed"), "snapshot.bookings[0].time_confirmed"),
    (_clear(f"{B}.wheelchair"), "snapshot.bookings[0].wheelchair"),
    (_set(f"{B}.passengers", 0), "snapshot.bookings[0].passengers"),
    (_set(f"{B}.passengers", 51), "snapshot.bookings[0].passengers"),
    (_clear(f"{B}.current_driver_id"), "snapshot.bookings[0].current_driver_id"),  # pinned to nobody
    (_set(f"{B}.current_driver_id", "driver-9"), "snapshot.bookings[0].current_driver_id"),
    (_set(f"{B}.known_since.seconds", 1795424401), "snapshot.bookings[0].known_since"),
    (_set(f"{B}.linked_booking_id", "booking-1"), "snapshot.bookings[0].linked_booking_id"),
    (_set(f"{B}.pickup.latitude", -91.0), "snapshot.bookings[0].pickup.latitude"),
    (_set(f"{B}.scheduled_time.seconds", 2**62), "snapshot.bookings[0].scheduled_time"),
    (_set("snapshot.travel_matrix.location_count", 0), "snapshot.travel_matrix.location_count"),
    (_set("snapshot.travel_matrix.location_count", 1501), "snapshot.travel_matrix.location_count"),
    (_set("snapshot.travel_matrix.location_count", 4), "snapshot.travel_matrix.seconds"),
    (_set("snapshot.travel_matrix.seconds.1", 86_401), "snapshot.travel_matrix.seconds[1]"),
    (_set("snapshot.travel_matrix.meters.5", 5_000_001), "snapshot.travel_matrix.meters[5]"),
]


@pytest.mark.parametrize(("spoil", "path"), PATHS, ids=[f"{i}-{path}" for i, (_, path) in enumerate(PATHS)])
def test_a_broken_rule_is_told_with_its_path(spoil: Spoil, path: str) -> None:
    request = full_request()
    spoil(request)
    assert path in faults(request)


def test_all_violations_are_told_at_once() -> None:
    request = full_request()
    request.ClearField("company_id")
    request.snapshot.bookings[0].pickup.latitude = 100
    request.snapshot.drivers[0].seats = 0
    request.snapshot.drivers[0].trips[2].ClearField("leg")
    assert set(faults(request)) == {
        "company_id",
        "snapshot.bookings[0].pickup.latitude",
        "snapshot.drivers[0].seats",
        "snapshot.drivers[0].trips[2].leg",
    }


def test_no_description_shows_a_value() -> None:
    request = full_request()
    request.snapshot.bookings[0].id = request.snapshot.drivers[0].trips[0].booking_id = "secret-patient"
    request.snapshot.bookings[0].current_driver_id = "secret-driver"
    request.snapshot.bookings[0].pickup.latitude = 123.456789
    told = " ".join(f"{path} {text}" for path, text in faults(request).items())
    assert "secret" not in told
    assert "123.4" not in told


def test_a_place_without_a_matrix_has_no_index() -> None:
    request = full_request()
    request.snapshot.ClearField("travel_matrix")
    assert "snapshot.bookings[0].pickup.matrix_index" in faults(request)


@pytest.mark.parametrize(
    ("count", "path", "make"),
    [
        (limits.MAX_DRIVERS, "snapshot.drivers", lambda s: s.drivers),
        (limits.MAX_BOOKINGS, "snapshot.bookings", lambda s: s.bookings),
        (limits.MAX_TRIPS_PER_DRIVER, "snapshot.drivers[0].trips", lambda s: s.drivers[0].trips),
        (limits.MAX_BREAKS_PER_DRIVER, "snapshot.drivers[0].breaks", lambda s: s.drivers[0].breaks),
    ],
)
def test_one_row_too_many_is_refused_and_the_most_are_walked(count: int, path: str, make: Callable[[Any], Any]) -> None:
    request = full_request()
    rows = make(request.snapshot)
    one = copy.deepcopy(rows[-1])
    while len(rows) < count:
        rows.add().CopyFrom(one)
    assert path not in faults(request)  # full of duplicates, but not too many
    rows.add().CopyFrom(one)
    assert list(faults(request)) == [path]


def test_times_of_a_day_with_a_change_of_the_clock() -> None:
    """2026-10-25 in Zurich: 03:00 summer time is 02:00 winter time; noon is 12:00 on the wall, not 13 hours."""
    request = full_request()
    request.snapshot.ClearField("travel_matrix")
    request.snapshot.ClearField("drivers")
    request.snapshot.ClearField("bookings")
    request.snapshot.now.CopyFrom(Timestamp(seconds=1792926000))  # 2026-10-25T11:00:00Z
    assert read_request(request).snapshot.now == 720.0
