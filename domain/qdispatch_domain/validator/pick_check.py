"""One pick against every hard rule, given the schedules at this pick."""

from __future__ import annotations

import math

from qdispatch_domain.decision import Pick
from qdispatch_domain.reasons import BookingGap
from qdispatch_domain.snapshot import Booking, DriverKind
from qdispatch_domain.validator.brute_force import Insertion, insert, regular_on_time, unfit
from qdispatch_domain.validator.situation import Situation, as_trip, booking_gap, promise_for
from qdispatch_domain.validator.violation import Fault, Violation

PREDICTION_TOLERANCE_MIN = 1e-3


def check_pick(situation: Situation, pick: Pick, where: str) -> list[Violation]:
    """Every rule that the pick breaks in `situation`; a legal pick gives an empty list. Applies nothing."""
    snapshot = situation.snapshot
    if not 0 <= pick.booking < len(snapshot.bookings):
        return [Violation(Fault.UNKNOWN_INDEX, where, f"booking row {pick.booking} of {len(snapshot.bookings)}")]
    if not 0 <= pick.driver < len(snapshot.drivers):
        return [Violation(Fault.UNKNOWN_INDEX, where, f"driver row {pick.driver} of {len(snapshot.drivers)}")]
    booking = snapshot.bookings[pick.booking]
    if pick.booking in situation.picked:
        return [Violation(Fault.DUPLICATE, where, f"booking {booking.id!r} was picked before")]
    gap = booking_gap(booking, snapshot.now)
    if gap is not BookingGap.OPEN:
        return [Violation(Fault.GAP_PICKED, where, f"booking {booking.id!r} is {gap.name}")]
    driver_id = snapshot.drivers[pick.driver].id
    found = [
        Violation(fault, where, f"driver {driver_id!r} cannot take booking {booking.id!r}")
        for fault in unfit(situation, booking, pick.driver)
    ]
    if situation.anchors[pick.driver] is None:
        return found
    room = len(situation.trips(pick.driver))
    if not 0 <= pick.position <= room:
        found.append(Violation(Fault.UNKNOWN_INDEX, where, f"position {pick.position} among {room} COMMITTED trips"))
        return found
    insertion = insert(situation, booking, pick.driver, pick.position)
    found += [Violation(fault, where, _figures(situation, booking, insertion)) for fault in insertion.faults]
    found += _reserve(situation, booking, pick, where)
    found += _claims(situation, booking, pick, insertion, where)
    return found


def apply_pick(situation: Situation, pick: Pick) -> bool:
    """Commit the pick, illegal ones too (later picks are judged by what was announced); False if no row is meant."""
    snapshot = situation.snapshot
    known = 0 <= pick.booking < len(snapshot.bookings) and 0 <= pick.driver < len(snapshot.drivers)
    if not known or pick.booking in situation.picked:
        return False
    if booking_gap(snapshot.bookings[pick.booking], snapshot.now) is not BookingGap.OPEN:
        return False
    position = min(max(pick.position, 0), len(situation.trips(pick.driver)))
    situation.apply(pick.booking, pick.driver, position, pick.promised_pickup_time)
    return True


def _figures(situation: Situation, booking: Booking, insertion: Insertion) -> str:
    shift_end = situation.snapshot.drivers[insertion.driver].shift_end
    return (
        f"booking {booking.id!r} before trip {insertion.position}: scheduled {booking.scheduled_time}, "
        f"pickup {insertion.pickup:.3f}, schedule ends {insertion.timeline.end:.3f}, shift {shift_end}"
    )


def _reserve(situation: Situation, booking: Booking, pick: Pick, where: str) -> list[Violation]:
    if situation.snapshot.drivers[pick.driver].kind is not DriverKind.EMERGENCY:
        return []
    better = regular_on_time(situation, booking)
    if better is None:
        return []
    regular = situation.snapshot.drivers[better.driver].id
    text = f"REGULAR driver {regular!r} picks up {booking.id!r} at {better.pickup:.3f}, on time"
    return [Violation(Fault.EMERGENCY_NOT_NEEDED, where, text)]


def _claims(situation: Situation, booking: Booking, pick: Pick, insertion: Insertion, where: str) -> list[Violation]:
    found = []
    if not abs(pick.pickup_time - insertion.pickup) <= PREDICTION_TOLERANCE_MIN:
        text = f"pickup_time {pick.pickup_time}, by the rules {insertion.pickup:.6f}"
        found.append(Violation(Fault.PREDICTION_WRONG, where, text))
        found += _claimed_work(situation, booking, pick, where)
    promise = promise_for(booking, insertion.pickup)
    if not abs(pick.promised_pickup_time - promise) <= PREDICTION_TOLERANCE_MIN:
        text = f"promised_pickup_time {pick.promised_pickup_time}, by the rules {promise:.6f}"
        found.append(Violation(Fault.PROMISE_WRONG, where, text))
    return found


def _claimed_work(situation: Situation, booking: Booking, pick: Pick, where: str) -> list[Violation]:
    """What a pickup at the claimed time would run into, if the driver left at the last moment for it."""
    roads = situation.roads
    trip = as_trip(booking, pick.promised_pickup_time)
    if not math.isfinite(pick.pickup_time):  # nothing to follow
        return []
    found = []
    if pick.pickup_time < trip.scheduled_time - PREDICTION_TOLERANCE_MIN:
        text = f"pickup_time {pick.pickup_time} before the scheduled time {trip.scheduled_time}"
        found.append(Violation(Fault.TOO_EARLY, where, text))
    others = situation.trips(pick.driver)
    legs = situation.timeline(pick.driver).legs
    anchor = situation.anchor(pick.driver)
    free, place = anchor.time, anchor.place
    if pick.position > 0:
        free, place = legs[pick.position - 1].end, others[pick.position - 1].dropoff
    leaves = roads.leave_by(pick.pickup_time, place, trip.pickup)
    ends = roads.arrive(pick.pickup_time + trip.pickup_service_min, trip.pickup, trip.dropoff)
    ends += trip.dropoff_service_min
    if leaves < free - PREDICTION_TOLERANCE_MIN:
        text = f"leaves at {leaves:.3f} for a pickup at {pick.pickup_time}, but is free at {free:.3f} only"
        found.append(Violation(Fault.OVERLAP, where, text))
    for pause in situation.snapshot.drivers[pick.driver].breaks:
        if leaves < pause.end - PREDICTION_TOLERANCE_MIN and ends > pause.start + PREDICTION_TOLERANCE_MIN:
            text = f"works {leaves:.3f}-{ends:.3f}, break {pause.start}-{pause.end}"
            found.append(Violation(Fault.BREAK, where, text))
    return found
