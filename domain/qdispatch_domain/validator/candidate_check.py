"""The listed drivers of one booking, and the claim that nobody can."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from qdispatch_domain.decision import BookingAdvice, Candidate, CostDelta
from qdispatch_domain.reasons import Refusal
from qdispatch_domain.snapshot import DriverKind
from qdispatch_domain.validator.brute_force import (
    Insertion,
    best_insertion,
    cost_of,
    gap_with,
    insert,
    permitted_drivers,
    refusal,
    regular_on_time,
    unfit,
)
from qdispatch_domain.validator.situation import Situation
from qdispatch_domain.validator.violation import Fault, Violation

CLAIM_TOLERANCE = 1e-3  # minutes, minutes-equivalent or kilometres


def check_candidates(
    situation: Situation, advice: BookingAdvice, where: str, own_pass: Sequence[Situation] = ()
) -> list[Violation]:
    """Every candidate against the rules and its own figures, at the snapshot before any pick.

    A recommended row may describe the schedules of a later pass instead: `own_pass` holds the situations after
    0, 1, ... of the picks before its own, and one of them has to agree with it.
    """
    found: list[Violation] = []
    seen: set[int] = set()
    for number, candidate in enumerate(advice.candidates):
        here = f"{where}.candidates[{number}]"
        if candidate.driver in seen:
            found.append(Violation(Fault.DUPLICATE, here, f"driver row {candidate.driver} is listed twice"))
        seen.add(candidate.driver)
        wrong = _candidate(situation, advice.booking, candidate, here)
        if wrong and candidate.recommended:
            others = (_candidate(state, advice.booking, candidate, here) for state in own_pass)
            wrong = min((wrong, *others), key=len)
        found += wrong
    scores = [candidate.score for candidate in advice.candidates]
    if any(not earlier >= later for earlier, later in pairwise(scores)):
        found.append(Violation(Fault.ORDER_WRONG, where, f"scores {scores} are not best first"))
    return found


def check_refusals(situation: Situation, advice: BookingAdvice, where: str) -> list[Violation]:
    """Nobody listed: nobody can, and every driver is counted under the first reason that applies."""
    counted = sum(advice.refusals.values())
    if advice.candidates:
        if counted:
            return [Violation(Fault.REFUSAL_WRONG, where, f"{counted} refusals beside candidates")]
        return []
    booking = situation.snapshot.bookings[advice.booking]
    able = permitted_drivers(situation, booking)
    if able:
        ids = ", ".join(repr(situation.snapshot.drivers[row].id) for row in able)
        return [Violation(Fault.REFUSAL_WRONG, where, f"nobody listed for {booking.id!r}, but these can: {ids}")]
    reasons = (refusal(situation, booking, row) for row in range(len(situation.snapshot.drivers)))
    true = Counter(reason for reason in reasons if reason is not None)
    claimed = Counter({Refusal(reason): count for reason, count in advice.refusals.items() if count})
    if claimed == true:
        return []
    return [Violation(Fault.REFUSAL_WRONG, where, f"refusals {_names(claimed)}, by the rules {_names(true)}")]


def _names(counts: Counter[Refusal]) -> str:
    return "{" + ", ".join(f"{reason.name}: {count}" for reason, count in sorted(counts.items())) + "}"


def _candidate(situation: Situation, booking_row: int, candidate: Candidate, where: str) -> list[Violation]:
    snapshot = situation.snapshot
    booking = snapshot.bookings[booking_row]
    if not 0 <= candidate.driver < len(snapshot.drivers):
        return [Violation(Fault.UNKNOWN_INDEX, where, f"driver row {candidate.driver} of {len(snapshot.drivers)}")]
    forbidden = unfit(situation, booking, candidate.driver)
    if forbidden:
        return [Violation(Fault.CANDIDATE_INFEASIBLE, where, ", ".join(forbidden))]
    room = len(situation.trips(candidate.driver))
    if not 0 <= candidate.position <= room:
        return [Violation(Fault.UNKNOWN_INDEX, where, f"position {candidate.position} among {room} COMMITTED trips")]
    insertion = insert(situation, booking, candidate.driver, candidate.position)
    if not insertion.feasible:
        return [Violation(Fault.CANDIDATE_INFEASIBLE, where, ", ".join(insertion.faults))]
    found = _figures(situation, booking_row, candidate, insertion, where)
    emergency = snapshot.drivers[candidate.driver].kind is DriverKind.EMERGENCY
    # a recommended reserve may be permitted only by the picks before its own: the pick itself is checked for that
    if emergency and not candidate.recommended and regular_on_time(situation, booking) is not None:
        found.append(Violation(Fault.EMERGENCY_NOT_NEEDED, where, "a REGULAR driver can be on time"))
    return found


def _figures(
    situation: Situation, booking_row: int, candidate: Candidate, insertion: Insertion, where: str
) -> list[Violation]:
    booking = situation.snapshot.bookings[booking_row]
    if booking.scheduled_time is None:
        raise ValueError(f"Expected a scheduled_time of booking {booking.id!r}.")
    old, new = situation.timeline(candidate.driver), insertion.timeline
    true: dict[str, float] = {
        "pickup_time": insertion.pickup,
        "lateness_min": max(0.0, insertion.pickup - booking.scheduled_time),
        "added_deadhead_min": new.deadhead_min - old.deadhead_min,
        "resulting_trips": situation.legs_of(candidate.driver) + 1,
        "resulting_gap": gap_with(situation, candidate.driver),
    }
    found = []
    if old.deadhead_km is not None and new.deadhead_km is not None:
        true["added_deadhead_km"] = new.deadhead_km - old.deadhead_km
    elif candidate.added_deadhead_km is not None:
        text = f"added_deadhead_km {candidate.added_deadhead_km}, but the matrix has no meters"
        found.append(Violation(Fault.PREDICTION_WRONG, where, text))
    for name, value in true.items():
        claim = getattr(candidate, name)
        if claim is None or not abs(claim - value) <= CLAIM_TOLERANCE:
            text = f"{name} {claim}, by the rules {value:.6f}"
            found.append(Violation(Fault.PREDICTION_WRONG, where, text))
    if candidate.on_time != insertion.on_time:
        text = f"on_time {candidate.on_time}, pickup {insertion.pickup:.6f}"
        found.append(Violation(Fault.PREDICTION_WRONG, where, text))
    cost = cost_of(situation, booking, insertion)
    found += [
        Violation(Fault.COST_WRONG, where, f"{term} {claimed}, by the rules {value:.6f}")
        for term, claimed, value in _terms(candidate.cost, cost)
        if not abs(claimed - value) <= CLAIM_TOLERANCE
    ]
    best = best_insertion(situation, booking, candidate.driver)
    if best is not None and best[1].total < cost.total - CLAIM_TOLERANCE:
        text = f"position {candidate.position} costs {cost.total:.3f}, {best[0].position} costs {best[1].total:.3f}"
        found.append(Violation(Fault.POSITION_NOT_BEST, where, text))
    return found


def _terms(claimed: CostDelta, true: CostDelta) -> list[tuple[str, float, float]]:
    return list(zip(CostDelta._fields, claimed, true, strict=True))
