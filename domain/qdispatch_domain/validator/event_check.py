"""`reevaluate_at`: no event that the snapshot knows may be slept through."""

from __future__ import annotations

from collections.abc import Iterator

from qdispatch_domain.decision import Decision
from qdispatch_domain.reasons import BookingGap, DriverGap
from qdispatch_domain.snapshot import TripStatus
from qdispatch_domain.validator.situation import Situation, booking_gap
from qdispatch_domain.validator.timeline import EPSILON_MIN
from qdispatch_domain.validator.violation import Fault, Violation
from qdispatch_domain.weights import RULES

CLAIM_TOLERANCE_MIN = 1e-3
WIRE_TOLERANCE_MIN = 1e-6  # an instant that went over the wire has nanoseconds


def check_reevaluation(situation: Situation, decision: Decision) -> list[Violation]:
    """`now` after a decision with picks, else later than `now` and not after the next event."""
    now, claimed = situation.snapshot.now, decision.reevaluate_at
    if decision.picks:
        if claimed is not None and abs(claimed - now) <= WIRE_TOLERANCE_MIN:
            return []
        return [Violation(Fault.REEVALUATE_WRONG, "reevaluate_at", f"{claimed} after picks, expected now, {now}")]
    open_rows = [b for b in situation.snapshot.bookings if booking_gap(b, now) is BookingGap.OPEN]
    if not open_rows:
        return []
    if claimed is not None and claimed <= now:
        return [Violation(Fault.REEVALUATE_WRONG, "reevaluate_at", f"{claimed} is not after now, {now}")]
    instant, event = min(
        (entry for entry in _events(situation, decision) if entry[0] > now + EPSILON_MIN + CLAIM_TOLERANCE_MIN),
        default=(float("inf"), "nothing"),
    )
    if claimed is None or claimed > instant + CLAIM_TOLERANCE_MIN:
        return [Violation(Fault.REEVALUATE_WRONG, "reevaluate_at", f"{claimed}, but {event} at {instant:.6f}")]
    return []


def _events(situation: Situation, decision: Decision) -> Iterator[tuple[float, str]]:
    for booking in situation.snapshot.bookings:
        if booking_gap(booking, situation.snapshot.now) is BookingGap.OPEN and booking.scheduled_time is not None:
            yield booking.scheduled_time + RULES.latest_insertion_min, f"booking {booking.id!r} expires"
    for advice in decision.bookings:
        if advice.decide_by is not None:
            yield advice.decide_by, f"decide_by of booking row {advice.booking}"
    for row, driver in enumerate(situation.snapshot.drivers):
        if situation.gaps[row] is not DriverGap.NONE or driver.shift_start is None or driver.shift_end is None:
            continue
        yield driver.shift_start, f"the shift of {driver.id!r} starts"
        yield driver.shift_end, f"the shift of {driver.id!r} ends"
        for pause in driver.breaks:
            yield pause.end, f"a break of {driver.id!r} ends"
        legs = situation.timeline(row).legs
        if any(trip.status in (TripStatus.EN_ROUTE, TripStatus.ONBOARD) for trip in driver.trips):
            yield situation.anchor(row).time, f"the running trip of {driver.id!r} ends"
        elif legs:
            yield legs[0].end, f"the next trip of {driver.id!r} ends"
