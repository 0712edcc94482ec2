"""A finished day as it really went: what the simulator writes and the validator (`validator/`) reads.

Times are service-day minutes. The record holds no derived figure: KPIs and costs are computed from it, never stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from qdispatch_domain.decision import Pick
from qdispatch_domain.snapshot import Booking, Driver, Location, Snapshot, TravelMatrix


class UnservedCause(StrEnum):
    """Why a booking was never driven."""

    EXPIRED = "EXPIRED"  # not inserted within the latest permitted lateness of its scheduled time
    NEVER_CALLED = "NEVER_CALLED"  # call when ready, and the patient never called
    MISSING_DATA = "MISSING_DATA"  # no scheduled time, pickup or dropoff
    DAY_ENDED = "DAY_ENDED"  # still open when the last shift had ended


@dataclass(frozen=True, slots=True)
class NoiseBounds:
    """Bounds, ends included, of what noise may multiply free-flow travel and service minutes by; 0 < low <= high."""

    travel_low: float
    travel_high: float
    service_low: float
    service_high: float


@dataclass(frozen=True, slots=True)
class BookingRecord:
    """One booking with its true data: what was known about it once everything was known.

    `booking.scheduled_time` is the true wanted pickup, for a call-when-ready return the one that the call set;
    `booking.time_confirmed` is what a snapshot would say at the end of the day (False: the patient never called).
    """

    booking: Booking
    known_at: float  # before this instant no snapshot may hold the booking
    needs_call: bool = False  # call when ready
    called_at: float | None = None  # when the patient called; None: not needed, or never


@dataclass(frozen=True, slots=True)
class TripRecord:
    """One driven trip with its realised times, in the order of the fields."""

    booking_id: str
    driver_id: str
    departed_from: Location  # where the deadhead to the pickup began
    departed_at: float
    arrived_at: float  # at the pickup
    picked_up_at: float  # start of the pickup service, not before the scheduled time
    left_pickup_at: float  # end of the pickup service
    reached_dropoff_at: float
    done_at: float  # end of the dropoff service


@dataclass(frozen=True, slots=True)
class HomeDrive:
    """The empty drive of a driver with an `end_location` after the last trip."""

    driver_id: str
    departed_from: Location
    departed_at: float
    arrived_at: float


@dataclass(frozen=True, slots=True)
class UnservedRecord:
    """One booking that was given up, and when."""

    booking_id: str
    cause: UnservedCause
    at: float


@dataclass(frozen=True, slots=True)
class DecisionEntry:
    """One decision: the snapshot before it and its picks, in the order they were made.

    Every pick refers to the rows of `snapshot` (`Pick.position` counts COMMITTED trips after the picks before it).
    Decisions without a pick (waiting) may be left out.
    """

    snapshot: Snapshot
    picks: tuple[Pick, ...]


@dataclass(frozen=True, slots=True)
class DayRecord:
    """The whole day. `drivers` are the rows as the day began, trips committed beforehand included."""

    drivers: tuple[Driver, ...]
    bookings: tuple[BookingRecord, ...]
    trips: tuple[TripRecord, ...]  # any order
    unserved: tuple[UnservedRecord, ...]
    decisions: tuple[DecisionEntry, ...]  # in order of time
    noise: NoiseBounds
    matrix: TravelMatrix | None = None
    home_drives: tuple[HomeDrive, ...] = ()
