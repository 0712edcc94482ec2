"""A day of two drivers and five bookings, driven without noise, by hand (every drive takes 10 minutes)."""

from __future__ import annotations

from dataclasses import replace

from qdispatch_domain.day_record import (
    BookingRecord,
    DayRecord,
    DecisionEntry,
    HomeDrive,
    NoiseBounds,
    TripRecord,
    UnservedCause,
    UnservedRecord,
)
from qdispatch_domain.decision import Pick
from qdispatch_domain.snapshot import Booking, Break, Driver, Leg, Position, Snapshot, Trip, TripStatus
from qdispatch_domain.validator.situation import as_trip
from tests.domain.validator.tiny_fleet import CARL, PLACES, booking, driver, matrix

ANNA = driver("anna", end_location=PLACES[0], breaks=(Break(720.0, 750.0),))
OUT = booking("out", 520.0, wheelchair=True, passengers=2)
BACK = booking("back", 600.0, pickup=PLACES[4], dropoff=PLACES[3], leg=Leg.RETURN)
CALL = booking("call", None, pickup=PLACES[4], dropoff=PLACES[3], leg=Leg.RETURN, time_confirmed=False)
CALLED = replace(CALL, scheduled_time=640.0, time_confirmed=True)
HUGE = booking("huge", 530.0, passengers=7)
SILENT = replace(CALL, id="silent")

# anna drives out (505-545), back (585-625) and the called return (630-670); then home
OUT_DRIVEN = TripRecord("out", "anna", PLACES[0], 505.0, 515.0, 520.0, 525.0, 535.0, 545.0)
BACK_DRIVEN = TripRecord("back", "anna", PLACES[4], 595.0, 595.0, 600.0, 605.0, 615.0, 625.0)
CALL_DRIVEN = TripRecord("call", "anna", PLACES[3], 645.0, 655.0, 655.0, 660.0, 670.0, 680.0)
OUT_TRIP, BACK_TRIP = as_trip(OUT, 520.0), as_trip(BACK, 600.0)


def _snapshot(now: float, anna: Driver, *bookings: Booking) -> Snapshot:
    carl = replace(CARL, position=Position(PLACES[0], now))
    return Snapshot(now=now, drivers=(anna, carl), bookings=bookings, matrix=matrix())


def _done(trip: Trip, record: TripRecord) -> Trip:
    return replace(
        trip,
        status=TripStatus.DONE,
        departed_at=record.departed_at,
        picked_up_at=record.picked_up_at,
        done_at=record.done_at,
    )


MORNING = DecisionEntry(
    # both picks at 480: first out, then the return behind it
    _snapshot(480.0, ANNA, OUT, BACK, CALL, HUGE, SILENT),
    (Pick(0, 0, 0, 520.0, 520.0), Pick(1, 0, 1, 600.0, 600.0)),
)
NOON = DecisionEntry(
    # the patient calls at 640: anna stands at place 3, where the return before ended at 625
    _snapshot(
        645.0,
        replace(
            ANNA,
            position=Position(PLACES[3], 645.0),
            trips=(_done(OUT_TRIP, OUT_DRIVEN), _done(BACK_TRIP, BACK_DRIVEN)),
            trips_done_today=2,
        ),
        CALLED,
        SILENT,
    ),
    (Pick(0, 0, 0, 655.0, 640.0),),
)

DAY = DayRecord(
    drivers=(ANNA, CARL),
    bookings=(
        BookingRecord(OUT, known_at=480.0),
        BookingRecord(BACK, known_at=480.0),
        BookingRecord(CALLED, known_at=480.0, needs_call=True, called_at=640.0),
        BookingRecord(HUGE, known_at=480.0),
        BookingRecord(SILENT, known_at=480.0, needs_call=True),
    ),
    trips=(OUT_DRIVEN, BACK_DRIVEN, CALL_DRIVEN),
    unserved=(
        UnservedRecord("huge", UnservedCause.EXPIRED, 590.0),
        UnservedRecord("silent", UnservedCause.NEVER_CALLED, 960.0),
    ),
    decisions=(MORNING, NOON),
    noise=NoiseBounds(1.0, 1.0, 1.0, 1.0),
    matrix=matrix(),
    home_drives=(HomeDrive("anna", PLACES[3], 680.0, 690.0),),
)
