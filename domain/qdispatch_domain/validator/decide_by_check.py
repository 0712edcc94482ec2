"""Is `decide_by` really the last instant? Two probes instead of a formula: before it still goes, after it no more."""

from __future__ import annotations

from collections.abc import Iterator

from qdispatch_domain.decision import BookingAdvice
from qdispatch_domain.snapshot import Booking
from qdispatch_domain.validator.brute_force import feasible_insertions, insert, permitted_drivers
from qdispatch_domain.validator.situation import Situation
from qdispatch_domain.validator.violation import Fault, Violation

PROBE_MIN = 1e-3
ALL_TIMED_UP_TO = 16  # drivers; docs/dispatch-rules.md, `decide_by`


def check_decide_by(situation: Situation, advice: BookingAdvice, where: str) -> list[Violation]:
    """Compare `decide_by` with what the schedules allow at the instants around it."""
    booking = situation.snapshot.bookings[advice.booking]
    drivers = permitted_drivers(situation, booking)
    if not drivers:
        if advice.decide_by is None:
            return []
        return [Violation(Fault.DECIDE_BY_WRONG, where, f"decide_by {advice.decide_by}, but nobody can at all")]
    if advice.decide_by is None:
        return [Violation(Fault.DECIDE_BY_WRONG, where, "no decide_by, although a driver can")]
    now = situation.snapshot.now
    strict = still_possible(situation, booking, drivers, now, on_time=True)
    text = f"decide_by {advice.decide_by} ({'within' if strict else 'beyond'} the tolerance)"
    if advice.decide_by < now - PROBE_MIN:
        return [Violation(Fault.DECIDE_BY_WRONG, where, f"{text}, before now {now}")]
    if not still_possible(situation, booking, drivers, max(now, advice.decide_by - PROBE_MIN), on_time=strict):
        return [Violation(Fault.DECIDE_BY_WRONG, where, f"{text}: too late already just before it")]
    # on large fleets the rules let decide_by look at the nearest drivers only: earlier than the true one, never later
    every_driver_timed = len(situation.snapshot.drivers) <= ALL_TIMED_UP_TO
    if every_driver_timed and still_possible(situation, booking, drivers, advice.decide_by + PROBE_MIN, on_time=strict):
        return [Violation(Fault.DECIDE_BY_WRONG, where, f"{text}: still possible after it")]
    return []


def still_possible(
    situation: Situation, booking: Booking, drivers: list[int], instant: float, *, on_time: bool
) -> bool:
    """Could one of `drivers` take the booking if it were decided at `instant` and nothing else changed until then?"""
    return any(_holds(situation, booking, drivers, instant, on_time))


def _holds(situation: Situation, booking: Booking, drivers: list[int], instant: float, on_time: bool) -> Iterator[bool]:
    for driver in drivers:
        legs = situation.timeline(driver).legs
        for insertion in feasible_insertions(situation, booking, driver):
            if on_time and not insertion.on_time:
                continue
            position = insertion.position
            gone = position < len(legs) and instant > max(legs[position].departed, situation.snapshot.now)
            if gone:  # left for the trip behind: the place in front of it is no more
                continue
            held = insert(situation, booking, driver, position, hold=instant)
            yield held.feasible and (held.on_time or not on_time)
