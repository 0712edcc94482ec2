"""The schedules of one snapshot while picks are applied to them, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

from qdispatch_domain.reasons import BookingGap, DriverGap
from qdispatch_domain.snapshot import Booking, Driver, DriverKind, Leg, Snapshot, Trip, TripStatus
from qdispatch_domain.validator.roads import Roads
from qdispatch_domain.validator.timeline import EPSILON_MIN, Anchor, Timeline, anchor_of, committed, drive, driver_gap
from qdispatch_domain.weights import RULES


def tolerance_of(booking: Booking) -> float:
    """Minutes of lateness that cost this booking nothing: its own, else its leg's."""
    if booking.tolerance_min is not None:
        return booking.tolerance_min
    return RULES.return_tolerance_min if booking.leg is Leg.RETURN else RULES.outbound_tolerance_min


def service_of(booking: Booking) -> tuple[float, float]:
    """Minutes of the pickup and of the dropoff service: the booking's own, else the usual ones."""
    pickup, dropoff = booking.pickup_service_min, booking.dropoff_service_min
    return (
        RULES.pickup_service_min if pickup is None else pickup,
        RULES.dropoff_service_min if dropoff is None else dropoff,
    )


def booking_gap(booking: Booking, now: float) -> BookingGap:
    """Why the booking is not open at `now`; OPEN if it is."""
    if not booking.time_confirmed:
        return BookingGap.NOT_READY
    if booking.scheduled_time is None:
        return BookingGap.NO_SCHEDULED_TIME
    if booking.pickup is None:
        return BookingGap.NO_PICKUP
    if booking.dropoff is None:
        return BookingGap.NO_DROPOFF
    if now >= booking.scheduled_time + RULES.latest_insertion_min:
        return BookingGap.EXPIRED
    return BookingGap.OPEN


def promise_for(booking: Booking, pickup_time: float) -> float:
    """What the patient is told when the booking is inserted with this predicted pickup, service-day minutes."""
    if booking.scheduled_time is None:
        raise ValueError(f"Expected a scheduled_time of booking {booking.id!r}.")
    earlier = booking.promised_pickup_time
    if pickup_time <= booking.scheduled_time + tolerance_of(booking) + EPSILON_MIN:
        return booking.scheduled_time if earlier is None else earlier
    return pickup_time if earlier is None else max(pickup_time, earlier)


def as_trip(booking: Booking, promised: float) -> Trip:
    """The COMMITTED trip that the booking becomes. ValueError if its time or a place is missing."""
    if booking.scheduled_time is None or booking.pickup is None or booking.dropoff is None:
        raise ValueError(f"Expected time, pickup and dropoff of booking {booking.id!r}.")
    pickup_service, dropoff_service = service_of(booking)
    return Trip(
        booking_id=booking.id,
        status=TripStatus.COMMITTED,
        pickup=booking.pickup,
        dropoff=booking.dropoff,
        leg=booking.leg,
        scheduled_time=booking.scheduled_time,
        promised_pickup_time=promised,
        tolerance_min=tolerance_of(booking),
        pickup_service_min=pickup_service,
        dropoff_service_min=dropoff_service,
        urgent=booking.urgent,
    )


class Situation:
    """A snapshot and, per driver, the COMMITTED trips after the picks applied so far."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.roads = Roads(snapshot.matrix)
        self.gaps: tuple[DriverGap, ...] = tuple(driver_gap(d, snapshot.now, self.roads) for d in snapshot.drivers)
        self.anchors: tuple[Anchor | None, ...] = tuple(
            anchor_of(driver, snapshot.now, self.roads) if gap is DriverGap.NONE else None
            for driver, gap in zip(snapshot.drivers, self.gaps, strict=True)
        )
        self._trips: list[list[Trip]] = [committed(driver.trips) for driver in snapshot.drivers]
        self._timelines: dict[int, Timeline] = {}
        self.picked: set[int] = set()

    def copy(self) -> Situation:
        """The same schedules; later picks change only one of the two."""
        other = copy(self)
        other._trips = [list(trips) for trips in self._trips]
        other._timelines = dict(self._timelines)
        other.picked = set(self.picked)
        return other

    def trips(self, driver: int) -> Sequence[Trip]:
        """The driver's COMMITTED trips, in order."""
        return tuple(self._trips[driver])

    def anchor(self, driver: int) -> Anchor:
        """The driver's anchor. ValueError for a driver with a gap."""
        anchor = self.anchors[driver]
        if anchor is None:
            raise ValueError(f"Expected a located driver on shift at row {driver}.")
        return anchor

    def timeline(self, driver: int) -> Timeline:
        """The predicted times of the driver's COMMITTED trips as they stand."""
        if driver not in self._timelines:
            self._timelines[driver] = drive(
                self.snapshot.drivers[driver], self.anchor(driver), self._trips[driver], self.roads
            )
        return self._timelines[driver]

    def legs_of(self, driver: int) -> int:
        """Trips done today and committed or running, of the driver."""
        row: Driver = self.snapshot.drivers[driver]
        running = sum(t.status in (TripStatus.EN_ROUTE, TripStatus.ONBOARD) for t in row.trips)
        return row.trips_done_today + running + len(self._trips[driver])

    def regular_drivers(self) -> list[int]:
        """Rows of all REGULAR drivers without a gap."""
        return [
            row
            for row, driver in enumerate(self.snapshot.drivers)
            if driver.kind is DriverKind.REGULAR and self.gaps[row] is DriverGap.NONE
        ]

    def apply(self, booking: int, driver: int, position: int, promised: float) -> None:
        """Commit the booking; what later questions are answered by."""
        self._trips[driver].insert(position, as_trip(self.snapshot.bookings[booking], promised))
        self._timelines.pop(driver, None)
        self.picked.add(booking)
