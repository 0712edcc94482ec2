"""The domain's rows to the wire and the wire's answers back, written apart from the server's own converters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from qdispatch_client.stubs.v1 import driver_pb2, suggestion_pb2, trip_pb2
from qdispatch_client.stubs.v1.dispatch_service_pb2 import SuggestRequest, SuggestResponse
from qdispatch_client.stubs.v1.location_pb2 import Location as LocationMessage
from qdispatch_domain.decision import BookingAdvice, Candidate, CostDelta, Decision, Pick
from qdispatch_domain.reasons import BookingGap, DriverGap, Refusal
from qdispatch_domain.snapshot import Booking, Break, Driver, Location, Snapshot, Trip

MIDNIGHT = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)  # of 2026-11-23 in Zurich
ZONE = "Europe/Zurich"


def request_of(snapshot: Snapshot, company_id: str = "company-1", request_id: str = "request-1") -> SuggestRequest:
    """A snapshot as a request of 2026-11-23; breaks that overlap an earlier one are left out."""
    request = SuggestRequest(request_id=request_id, company_id=company_id)
    message = request.snapshot
    message.time_zone = ZONE
    _instant(message.now, snapshot.now)
    for driver in snapshot.drivers:
        _driver(message.drivers.add(), driver)
    for booking in snapshot.bookings:
        _booking(message.bookings.add(), booking)
    if snapshot.matrix is not None:
        message.travel_matrix.location_count = len(snapshot.matrix.seconds)
        message.travel_matrix.seconds.extend(int(value) for value in snapshot.matrix.seconds.ravel())
        if snapshot.matrix.meters is not None:
            message.travel_matrix.meters.extend(int(value) for value in snapshot.matrix.meters.ravel())
    return request


def _instant(into: Timestamp, minutes: float) -> None:
    into.FromDatetime(MIDNIGHT + timedelta(microseconds=round(minutes * 60e6)))


def _span(into: Duration, minutes: float) -> None:
    into.FromMicroseconds(round(minutes * 60e6))


def _place(into: LocationMessage, place: Location) -> None:
    into.latitude, into.longitude = place.latitude, place.longitude
    if place.matrix_index is not None:
        into.matrix_index = place.matrix_index


def _apart(breaks: tuple[Break, ...]) -> list[Break]:
    kept: list[Break] = []
    for pause in sorted(breaks, key=lambda one: one.start):
        if not kept or pause.start >= kept[-1].end:
            kept.append(pause)
    return kept


def _driver(into: driver_pb2.Driver, driver: Driver) -> None:
    into.id, into.seats = driver.id, driver.seats
    into.kind = driver_pb2.DriverKind.Value(f"DRIVER_KIND_{driver.kind}")
    into.available, into.wheelchair_access = driver.available, driver.wheelchair_access
    if driver.shift_start is not None and driver.shift_end is not None:
        _instant(into.shift_start, driver.shift_start)
        _instant(into.shift_end, driver.shift_end)
    if driver.position is not None:
        _place(into.position.location, driver.position.location)
        _instant(into.position.observed_at, driver.position.observed_at)
    if driver.start_location is not None:
        _place(into.start_location, driver.start_location)
    if driver.end_location is not None:
        _place(into.end_location, driver.end_location)
    for pause in _apart(driver.breaks):
        row = into.breaks.add()
        _instant(row.start_time, pause.start)
        _instant(row.end_time, pause.end)
    for trip in driver.trips:
        _trip(into.trips.add(), trip)
    into.trips_done_today, into.window_trips = driver.trips_done_today, driver.window_trips
    _span(into.driven_today, driver.minutes_driven_today)
    _span(into.window_driven, driver.window_minutes)
    into.contract_share = driver.contract_share


def _trip(into: trip_pb2.Trip, trip: Trip) -> None:
    into.booking_id, into.urgent = trip.booking_id, trip.urgent
    into.status = trip_pb2.TripStatus.Value(f"TRIP_STATUS_{trip.status}")
    into.leg = trip_pb2.Leg.Value(f"LEG_{trip.leg}")
    _place(into.pickup, trip.pickup)
    _place(into.dropoff, trip.dropoff)
    _instant(into.scheduled_time, trip.scheduled_time)
    _instant(into.promised_pickup_time, trip.promised_pickup_time)
    _span(into.tolerance, trip.tolerance_min)
    _span(into.pickup_service, trip.pickup_service_min)
    _span(into.dropoff_service, trip.dropoff_service_min)
    _optional(into, trip, {"departed_at": "departed_at", "picked_up_at": "picked_up_at", "done_at": "done_at"}, {})


def _booking(into: Any, booking: Booking) -> None:
    into.id, into.passengers = booking.id, booking.passengers
    into.leg = trip_pb2.Leg.Value(f"LEG_{booking.leg}")
    into.time_confirmed, into.urgent = booking.time_confirmed, booking.urgent
    into.wheelchair, into.pinned = booking.wheelchair, booking.pinned
    if booking.pickup is not None:
        _place(into.pickup, booking.pickup)
    if booking.dropoff is not None:
        _place(into.dropoff, booking.dropoff)
    instants = {name: name for name in ("scheduled_time", "known_since", "promised_pickup_time")}
    spans = {name: f"{name}_min" for name in ("tolerance", "pickup_service", "dropoff_service")}
    _optional(into, booking, instants, spans)
    if booking.linked_booking_id is not None:
        into.linked_booking_id = booking.linked_booking_id
    if booking.current_driver_id is not None:
        into.current_driver_id = booking.current_driver_id


def _optional(into: Any, row: object, instants: dict[str, str], spans: dict[str, str]) -> None:
    for name, attribute in instants.items():
        if getattr(row, attribute) is not None:
            _instant(getattr(into, name), getattr(row, attribute))
    for name, attribute in spans.items():
        if getattr(row, attribute) is not None:
            _span(getattr(into, name), getattr(row, attribute))


GAPS = {f"BOOKING_STATE_{gap.name}": gap for gap in BookingGap}
DRIVER_GAPS = {f"DRIVER_STATE_{gap.name}": gap for gap in DriverGap} | {"DRIVER_STATE_CONSIDERED": DriverGap.NONE}
REFUSALS = {f"REFUSAL_REASON_{refusal.name}": refusal for refusal in Refusal}


def decision_of(answer: SuggestResponse, snapshot: Snapshot, midnight_seconds: int) -> Decision:
    """What an answer says, in the domain's rows. `midnight_seconds`: of the snapshot's service day."""
    drivers = {driver.id: i for i, driver in enumerate(snapshot.drivers)}
    bookings = {booking.id: i for i, booking in enumerate(snapshot.bookings)}

    def minutes(instant: Timestamp) -> float:
        return (instant.seconds - midnight_seconds) / 60 + instant.nanos / 60e9

    advice = tuple(
        BookingAdvice(
            booking=bookings[row.booking_id],
            gap=GAPS[suggestion_pb2.BookingState.Name(row.state)],
            candidates=tuple(_candidate(c, drivers, snapshot.now) for c in row.candidates),
            decide_by=minutes(row.decide_by) if row.HasField("decide_by") else None,
            assign_now=row.assign_now,
            refusals={REFUSALS[suggestion_pb2.RefusalReason.Name(r.reason)]: r.drivers for r in row.refusals},
        )
        for row in answer.bookings
    )
    picks = tuple(
        Pick(
            bookings[pick.booking_id],
            drivers[pick.driver_id],
            pick.position,
            minutes(pick.pickup_time),
            minutes(pick.promised_pickup_time),
        )
        for pick in answer.picks
    )
    gaps = tuple(DRIVER_GAPS[suggestion_pb2.DriverState.Name(row.state)] for row in answer.drivers)
    return Decision(advice, picks, gaps, minutes(answer.reevaluate_at) if answer.HasField("reevaluate_at") else None)


def _candidate(row: suggestion_pb2.Candidate, drivers: dict[str, int], now: float) -> Candidate:
    cost = row.cost
    return Candidate(
        driver=drivers[row.driver_id],
        position=row.position,
        pickup_time=now + row.pickup_eta_seconds / 60,
        lateness_min=row.lateness_seconds / 60,
        added_deadhead_min=row.added_deadhead_seconds / 60,
        added_deadhead_km=row.added_deadhead_meters / 1000 if row.HasField("added_deadhead_meters") else None,
        slack_min=row.slack_seconds / 60 if row.HasField("slack_seconds") else 1e9,
        cost=CostDelta(
            cost.deadhead_minutes,
            cost.lateness_minutes,
            cost.downstream_lateness_minutes,
            cost.emergency_minutes,
            cost.driver_change_minutes,
            cost.spread_minutes,
        ),
        resulting_trips=row.resulting_trips,
        resulting_gap=row.resulting_gap,
        on_time=row.on_time,
        score=row.score,
        q_value=row.q_value if row.HasField("q_value") else None,
        advantage_min=row.advantage_minutes if row.HasField("advantage_minutes") else None,
        recommended=row.recommended,
    )
