"""A domain snapshot as a dispatch engine would send it: the client's rows, with instants instead of minutes.

Used wherever a simulated day is put before a real server. Instants are whole microseconds, as on the wire, so
service-day minutes come back within 1e-8.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import overload
from zoneinfo import ZoneInfo

import qdispatch_client as engine
from qdispatch_domain import snapshot as domain

MINUTES_PER_DAY = 1440.0


@dataclass(frozen=True, slots=True)
class EngineDay:
    """The calendar day and IANA zone that simulated minutes are placed on; its offset must not change before noon."""

    day: date = date(2026, 3, 2)  # a Monday
    time_zone: str = "Europe/Zurich"

    @overload
    def instant(self, minutes: float) -> datetime: ...
    @overload
    def instant(self, minutes: None) -> None: ...
    def instant(self, minutes: float | None) -> datetime | None:
        """The aware instant of service-day minutes; None stays None."""
        if minutes is None:
            return None
        midnight = datetime(self.day.year, self.day.month, self.day.day, tzinfo=ZoneInfo(self.time_zone))
        return midnight + timedelta(microseconds=round(minutes * 60e6))

    def snapshot(self, snapshot: domain.Snapshot) -> engine.Snapshot:
        """The whole snapshot. ValueError when `now` is not on this day, for the server would take another day."""
        if not 0.0 <= snapshot.now < MINUTES_PER_DAY:
            raise ValueError(f"Expected now in [0, {MINUTES_PER_DAY:g}) service-day minutes, got {snapshot.now:g}.")
        return engine.Snapshot(
            now=self.instant(snapshot.now),
            time_zone=self.time_zone,
            drivers=tuple(self._driver(driver) for driver in snapshot.drivers),
            bookings=tuple(self._booking(booking) for booking in snapshot.bookings),
            travel_matrix=None if snapshot.matrix is None else _matrix(snapshot.matrix),
        )

    def _driver(self, row: domain.Driver) -> engine.Driver:
        position = row.position
        return engine.Driver(
            id=row.id,
            kind=engine.DriverKind[row.kind.name],
            available=row.available,
            wheelchair_access=row.wheelchair_access,
            seats=row.seats,
            shift_start=self.instant(row.shift_start),
            shift_end=self.instant(row.shift_end),
            position=None if position is None else self._position(position),
            start_location=_place(row.start_location),
            end_location=_place(row.end_location),
            breaks=tuple(engine.Break(self.instant(each.start), self.instant(each.end)) for each in row.breaks),
            trips=tuple(self._trip(trip) for trip in row.trips),
            trips_done_today=row.trips_done_today,
            driven_today=_span(row.minutes_driven_today),
            contract_share=row.contract_share,
            window_trips=row.window_trips,
            window_driven=_span(row.window_minutes),
        )

    def _position(self, row: domain.Position) -> engine.Position:
        return engine.Position(_place(row.location), self.instant(row.observed_at))

    def _trip(self, row: domain.Trip) -> engine.Trip:
        return engine.Trip(
            booking_id=row.booking_id,
            status=engine.TripStatus[row.status.name],
            pickup=_place(row.pickup),
            dropoff=_place(row.dropoff),
            leg=engine.Leg[row.leg.name],
            scheduled_time=self.instant(row.scheduled_time),
            promised_pickup_time=self.instant(row.promised_pickup_time),
            tolerance=_span(row.tolerance_min),
            pickup_service=_span(row.pickup_service_min),
            dropoff_service=_span(row.dropoff_service_min),
            urgent=row.urgent,
            departed_at=self.instant(row.departed_at),
            picked_up_at=self.instant(row.picked_up_at),
            done_at=self.instant(row.done_at),
        )

    def _booking(self, row: domain.Booking) -> engine.Booking:
        return engine.Booking(
            id=row.id,
            pickup=_place(row.pickup),
            dropoff=_place(row.dropoff),
            scheduled_time=self.instant(row.scheduled_time),
            leg=engine.Leg[row.leg.name],
            time_confirmed=row.time_confirmed,
            wheelchair=row.wheelchair,
            urgent=row.urgent,
            passengers=row.passengers,
            tolerance=_span(row.tolerance_min),
            pickup_service=_span(row.pickup_service_min),
            dropoff_service=_span(row.dropoff_service_min),
            linked_booking_id=row.linked_booking_id,
            known_since=self.instant(row.known_since),
            current_driver_id=row.current_driver_id,
            promised_pickup_time=self.instant(row.promised_pickup_time),
            pinned=row.pinned,
        )


@overload
def _place(row: domain.Location) -> engine.Location: ...
@overload
def _place(row: None) -> None: ...
def _place(row: domain.Location | None) -> engine.Location | None:
    return None if row is None else engine.Location(row.latitude, row.longitude, row.matrix_index)


@overload
def _span(minutes: float) -> timedelta: ...
@overload
def _span(minutes: None) -> None: ...
def _span(minutes: float | None) -> timedelta | None:
    return None if minutes is None else timedelta(microseconds=round(minutes * 60e6))


def _matrix(row: domain.TravelMatrix) -> engine.TravelMatrix:
    return engine.TravelMatrix.from_rows(row.seconds.tolist(), None if row.meters is None else row.meters.tolist())
