"""Answers of the real decoder, each with one claim made false, and the validator finding exactly that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from qdispatch_domain.decision import BookingAdvice, Candidate, Decision
from qdispatch_domain.decoder import decide
from qdispatch_domain.heuristics import CheapestInsertion
from qdispatch_domain.reasons import BookingGap, DriverGap, Refusal
from qdispatch_domain.snapshot import Snapshot
from qdispatch_domain.validator import Fault, validate_plan
from tests.domain.validator.tiny_fleet import CARL, PLACES, booking, driver, situation, trip

DAY = situation(
    booking("soon", 520.0),
    booking("later", 840.0),
    booking("nobody", 500.0, passengers=5),
    booking("not called", None, time_confirmed=False),
    booking("roomy", 820.0, passengers=3),
)
SOON, LATER, NOBODY, NOT_CALLED, ROOMY = range(5)


def _answer(snapshot: Snapshot) -> Decision:
    return decide(snapshot, CheapestInsertion(60.0))


ANSWER = _answer(DAY)


def _advice(row: int, **changed: object) -> Decision:
    rows = list(ANSWER.bookings)
    rows[row] = rows[row]._replace(**changed)  # type: ignore[arg-type]  # fields by name
    return replace(ANSWER, bookings=tuple(rows))


def _candidate(row: int, **changed: object) -> Decision:
    first, *rest = ANSWER.bookings[row].candidates
    return _advice(row, candidates=(first._replace(**changed), *rest))  # type: ignore[arg-type]  # fields by name


def _first(row: int) -> Candidate:
    return ANSWER.bookings[row].candidates[0]


def _one_more_driver(row: int, driver_row: int) -> Decision:
    extra = _first(row)._replace(driver=driver_row, position=0, recommended=False)
    return _advice(row, candidates=(*ANSWER.bookings[row].candidates, extra))


@dataclass(frozen=True)
class Row:
    reason: str
    broken: Callable[[], Decision]
    where: str
    fault: Fault


ROWS = [
    Row("two bookings and a row for one only", lambda: replace(ANSWER, bookings=ANSWER.bookings[:-1]),
        "bookings", Fault.MISSING),
    Row("one booking answered twice",
        lambda: replace(ANSWER, bookings=(*ANSWER.bookings, ANSWER.bookings[LATER])), "bookings[5]", Fault.DUPLICATE),
    Row("an answer for a booking that does not exist", lambda: _advice(LATER, booking=9),
        "bookings[1]", Fault.UNKNOWN_INDEX),
    Row("said to be open, but the patient has not called", lambda: _advice(NOT_CALLED, gap=BookingGap.OPEN),
        "bookings[3]", Fault.GAP_WRONG),
    Row("said to be expired", lambda: _advice(SOON, gap=BookingGap.EXPIRED), "bookings[0]", Fault.GAP_WRONG),
    Row("candidates of a booking that is not open",
        lambda: _advice(NOT_CALLED, candidates=ANSWER.bookings[SOON].candidates),
        "bookings[3]", Fault.CANDIDATE_INFEASIBLE),
    Row("said to be available", lambda: replace(ANSWER, driver_gaps=(DriverGap.NONE,) * 6),
        "driver_gaps[3]", Fault.GAP_WRONG),
    Row("a driver without a row", lambda: replace(ANSWER, driver_gaps=ANSWER.driver_gaps[:-1]),
        "driver_gaps", Fault.MISSING),
    Row("three passengers, bert has two seats", lambda: _one_more_driver(ROOMY, 1),
        "bookings[4].candidates[1]", Fault.CANDIDATE_INFEASIBLE),
    Row("bert's shift ends at 620", lambda: _one_more_driver(LATER, 1),
        "bookings[1].candidates[1]", Fault.CANDIDATE_INFEASIBLE),
    Row("the reserve beside a REGULAR driver on time", lambda: _one_more_driver(LATER, 2),
        "bookings[1].candidates[1]", Fault.EMERGENCY_NOT_NEEDED),
    Row("the same driver twice", lambda: _one_more_driver(LATER, _first(LATER).driver),
        "bookings[1].candidates[1]", Fault.DUPLICATE),
    Row("a driver who does not exist", lambda: _candidate(LATER, driver=17),
        "bookings[1].candidates[0]", Fault.UNKNOWN_INDEX),
    Row("a position that does not exist", lambda: _candidate(LATER, position=2),
        "bookings[1].candidates[0]", Fault.UNKNOWN_INDEX),
    Row("pickup", lambda: _candidate(LATER, pickup_time=841.0), "bookings[1].candidates[0]", Fault.PREDICTION_WRONG),
    Row("lateness", lambda: _candidate(LATER, lateness_min=0.01), "bookings[1].candidates[0]", Fault.PREDICTION_WRONG),
    Row("deadhead", lambda: _candidate(LATER, added_deadhead_min=0.0),
        "bookings[1].candidates[0]", Fault.PREDICTION_WRONG),
    Row("kilometres", lambda: _candidate(LATER, added_deadhead_km=10.0),
        "bookings[1].candidates[0]", Fault.PREDICTION_WRONG),
    Row("no kilometres, although the matrix has meters", lambda: _candidate(LATER, added_deadhead_km=None),
        "bookings[1].candidates[0]", Fault.PREDICTION_WRONG),
    Row("the gap", lambda: _candidate(LATER, resulting_gap=0.5), "bookings[1].candidates[0]", Fault.PREDICTION_WRONG),
    Row("not best first", lambda: _advice(SOON, candidates=ANSWER.bookings[SOON].candidates[::-1]),
        "bookings[0]", Fault.ORDER_WRONG),
    Row("sleeps after picks", lambda: replace(ANSWER, reevaluate_at=500.0), "reevaluate_at", Fault.REEVALUATE_WRONG),
    Row("trips", lambda: _candidate(LATER, resulting_trips=7), "bookings[1].candidates[0]", Fault.PREDICTION_WRONG),
    Row("not on time", lambda: _candidate(LATER, on_time=False), "bookings[1].candidates[0]", Fault.PREDICTION_WRONG),
    Row("a cost term", lambda: _candidate(LATER, cost=_first(LATER).cost._replace(spread=0.5)),
        "bookings[1].candidates[0]", Fault.COST_WRONG),
    Row("nobody listed, but anna can", lambda: _advice(LATER, candidates=(), refusals={Refusal.SEATS: 6}),
        "bookings[1]", Fault.REFUSAL_WRONG),
    Row("refusals of five drivers of six", lambda: _advice(NOBODY, refusals={
        Refusal.UNAVAILABLE: 1, Refusal.NO_SHIFT: 1, Refusal.POSITION_UNKNOWN: 1, Refusal.SEATS: 2}),
        "bookings[2]", Fault.REFUSAL_WRONG),
    Row("the wrong reason", lambda: _advice(NOBODY, refusals={
        Refusal.UNAVAILABLE: 1, Refusal.NO_SHIFT: 1, Refusal.POSITION_UNKNOWN: 1, Refusal.TIME_CONFLICT: 3}),
        "bookings[2]", Fault.REFUSAL_WRONG),
    Row("refusals beside candidates", lambda: _advice(LATER, refusals={Refusal.SEATS: 1}),
        "bookings[1]", Fault.REFUSAL_WRONG),
    Row("recommended, but not picked", lambda: _candidate(LATER, recommended=True),
        "bookings[1]", Fault.RECOMMENDATION_WRONG),
    Row("picked, but not recommended", lambda: _candidate(SOON, recommended=False),
        "bookings[0]", Fault.RECOMMENDATION_WRONG),
    Row("assign now, but not picked", lambda: _advice(LATER, assign_now=True),
        "bookings[1]", Fault.RECOMMENDATION_WRONG),
    Row("picked, but not assign now", lambda: _advice(SOON, assign_now=False),
        "bookings[0]", Fault.RECOMMENDATION_WRONG),
    Row("picks gone, recommendations left", lambda: replace(ANSWER, picks=()),
        "bookings[0]", Fault.RECOMMENDATION_WRONG),
    Row("decides too early", lambda: _advice(LATER, decide_by=829.9), "bookings[1]", Fault.DECIDE_BY_WRONG),
    Row("decides too late", lambda: _advice(LATER, decide_by=830.1), "bookings[1]", Fault.DECIDE_BY_WRONG),
    Row("no time to decide by", lambda: _advice(LATER, decide_by=None), "bookings[1]", Fault.DECIDE_BY_WRONG),
    Row("a time to decide by, though nobody can", lambda: _advice(NOBODY, decide_by=490.0),
        "bookings[2]", Fault.DECIDE_BY_WRONG),
]  # fmt: skip


def test_the_unbroken_answer_is_right() -> None:
    assert validate_plan(DAY, ANSWER) == []
    assert [pick.booking for pick in ANSWER.picks] == [SOON]
    assert [len(advice.candidates) for advice in ANSWER.bookings] == [2, 1, 0, 0, 1]
    assert ANSWER.bookings[LATER].decide_by == pytest.approx(830.0)  # 10 minutes before 840
    assert ANSWER.bookings[NOBODY].refusals == {
        Refusal.UNAVAILABLE: 1, Refusal.NO_SHIFT: 1, Refusal.POSITION_UNKNOWN: 1, Refusal.SEATS: 3
    }  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.reason)
def test_a_false_claim_is_found(row: Row) -> None:
    found = validate_plan(DAY, row.broken())
    assert (row.where, row.fault) in {(violation.where, violation.fault) for violation in found}, found


def test_a_position_that_is_not_the_cheapest_is_found() -> None:
    # in front of k0: no empty minute more (10 to k0 either way); behind it: 10 minutes back to place 0
    k0 = trip("k0", 540.0, dropoff=PLACES[1], pickup_service_min=0.0, dropoff_service_min=0.0)
    day = situation(booking("b", 505.0, pickup=PLACES[0], tolerance_min=50.0), drivers=(driver("anna", trips=(k0,)),))
    answer = _answer(day)
    best = answer.bookings[0].candidates[0]
    assert best.position == 0
    assert best.cost.total == pytest.approx(0.0)
    behind = best._replace(
        position=1,
        pickup_time=550.0,
        lateness_min=45.0,
        added_deadhead_min=10.0,
        added_deadhead_km=5.0,
        cost=best.cost._replace(deadhead=10.0),
        recommended=False,
    )
    broken = replace(answer, bookings=(answer.bookings[0]._replace(candidates=(behind,), assign_now=False),), picks=())
    found = [v.fault for v in validate_plan(day, broken) if v.where == "bookings[0].candidates[0]"]
    assert found == [Fault.POSITION_NOT_BEST]


def test_waiting_past_the_last_instant_is_found() -> None:
    day = situation(booking("now", 490.0))  # 10 minutes away: whoever leaves after 480 is late
    answer = _answer(day)
    assert validate_plan(day, answer) == []
    assert answer.picks
    waiting = tuple(_not_chosen(row) for row in answer.bookings)
    waits = replace(answer, picks=(), bookings=waiting, reevaluate_at=550.0)  # it expires at 550
    assert {v.fault for v in validate_plan(day, waits)} == {Fault.DECIDE_BY_WRONG}


def _not_chosen(advice: BookingAdvice) -> BookingAdvice:
    rows = tuple(candidate._replace(recommended=False) for candidate in advice.candidates)
    return advice._replace(candidates=rows, assign_now=False)


def test_the_reserve_is_refused_when_a_regular_driver_is_on_time_but_not_listed() -> None:
    # only the reserve is listed: the brute force looks at all drivers, not at the list
    day = situation(booking("b", 840.0), drivers=(CARL, driver("anna")))
    answer = _answer(day)
    listed = answer.bookings[0].candidates[0]
    reserve = listed._replace(driver=0, cost=listed.cost._replace(emergency=30.0, spread=0.0))
    broken = replace(answer, bookings=(answer.bookings[0]._replace(candidates=(reserve,)),))
    assert [v.fault for v in validate_plan(day, broken)] == [Fault.EMERGENCY_NOT_NEEDED]


@pytest.mark.parametrize(
    "instant, reason",
    [(None, "bookings are open"), (480.0, "not after now"), (625.1, "k0 ends at 625"), (959.0, "decide_by is 830")],
)
def test_an_event_slept_through_is_found(instant: float | None, reason: str) -> None:
    day = situation(booking("later", 840.0))
    answer = _answer(day)
    assert answer.picks == ()
    assert validate_plan(day, answer) == []
    found = validate_plan(day, replace(answer, reevaluate_at=instant))
    assert [violation.fault for violation in found] == [Fault.REEVALUATE_WRONG], reason


def test_once_the_driver_has_left_for_the_trip_behind_its_place_is_gone() -> None:
    # b fits in front of k0 only; until 595 its own 60 minutes would allow, but at 585 anna leaves for k0
    k0 = trip("k0", 600.0, tolerance_min=60.0)
    b = booking("b", 560.0, pickup=PLACES[0], dropoff=PLACES[1], tolerance_min=60.0)
    day = situation(b, drivers=(driver("anna", trips=(k0,)),))
    answer = decide(day, CheapestInsertion(5.0))
    assert answer.bookings[0].decide_by == pytest.approx(585.0)
    assert validate_plan(day, answer) == []
    later = replace(answer, bookings=(answer.bookings[0]._replace(decide_by=590.0),))
    assert {violation.fault for violation in validate_plan(day, later)} == {Fault.DECIDE_BY_WRONG}


def test_a_decide_by_slept_through_is_found() -> None:
    day = situation(booking("b", 600.0), drivers=(driver("a"),))
    answer = decide(day, CheapestInsertion(5.0))
    assert answer.reevaluate_at is not None
    assert answer.reevaluate_at <= 590.0  # 10 minutes before 600; nothing else happens before the booking expires
    found = validate_plan(day, replace(answer, reevaluate_at=591.0))
    assert [violation.fault for violation in found] == [Fault.REEVALUATE_WRONG]
