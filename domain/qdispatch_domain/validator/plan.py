"""One answer of `decide` against its snapshot: every claim is worked out again, nothing is believed.

This package shares the row types, the reasons and the constants with the kernel, and not one line of its timing,
insertion or cost code: what both get right, two independent programs agree on.
"""

from __future__ import annotations

from collections.abc import Sequence

from qdispatch_domain.decision import BookingAdvice, Decision, Pick
from qdispatch_domain.reasons import BookingGap, DriverGap
from qdispatch_domain.snapshot import Snapshot
from qdispatch_domain.validator.candidate_check import check_candidates, check_refusals
from qdispatch_domain.validator.decide_by_check import check_decide_by
from qdispatch_domain.validator.event_check import check_reevaluation
from qdispatch_domain.validator.pick_check import apply_pick, check_pick
from qdispatch_domain.validator.situation import Situation, booking_gap
from qdispatch_domain.validator.timeline import EPSILON_MIN
from qdispatch_domain.validator.violation import Fault, Violation


def validate_plan(snapshot: Snapshot, decision: Decision) -> list[Violation]:
    """Every broken rule of one decision; empty if it is right.

    Raises ValueError if the snapshot itself is malformed (a running trip without its times, a place without its matrix
    index): such a snapshot never reaches a decision.
    """
    before = Situation(snapshot)
    found = _driver_gaps(before, decision.driver_gaps)
    found += _rows(snapshot, decision)
    after = Situation(snapshot)
    states = [before]
    pick_of: dict[int, tuple[int, Pick]] = {}
    for number, pick in enumerate(decision.picks):
        found += check_pick(after, pick, f"picks[{number}]")
        if apply_pick(after, pick):
            pick_of[pick.booking] = (number, pick)
        states.append(after.copy())
    for number, advice in enumerate(decision.bookings):
        if not 0 <= advice.booking < len(snapshot.bookings):
            continue
        where = f"bookings[{number}]"
        pick_made = pick_of.get(advice.booking)
        found += _advice(before, advice, where, states[: pick_made[0] + 1] if pick_made else ())
        found += _recommendation(advice, pick_made, where)
    found += _waiting(snapshot, decision)
    found += check_reevaluation(before, decision)
    return found


def _driver_gaps(situation: Situation, claimed: Sequence[DriverGap]) -> list[Violation]:
    if len(claimed) != len(situation.gaps):
        text = f"{len(claimed)} driver_gaps for {len(situation.gaps)} drivers"
        return [Violation(Fault.MISSING, "driver_gaps", text)]
    return [
        Violation(Fault.GAP_WRONG, f"driver_gaps[{row}]", f"{DriverGap(said).name}, by the rules {true.name}")
        for row, (said, true) in enumerate(zip(claimed, situation.gaps, strict=True))
        if said != true
    ]


def _rows(snapshot: Snapshot, decision: Decision) -> list[Violation]:
    found = []
    rows = [advice.booking for advice in decision.bookings]
    for number, row in enumerate(rows):
        if not 0 <= row < len(snapshot.bookings):
            text = f"booking row {row} of {len(snapshot.bookings)}"
            found.append(Violation(Fault.UNKNOWN_INDEX, f"bookings[{number}]", text))
        elif row in rows[:number]:
            found.append(Violation(Fault.DUPLICATE, f"bookings[{number}]", f"booking row {row} is listed twice"))
    for row in range(len(snapshot.bookings)):
        if row not in rows:
            found.append(Violation(Fault.MISSING, "bookings", f"booking row {row} has no answer"))
    return found


def _advice(before: Situation, advice: BookingAdvice, where: str, own_pass: Sequence[Situation]) -> list[Violation]:
    booking = before.snapshot.bookings[advice.booking]
    gap = booking_gap(booking, before.snapshot.now)
    found = []
    if advice.gap != gap:
        text = f"{BookingGap(advice.gap).name}, by the rules {gap.name}"
        found.append(Violation(Fault.GAP_WRONG, where, text))
    if gap is not BookingGap.OPEN:
        if advice.candidates:
            text = f"{len(advice.candidates)} candidates of a booking that is {gap.name}"
            found.append(Violation(Fault.CANDIDATE_INFEASIBLE, where, text))
        return found
    found += check_candidates(before, advice, where, own_pass)
    found += check_refusals(before, advice, where)
    found += check_decide_by(before, advice, where)
    return found


def _recommendation(advice: BookingAdvice, pick: tuple[int, Pick] | None, where: str) -> list[Violation]:
    found = []
    if advice.assign_now != (pick is not None):
        text = f"assign_now is {advice.assign_now}, but the booking is {'picked' if pick else 'not picked'}"
        found.append(Violation(Fault.RECOMMENDATION_WRONG, where, text))
    recommended = [candidate.driver for candidate in advice.candidates if candidate.recommended]
    if len(recommended) > 1:
        text = f"{len(recommended)} drivers recommended for one booking"
        found.append(Violation(Fault.RECOMMENDATION_WRONG, where, text))
    for driver in recommended:
        if pick is None or pick[1].driver != driver:
            text = f"driver row {driver} is recommended, but no pick says so"
            found.append(Violation(Fault.RECOMMENDATION_WRONG, where, text))
    listed = [candidate.driver for candidate in advice.candidates]
    if pick is not None and pick[1].driver in listed and pick[1].driver not in recommended:
        text = f"picks[{pick[0]}] takes driver row {pick[1].driver}, which is not recommended"
        found.append(Violation(Fault.RECOMMENDATION_WRONG, where, text))
    return found


def _waiting(snapshot: Snapshot, decision: Decision) -> list[Violation]:
    if decision.picks:
        return []
    return [
        Violation(Fault.DECIDE_BY_WRONG, f"bookings[{number}]", f"waits, although decide_by is {advice.decide_by}")
        for number, advice in enumerate(decision.bookings)
        if advice.decide_by is not None and advice.candidates and advice.decide_by <= snapshot.now + EPSILON_MIN
    ]
