"""For every rule of a finished day a day that breaks it, worked out by hand, and found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

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
from qdispatch_domain.snapshot import Break, Driver, Snapshot, TripStatus
from qdispatch_domain.validator import Fault, validate_day
from tests.domain.validator.tiny_day import (
    ANNA,
    BACK,
    BACK_DRIVEN,
    BACK_TRIP,
    CALL_DRIVEN,
    CALLED,
    DAY,
    HUGE,
    MORNING,
    NOON,
    OUT,
    OUT_DRIVEN,
)
from tests.domain.validator.tiny_fleet import CARL, NOW, PLACES


def _trip(record: TripRecord, **changed: object) -> DayRecord:
    other = replace(record, **changed)  # type: ignore[arg-type]  # fields by name
    return replace(DAY, trips=tuple(other if trip is record else trip for trip in DAY.trips))


def _booking(row: int, **changed: object) -> DayRecord:
    rows = list(DAY.bookings)
    rows[row] = replace(rows[row], **changed)  # type: ignore[arg-type]  # fields by name
    return replace(DAY, bookings=tuple(rows))


def _truth(row: int, **changed: object) -> DayRecord:
    return _booking(row, booking=replace(DAY.bookings[row].booking, **changed))  # type: ignore[arg-type]


def _anna(**changed: object) -> DayRecord:
    return replace(DAY, drivers=(replace(ANNA, **changed), CARL))  # type: ignore[arg-type]  # fields by name


def _morning(*picks: Pick, snapshot: Snapshot = MORNING.snapshot) -> DayRecord:
    return replace(DAY, decisions=(DecisionEntry(snapshot, picks), NOON))


def _noon(**changed: object) -> DayRecord:
    shown = replace(NOON.snapshot.drivers[0], **changed)  # type: ignore[arg-type]  # fields by name
    return replace(DAY, decisions=(MORNING, _with_drivers(NOON, shown)))


def _with_drivers(entry: DecisionEntry, anna: Driver) -> DecisionEntry:
    return replace(entry, snapshot=replace(entry.snapshot, drivers=(anna, entry.snapshot.drivers[1])))


def _unserved(row: UnservedRecord) -> DayRecord:
    return replace(DAY, unserved=(row, DAY.unserved[1]))


FIRST, SECOND = MORNING.picks
NOON_DONE = NOON.snapshot.drivers[0].trips


@dataclass(frozen=True)
class Row:
    reason: str
    broken: Callable[[], DayRecord]
    where: str
    fault: Fault


ROWS = [
    # served exactly once, or given up with its cause
    Row("neither driven nor given up", lambda: replace(DAY, unserved=DAY.unserved[1:]), "huge", Fault.MISSING),
    Row("driven and given up",
        lambda: replace(DAY, unserved=(*DAY.unserved, UnservedRecord("out", UnservedCause.EXPIRED, 600.0))),
        "out", Fault.DUPLICATE),
    Row("driven twice", lambda: replace(DAY, trips=(*DAY.trips, OUT_DRIVEN)), "out", Fault.DUPLICATE),
    Row("the same booking twice", lambda: replace(DAY, bookings=(*DAY.bookings, DAY.bookings[0])),
        "out", Fault.DUPLICATE),
    Row("driven, but nobody booked it", lambda: _trip(OUT_DRIVEN, booking_id="ghost"), "ghost", Fault.UNKNOWN_INDEX),
    Row("driven by nobody", lambda: _trip(OUT_DRIVEN, driver_id="ghost"), "out", Fault.UNKNOWN_INDEX),
    Row("committed before the day, and never driven", lambda: _anna(trips=(replace(BACK_TRIP, booking_id="left"),)),
        "left", Fault.MISSING),
    Row("given up a minute before it expires", lambda: _unserved(UnservedRecord("huge", UnservedCause.EXPIRED, 589.0)),
        "huge", Fault.UNSERVED_WRONG),
    Row("never called, though it needed no call",
        lambda: _unserved(UnservedRecord("huge", UnservedCause.NEVER_CALLED, 960.0)), "huge", Fault.UNSERVED_WRONG),
    Row("never called, though the patient called", lambda: _booking(4, called_at=700.0),
        "silent", Fault.UNSERVED_WRONG),
    Row("missing data, though nothing is missing",
        lambda: _unserved(UnservedRecord("huge", UnservedCause.MISSING_DATA, 590.0)), "huge", Fault.UNSERVED_WRONG),
    Row("the day had not ended", lambda: _unserved(UnservedRecord("huge", UnservedCause.DAY_ENDED, 900.0)),
        "huge", Fault.UNSERVED_WRONG),
    Row("expired without a time", lambda: _truth(3, scheduled_time=None), "huge", Fault.UNSERVED_WRONG),
    Row("given up after it had been committed", lambda: replace(
        DAY, trips=DAY.trips[1:], unserved=(*DAY.unserved, UnservedRecord("out", UnservedCause.EXPIRED, 600.0))),
        "out", Fault.UNSERVED_WRONG),
    # how the drivers drove
    Row("two trips at once", lambda: _trip(BACK_DRIVEN, departed_at=540.0, arrived_at=540.0), "back", Fault.OVERLAP),
    Row("the third trip begins before the second ends", lambda: _trip(CALL_DRIVEN, departed_at=620.0),
        "call", Fault.OVERLAP),
    Row("picked up before arriving", lambda: _trip(CALL_DRIVEN, picked_up_at=650.0), "call", Fault.OVERLAP),
    Row("picked up before the scheduled time", lambda: _trip(OUT_DRIVEN, picked_up_at=519.0), "out", Fault.TOO_EARLY),
    Row("starts where the driver is not", lambda: _trip(BACK_DRIVEN, departed_from=PLACES[3]),
        "back", Fault.TELEPORT),
    Row("the first trip starts elsewhere", lambda: _trip(OUT_DRIVEN, departed_from=PLACES[9]), "out", Fault.TELEPORT),
    Row("drives home from elsewhere", lambda: replace(DAY, home_drives=(HomeDrive("anna", PLACES[4], 680.0, 690.0),)),
        "home drive of anna", Fault.TELEPORT),
    Row("drives home during the last trip",
        lambda: replace(DAY, home_drives=(HomeDrive("anna", PLACES[3], 670.0, 680.0),)),
        "home drive of anna", Fault.OVERLAP),
    Row("drives home twice", lambda: replace(DAY, home_drives=DAY.home_drives * 2),
        "home drive of anna", Fault.DUPLICATE),
    Row("drives home, but has no end location",
        lambda: replace(DAY, home_drives=(HomeDrive("carl", PLACES[0], 680.0, 690.0),)),
        "home drive of carl", Fault.UNKNOWN_INDEX),
    Row("home in no time", lambda: replace(DAY, home_drives=(HomeDrive("anna", PLACES[3], 680.0, 680.0),)),
        "home drive of anna", Fault.TRAVEL_TIME),
    Row("ten minutes driven in nine", lambda: _trip(OUT_DRIVEN, departed_at=506.0), "out", Fault.TRAVEL_TIME),
    Row("arrives before it departs", lambda: _trip(OUT_DRIVEN, arrived_at=504.0), "out", Fault.TRAVEL_TIME),
    Row("with the patient, slower than the noise allows",
        lambda: replace(_trip(CALL_DRIVEN, reached_dropoff_at=676.0, done_at=686.0),
                        noise=NoiseBounds(0.8, 1.5, 1.0, 1.0), home_drives=()), "call", Fault.TRAVEL_TIME),
    Row("a service that is too short", lambda: _trip(CALL_DRIVEN, done_at=679.0), "call", Fault.SERVICE_TIME),
    Row("departs before the shift", lambda: _anna(shift_start=510.0), "out", Fault.SHIFT),
    Row("departs in the break", lambda: _anna(breaks=(Break(640.0, 650.0),)), "call", Fault.BREAK),
    Row("no shift at all", lambda: _anna(shift_end=None), "out", Fault.NO_SHIFT),
    Row("no wheelchair access", lambda: _anna(wheelchair_access=False), "out", Fault.WHEELCHAIR),
    Row("one seat for two", lambda: _anna(seats=1), "out", Fault.SEATS),
    Row("pinned to carl", lambda: _truth(0, pinned=True, current_driver_id="carl"), "out", Fault.PINNED),
    Row("departed before it was known", lambda: _booking(0, known_at=506.0), "out", Fault.NOT_YET_KNOWN),
    Row("departed before the call", lambda: _booking(2, called_at=650.0), "call", Fault.NOT_YET_KNOWN),
    Row("departed without a call", lambda: _booking(2, called_at=None), "call", Fault.NOT_YET_KNOWN),
    # the decision log
    Row("no decision gave it to anybody", lambda: _morning(FIRST), "back", Fault.NOT_DECIDED),
    Row("decided for anna, driven by carl", lambda: _trip(OUT_DRIVEN, driver_id="carl"), "out", Fault.NOT_DECIDED),
    Row("driven in another order than committed", lambda: _morning(FIRST, replace(SECOND, position=0)),
        "anna", Fault.NOT_DECIDED),
    Row("departed before it was decided", lambda: _trip(CALL_DRIVEN, departed_at=644.0), "call", Fault.NOT_YET_KNOWN),
    Row("a pick that is illegal at its snapshot", lambda: _morning(replace(FIRST, driver=1), SECOND),
        "decisions[0].picks[0]", Fault.EMERGENCY_NOT_NEEDED),
    Row("a pick that predicts something else", lambda: _morning(replace(FIRST, pickup_time=521.0), SECOND),
        "decisions[0].picks[0]", Fault.PREDICTION_WRONG),
    Row("a pick that promises something else", lambda: _morning(replace(FIRST, promised_pickup_time=525.0), SECOND),
        "decisions[0].picks[0]", Fault.PROMISE_WRONG),
    Row("picked once more later", lambda: replace(DAY, decisions=(
        MORNING, replace(NOON, snapshot=replace(NOON.snapshot, bookings=(CALLED, BACK)),
                         picks=(*NOON.picks, Pick(1, 0, 0, 655.0, 655.0))))),
        "decisions[1].picks[1]", Fault.DUPLICATE),
    Row("the promise became worse later",
        lambda: _noon(trips=(NOON_DONE[0], replace(NOON_DONE[1], promised_pickup_time=610.0))),
        "decisions[1].drivers[anna]", Fault.PROMISE_WRONG),
    Row("decisions out of order", lambda: replace(DAY, decisions=(NOON, MORNING)),
        "decisions[1]", Fault.SNAPSHOT_WRONG),
    Row("shown as not begun, though it is done",
        lambda: _noon(trips=(NOON_DONE[0], replace(NOON_DONE[1], status=TripStatus.COMMITTED))),
        "decisions[1].drivers[anna]", Fault.SNAPSHOT_WRONG),
    Row("two trips done, none counted", lambda: _noon(trips_done_today=0),
        "decisions[1].drivers[anna]", Fault.SNAPSHOT_WRONG),
    Row("a shift longer than in the day", lambda: _noon(shift_end=1000.0),
        "decisions[1].drivers[anna]", Fault.SNAPSHOT_WRONG),
    Row("a trip that nobody committed", lambda: _noon(trips=(*NOON_DONE, replace(BACK_TRIP, booking_id="ghost"))),
        "decisions[1].drivers[anna]", Fault.NOT_DECIDED),
    Row("a committed trip is left out", lambda: replace(DAY, decisions=(
        MORNING, replace(MORNING, snapshot=replace(MORNING.snapshot, bookings=()), picks=()), NOON)),
        "decisions[1].drivers[anna]", Fault.SNAPSHOT_WRONG),
    Row("a driver of another day",
        lambda: replace(DAY, decisions=(MORNING, _with_drivers(NOON, replace(ANNA, id="ghost")))),
        "decisions[1].drivers[ghost]", Fault.UNKNOWN_INDEX),
    Row("a booking of another day", lambda: _morning(FIRST, SECOND, snapshot=replace(
        MORNING.snapshot, bookings=(*MORNING.snapshot.bookings, replace(OUT, id="ghost")))),
        "decisions[0].bookings[ghost]", Fault.UNKNOWN_INDEX),
    Row("seen before it was known", lambda: _booking(3, known_at=481.0),
        "decisions[0].bookings[huge]", Fault.NOT_YET_KNOWN),
    Row("the call was foreseen", lambda: _booking(2, called_at=646.0),
        "decisions[1].bookings[call]", Fault.NOT_YET_KNOWN),
    Row("open, though committed", lambda: replace(DAY, decisions=(
        MORNING, replace(NOON, snapshot=replace(NOON.snapshot, bookings=(CALLED, BACK))))),
        "decisions[1].bookings[back]", Fault.DUPLICATE),
    Row("the snapshot shows another time", lambda: _truth(0, scheduled_time=519.0),
        "decisions[0].bookings[out]", Fault.SNAPSHOT_WRONG),
    Row("the snapshot shows another tolerance", lambda: _truth(1, tolerance_min=20.0),
        "decisions[0].bookings[back]", Fault.SNAPSHOT_WRONG),
    Row("an open booking is kept from the decision",
        lambda: replace(_booking(3, known_at=470.0), decisions=(replace(
            MORNING, snapshot=replace(MORNING.snapshot, bookings=MORNING.snapshot.bookings[:3])), NOON)),
        "decisions[0]", Fault.SNAPSHOT_WRONG),
]  # fmt: skip


def test_the_unbroken_day_is_right() -> None:
    assert validate_day(DAY) == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.reason)
def test_a_broken_day_is_found(row: Row) -> None:
    found = validate_day(row.broken())
    assert (row.where, row.fault) in {(violation.where, violation.fault) for violation in found}, found


@pytest.mark.parametrize(
    "row, reason",
    [
        (UnservedRecord("huge", UnservedCause.DAY_ENDED, 960.0), "the last shift ends at 960"),
        (UnservedRecord("huge", UnservedCause.EXPIRED, 590.0), "60 minutes after 530"),
    ],
)
def test_a_right_cause_is_left_alone(row: UnservedRecord, reason: str) -> None:
    assert validate_day(_unserved(row)) == [], reason


def test_missing_data_may_be_given_up() -> None:
    lacking = replace(HUGE, pickup=None)
    shown = tuple(lacking if row is HUGE else row for row in MORNING.snapshot.bookings)
    day = replace(
        _unserved(UnservedRecord("huge", UnservedCause.MISSING_DATA, 960.0)),
        bookings=(*DAY.bookings[:3], BookingRecord(lacking, known_at=NOW), DAY.bookings[4]),
        decisions=(replace(MORNING, snapshot=replace(MORNING.snapshot, bookings=shown)), NOON),
    )
    assert validate_day(day) == []


def test_noise_within_its_bounds_is_left_alone() -> None:
    slow = replace(CALL_DRIVEN, reached_dropoff_at=674.0, done_at=684.0)
    day = replace(
        DAY,
        trips=(OUT_DRIVEN, BACK_DRIVEN, slow),
        noise=NoiseBounds(0.8, 1.5, 1.0, 1.0),
        home_drives=(HomeDrive("anna", PLACES[3], 684.0, 692.0),),
    )
    assert validate_day(day) == []
