"""A driver's row with schedule, breaks and position: from the wire to the domain."""

from __future__ import annotations

from qdispatch_client.stubs.v1.driver_pb2 import Driver as DriverMessage
from qdispatch_client.stubs.v1.driver_pb2 import DriverKind as KindNumber
from qdispatch_client.stubs.v1.trip_pb2 import Trip as TripMessage
from qdispatch_client.stubs.v1.trip_pb2 import TripStatus as StatusNumber
from qdispatch_domain.snapshot import Break, Driver, DriverKind, Position, Trip, TripStatus
from qdispatch_domain.weights import RULES
from qdispatch_server import limits
from qdispatch_server.row_reader import RowReader, default_tolerance

KINDS: dict[int, DriverKind] = {
    KindNumber.DRIVER_KIND_REGULAR: DriverKind.REGULAR,
    KindNumber.DRIVER_KIND_EMERGENCY: DriverKind.EMERGENCY,
}
STATUSES: dict[int, TripStatus] = {
    StatusNumber.TRIP_STATUS_COMMITTED: TripStatus.COMMITTED,
    StatusNumber.TRIP_STATUS_EN_ROUTE: TripStatus.EN_ROUTE,
    StatusNumber.TRIP_STATUS_ONBOARD: TripStatus.ONBOARD,
    StatusNumber.TRIP_STATUS_DONE: TripStatus.DONE,
}
# The order of a schedule: what is done, at most one trip under way, what is to come.
PHASES = {TripStatus.DONE: 0, TripStatus.EN_ROUTE: 1, TripStatus.ONBOARD: 1, TripStatus.COMMITTED: 2}


def read_driver(rows: RowReader, message: DriverMessage, path: str) -> Driver:
    """One driver; violations go to `rows.wrong`."""
    wrong = rows.wrong
    rows.required(path, message, ("available", "wheelchair_access"))
    kind = KINDS.get(message.kind)
    if kind is None:
        wrong.add(f"{path}.kind", "Expected DRIVER_KIND_REGULAR or DRIVER_KIND_EMERGENCY.")
    wrong.number(path, "seats", message.seats, 1, limits.MAX_PERSONS)
    shift_start, shift_end = _read_shift(rows, message, path)
    trips = tuple(_read_trip(rows, trip, f"{path}.trips[{k}]") for k, trip in enumerate(message.trips))
    _check_order(rows, trips, path)
    done = sum(trip.status is TripStatus.DONE for trip in trips)
    if message.trips_done_today < done:
        wrong.add(f"{path}.trips_done_today", "Expected at least the number of listed DONE trips.")
    wrong.number(path, "trips_done_today", message.trips_done_today, 0, limits.MAX_TRIPS_DONE_TODAY)
    wrong.number(path, "window_trips", message.window_trips, 0, limits.MAX_WINDOW_TRIPS)
    share = message.contract_share if message.HasField("contract_share") else 1.0
    if not 0.0 < share <= 1.0:
        wrong.add(f"{path}.contract_share", "Expected above 0, at most 1.")
    return Driver(
        id=rows.driver_id(f"{path}.id", message.id),
        kind=kind or DriverKind.REGULAR,
        available=message.available,
        wheelchair_access=message.wheelchair_access,
        seats=message.seats,
        shift_start=shift_start,
        shift_end=shift_end,
        position=_read_position(rows, message, path),
        start_location=rows.optional_place(path, message, "start_location"),
        end_location=rows.optional_place(path, message, "end_location"),
        breaks=_read_breaks(rows, message, path),
        trips=trips,
        trips_done_today=message.trips_done_today,
        minutes_driven_today=rows.optional_minutes(path, message, "driven_today", limits.MAX_DRIVEN_TODAY_MIN) or 0.0,
        contract_share=share,
        window_trips=message.window_trips,
        window_minutes=rows.optional_minutes(path, message, "window_driven", limits.MAX_WINDOW_DRIVEN_MIN) or 0.0,
    )


def _read_shift(rows: RowReader, message: DriverMessage, path: str) -> tuple[float | None, float | None]:
    start = rows.optional_instant(path, message, "shift_start")
    end = rows.optional_instant(path, message, "shift_end")
    if (start is None) != (end is None):
        missing = "shift_start" if start is None else "shift_end"
        rows.wrong.add(f"{path}.{missing}", "Required with the other end of the shift.")
    elif start is not None and end is not None and not start < end <= start + limits.MAX_SHIFT_MIN:
        rows.wrong.add(f"{path}.shift_end", "Expected after shift_start, at most 24 h later.")
    return start, end


def _read_breaks(rows: RowReader, message: DriverMessage, path: str) -> tuple[Break, ...]:
    found: list[Break] = []
    for k, pause in enumerate(message.breaks):
        here = f"{path}.breaks[{k}]"
        start = rows.required_instant(here, pause, "start_time")
        end = rows.required_instant(here, pause, "end_time")
        if start is None or end is None:
            continue
        if end <= start:
            rows.wrong.add(f"{here}.end_time", "Expected after start_time.")
        if found and start < found[-1].end:
            rows.wrong.add(f"{here}.start_time", "Expected not before the end of the break before it.")
        found.append(Break(start, end))
    return tuple(found)


def _read_position(rows: RowReader, message: DriverMessage, path: str) -> Position | None:
    if not message.HasField("position"):
        return None
    here = f"{path}.position"
    place = rows.required_place(here, message.position, "location")
    observed_at = rows.required_instant(here, message.position, "observed_at", not_after_now=True)
    return None if place is None or observed_at is None else Position(place, observed_at)


def _read_trip(rows: RowReader, message: TripMessage, path: str) -> Trip:
    wrong = rows.wrong
    status = STATUSES.get(message.status)
    if status is None:
        wrong.add(f"{path}.status", "Expected a TripStatus other than TRIP_STATUS_UNSPECIFIED.")
    leg = rows.leg(f"{path}.leg", message.leg)
    tolerance = rows.optional_minutes(path, message, "tolerance", limits.MAX_TOLERANCE_MIN)
    pickup_service = rows.optional_minutes(path, message, "pickup_service", limits.MAX_SERVICE_MIN)
    dropoff_service = rows.optional_minutes(path, message, "dropoff_service", limits.MAX_SERVICE_MIN)
    trip = Trip(
        booking_id=rows.booking_id(f"{path}.booking_id", message.booking_id),
        status=status or TripStatus.COMMITTED,
        pickup=rows.required_place(path, message, "pickup") or rows.nowhere,
        dropoff=rows.required_place(path, message, "dropoff") or rows.nowhere,
        leg=leg,
        scheduled_time=rows.required_instant(path, message, "scheduled_time") or 0.0,
        promised_pickup_time=rows.required_instant(path, message, "promised_pickup_time") or 0.0,
        tolerance_min=default_tolerance(leg) if tolerance is None else tolerance,
        pickup_service_min=RULES.pickup_service_min if pickup_service is None else pickup_service,
        dropoff_service_min=RULES.dropoff_service_min if dropoff_service is None else dropoff_service,
        urgent=message.urgent,
        picked_up_at=rows.optional_instant(path, message, "picked_up_at"),
        done_at=rows.optional_instant(path, message, "done_at"),
        departed_at=rows.optional_instant(path, message, "departed_at"),
    )
    if status is not None:
        _check_progress(rows, trip, path)
    return trip


def _check_progress(rows: RowReader, trip: Trip, path: str) -> None:
    for status, name, value in (
        (TripStatus.EN_ROUTE, "departed_at", trip.departed_at),
        (TripStatus.ONBOARD, "picked_up_at", trip.picked_up_at),
        (TripStatus.DONE, "done_at", trip.done_at),
    ):
        if trip.status is status and value is None:
            rows.wrong.add(f"{path}.{name}", f"Required with TRIP_STATUS_{status}.")
    if trip.picked_up_at is not None and trip.status in (TripStatus.COMMITTED, TripStatus.EN_ROUTE):
        rows.wrong.add(f"{path}.picked_up_at", "Expected none before TRIP_STATUS_ONBOARD.")
    if trip.done_at is not None and trip.status is not TripStatus.DONE:
        rows.wrong.add(f"{path}.done_at", "Expected none before TRIP_STATUS_DONE.")


def _check_order(rows: RowReader, trips: tuple[Trip, ...], path: str) -> None:
    """DONE, then at most one EN_ROUTE or ONBOARD, then COMMITTED."""
    for k in range(1, len(trips)):
        before, here = PHASES[trips[k - 1].status], PHASES[trips[k].status]
        if here < before or (here == before == 1):
            expected = "Expected DONE, then at most one EN_ROUTE or ONBOARD, then COMMITTED."
            rows.wrong.add(f"{path}.trips[{k}].status", expected)
            return
