"""`read_request`: the wire's SuggestRequest to the domain's Snapshot, with every violation at once.

The only place where the protocol's limits are enforced and its documented defaults are applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qdispatch_client.stubs.v1.booking_pb2 import Booking as BookingMessage
from qdispatch_client.stubs.v1.dispatch_service_pb2 import SuggestRequest
from qdispatch_client.stubs.v1.snapshot_pb2 import Snapshot as SnapshotMessage
from qdispatch_client.stubs.v1.travel_matrix_pb2 import TravelMatrix as MatrixMessage
from qdispatch_domain.snapshot import Booking, Snapshot, TravelMatrix
from qdispatch_server import limits
from qdispatch_server.driver_reader import read_driver
from qdispatch_server.row_reader import RowReader
from qdispatch_server.service_day import ServiceDay, known_zones
from qdispatch_server.violations import Violations


@dataclass(frozen=True, slots=True)
class Question:
    """A checked request."""

    request_id: str
    company_id: str
    day: ServiceDay
    snapshot: Snapshot


def read_request(request: SuggestRequest) -> Question:
    """Converts a whole request. Raises InvalidRequestError with every violation."""
    wrong = Violations()
    wrong.text_id("request_id", request.request_id)
    wrong.text_id("company_id", request.company_id)
    if not request.HasField("snapshot"):
        wrong.add("snapshot", "Required.")
        raise wrong.error()
    message = request.snapshot
    day = _read_day(message, wrong)
    too_many = _check_rows(message, wrong)
    if day is None or too_many:
        raise wrong.error()
    matrix = _read_matrix(message.travel_matrix, wrong) if message.HasField("travel_matrix") else None
    rows = RowReader(day, message, wrong)
    drivers = tuple(read_driver(rows, driver, f"snapshot.drivers[{i}]") for i, driver in enumerate(message.drivers))
    known = frozenset(driver.id for driver in drivers)
    bookings = tuple(
        _read_booking(rows, booking, f"snapshot.bookings[{i}]", known) for i, booking in enumerate(message.bookings)
    )
    wrong.raise_if_any()
    snapshot = Snapshot(now=rows.now, drivers=drivers, bookings=bookings, matrix=matrix)
    return Question(request.request_id, request.company_id, day, snapshot)


def _read_day(message: SnapshotMessage, wrong: Violations) -> ServiceDay | None:
    if not message.HasField("now"):
        wrong.add("snapshot.now", "Required.")
        usable = False
    else:
        usable = wrong.instant("snapshot", "now", message.now)
    if message.time_zone not in known_zones():
        wrong.add("snapshot.time_zone", 'Expected an IANA time zone such as "Europe/Zurich".')
        usable = False
    return ServiceDay.of(message.now.seconds, message.time_zone) if usable else None


def _check_rows(message: SnapshotMessage, wrong: Violations) -> bool:
    """Whether some list is too long to be walked."""
    before = wrong.count
    if len(message.drivers) > limits.MAX_DRIVERS:
        wrong.add("snapshot.drivers", f"Expected at most {limits.MAX_DRIVERS}.")
    if len(message.bookings) > limits.MAX_BOOKINGS:
        wrong.add("snapshot.bookings", f"Expected at most {limits.MAX_BOOKINGS:,}.")
    for i, driver in enumerate(message.drivers[: limits.MAX_DRIVERS]):
        if len(driver.trips) > limits.MAX_TRIPS_PER_DRIVER:
            wrong.add(f"snapshot.drivers[{i}].trips", f"Expected at most {limits.MAX_TRIPS_PER_DRIVER}.")
        if len(driver.breaks) > limits.MAX_BREAKS_PER_DRIVER:
            wrong.add(f"snapshot.drivers[{i}].breaks", f"Expected at most {limits.MAX_BREAKS_PER_DRIVER}.")
    return wrong.count > before


def _read_matrix(message: MatrixMessage, wrong: Violations) -> TravelMatrix | None:
    size = message.location_count
    path = "snapshot.travel_matrix"
    if not 1 <= size <= limits.MAX_MATRIX_LOCATIONS:
        wrong.add(f"{path}.location_count", f"Expected 1 to {limits.MAX_MATRIX_LOCATIONS:,}.")
        return None
    seconds = _read_square(message.seconds, size, f"{path}.seconds", limits.MAX_MATRIX_SECONDS, wrong)
    if not message.meters:
        return None if seconds is None else TravelMatrix(seconds)
    meters = _read_square(message.meters, size, f"{path}.meters", limits.MAX_MATRIX_METERS, wrong)
    return None if seconds is None or meters is None else TravelMatrix(seconds, meters)


def _read_square(
    values: Sequence[int], size: int, path: str, high: int, wrong: Violations
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None:
    if len(values) != size * size:
        wrong.add(path, "Expected location_count x location_count elements.")
        return None
    table = np.fromiter(values, dtype=np.float64, count=size * size)
    for index in np.flatnonzero(table > high)[:5]:
        wrong.add(f"{path}[{index}]", f"Expected 0 to {high:,}.")
    return table.reshape(size, size)


def _read_booking(rows: RowReader, message: BookingMessage, path: str, drivers: frozenset[str]) -> Booking:
    wrong = rows.wrong
    rows.required(path, message, ("time_confirmed", "wheelchair"))
    booking_id = rows.booking_id(f"{path}.id", message.id)
    linked = message.linked_booking_id if message.HasField("linked_booking_id") else None
    if linked is not None:
        wrong.text_id(f"{path}.linked_booking_id", linked)
        if linked == message.id:
            wrong.add(f"{path}.linked_booking_id", "Expected another booking.")
    current = message.current_driver_id if message.HasField("current_driver_id") else None
    if current is not None and current not in drivers:
        wrong.add(f"{path}.current_driver_id", "Expected a driver of the snapshot.")
    if message.pinned and current is None:
        wrong.add(f"{path}.current_driver_id", "Required with pinned.")
    passengers = message.passengers if message.HasField("passengers") else 1
    wrong.number(path, "passengers", passengers, 1, limits.MAX_PERSONS)
    return Booking(
        id=booking_id,
        pickup=rows.optional_place(path, message, "pickup"),
        dropoff=rows.optional_place(path, message, "dropoff"),
        scheduled_time=rows.optional_instant(path, message, "scheduled_time"),
        leg=rows.leg(f"{path}.leg", message.leg),
        time_confirmed=message.time_confirmed,
        urgent=message.urgent,
        wheelchair=message.wheelchair,
        passengers=passengers,
        tolerance_min=rows.optional_minutes(path, message, "tolerance", limits.MAX_TOLERANCE_MIN),
        pickup_service_min=rows.optional_minutes(path, message, "pickup_service", limits.MAX_SERVICE_MIN),
        dropoff_service_min=rows.optional_minutes(path, message, "dropoff_service", limits.MAX_SERVICE_MIN),
        linked_booking_id=linked,
        known_since=rows.optional_instant(path, message, "known_since", not_after_now=True),
        current_driver_id=current,
        promised_pickup_time=rows.optional_instant(path, message, "promised_pickup_time"),
        pinned=message.pinned,
    )
