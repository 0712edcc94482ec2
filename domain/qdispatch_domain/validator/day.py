"""A finished day against the rules: who was served, how the drivers drove, and whether every decision was legal."""

from __future__ import annotations

from collections import Counter

from qdispatch_domain.day_record import BookingRecord, DayRecord, UnservedCause, UnservedRecord
from qdispatch_domain.reasons import BookingGap
from qdispatch_domain.snapshot import TripStatus
from qdispatch_domain.validator.decision_log import check_decisions
from qdispatch_domain.validator.driven import check_home_drives, check_trips
from qdispatch_domain.validator.situation import booking_gap
from qdispatch_domain.validator.violation import Fault, Violation
from qdispatch_domain.weights import RULES

SLACK_MIN = 1e-3


def validate_day(record: DayRecord) -> list[Violation]:
    """Every broken rule of the day, the decision log included; empty if the day is right.

    Raises ValueError if a logged snapshot is malformed (a running trip without its times, a missing matrix index).
    """
    return [
        *_served_once(record),
        *_unserved(record),
        *check_trips(record),
        *check_home_drives(record),
        *check_decisions(record),
    ]


def _served_once(record: DayRecord) -> list[Violation]:
    listed = Counter(row.booking.id for row in record.bookings)
    # trips that the engine had committed before the day was recorded have to be driven like any other
    before = [t.booking_id for d in record.drivers for t in d.trips if t.status is not TripStatus.DONE]
    listed.update(before)
    ends = Counter(trip.booking_id for trip in record.trips)
    ends.update(row.booking_id for row in record.unserved)
    found = [
        Violation(Fault.DUPLICATE, name, f"{count} bookings with this id")
        for name, count in listed.items()
        if count > 1
    ]
    for name in listed:
        if ends[name] == 0:
            found.append(Violation(Fault.MISSING, name, "neither driven nor UNSERVED"))
        elif ends[name] > 1:
            found.append(Violation(Fault.DUPLICATE, name, f"driven or given up {ends[name]} times"))
    found += [
        Violation(Fault.UNKNOWN_INDEX, name, "driven or given up, but no such booking")
        for name in ends
        if name not in listed
    ]
    return found


def _unserved(record: DayRecord) -> list[Violation]:
    bookings = {row.booking.id: row for row in record.bookings}
    found = []
    for row in record.unserved:
        truth = bookings.get(row.booking_id)
        wrong = None if truth is None else _cause_wrong(record, truth, row)
        if wrong is not None:
            found.append(Violation(Fault.UNSERVED_WRONG, row.booking_id, f"{row.cause} at {row.at}: {wrong}"))
    return found


def _cause_wrong(record: DayRecord, truth: BookingRecord, row: UnservedRecord) -> str | None:
    booking = truth.booking
    if row.cause is UnservedCause.NEVER_CALLED:
        if not truth.needs_call:
            return "the booking needed no call"
        return None if truth.called_at is None else f"the patient called at {truth.called_at}"
    if row.cause is UnservedCause.MISSING_DATA:
        gap = booking_gap(booking, row.at)
        lacking = (BookingGap.NO_SCHEDULED_TIME, BookingGap.NO_PICKUP, BookingGap.NO_DROPOFF)
        return None if gap in lacking else f"its data are complete ({gap.name})"
    if row.cause is UnservedCause.DAY_ENDED:
        last = max((d.shift_end for d in record.drivers if d.shift_end is not None), default=row.at)
        return None if row.at >= last - SLACK_MIN else f"the last shift ends at {last}"
    if booking.scheduled_time is None:
        return "without a scheduled time it cannot expire"
    expires = booking.scheduled_time + RULES.latest_insertion_min
    return None if row.at >= expires - SLACK_MIN else f"it expires at {expires} only"
