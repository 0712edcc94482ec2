"""For every hard rule a pick that breaks it, worked out by hand on the tiny fleet, and found."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from qdispatch_domain.decision import Decision, Pick
from qdispatch_domain.snapshot import Break, Leg, Position, Snapshot, TripStatus
from qdispatch_domain.validator import Fault, validate_plan
from tests.domain.validator.tiny_fleet import ANNA, BERT, CARL, PLACES, booking, driver, situation, trip

AT_520 = booking("b", 520.0)  # 10 minutes away, so pickup on the dot; ends at 545
LATE_ANNA = replace(
    ANNA,
    # onboard until 480 + 5 + 10 + 10 + ... : picked up at 575, free at 600 at place 5, so k0 slips to 610
    trips=(
        trip("on", 575.0, status=TripStatus.ONBOARD, picked_up_at=575.0, dropoff=PLACES[5]),
        trip("k0", 600.0),
    ),
)


def faults(snapshot: Snapshot, *picks: Pick) -> list[tuple[str, Fault]]:
    """What the validator says about the picks alone (the answer has no rows for the bookings)."""
    decision = Decision(bookings=(), picks=picks, driver_gaps=(), reevaluate_at=None)
    return [(v.where, v.fault) for v in validate_plan(snapshot, decision) if v.where.startswith("picks")]


@dataclass(frozen=True)
class Row:
    reason: str
    snapshot: Snapshot
    pick: Pick
    found: set[Fault]


ROWS = [
    Row("a wheelchair needs a vehicle with access", situation(replace(AT_520, wheelchair=True)),
        Pick(0, 1, 0, 520.0, 520.0), {Fault.WHEELCHAIR}),
    Row("three passengers do not fit on two seats", situation(replace(AT_520, passengers=3)),
        Pick(0, 1, 0, 520.0, 520.0), {Fault.SEATS}),
    Row("pinned to another driver", situation(replace(AT_520, pinned=True, current_driver_id="anna")),
        Pick(0, 1, 0, 520.0, 520.0), {Fault.PINNED}),
    Row("pinned, but to nobody", situation(replace(AT_520, pinned=True)), Pick(0, 1, 0, 520.0, 520.0), {Fault.PINNED}),
    Row("the driver is not available", situation(AT_520), Pick(0, 3, 0, 520.0, 520.0), {Fault.UNAVAILABLE}),
    Row("the driver has no shift", situation(AT_520), Pick(0, 4, 0, 520.0, 520.0), {Fault.NO_SHIFT}),
    Row("nobody knows where the driver is", situation(AT_520), Pick(0, 5, 0, 520.0, 520.0), {Fault.POSITION_UNKNOWN}),
    Row("a position of 16 minutes ago locates nobody",
        situation(AT_520, drivers=(driver("old", position=Position(PLACES[0], 464.0)),)),
        Pick(0, 0, 0, 520.0, 520.0), {Fault.POSITION_UNKNOWN}),
    Row("ends at 625, the shift ends at 620", situation(booking("b", 600.0)),
        Pick(0, 1, 0, 600.0, 600.0), {Fault.SHIFT}),
    Row("the drive home ends after the shift: 545 + 10 > 550",
        situation(AT_520, drivers=(driver("home", shift_end=550.0, end_location=PLACES[0]),)),
        Pick(0, 0, 0, 520.0, 520.0), {Fault.SHIFT}),
    Row("65 minutes late, 60 are permitted", situation(booking("b", 425.0)),
        Pick(0, 0, 0, 490.0, 490.0), {Fault.TOO_LATE}),
    Row("k0 was promised 600, with b before it it is 620", situation(booking("b", 585.0)),
        Pick(0, 0, 0, 585.0, 585.0), {Fault.PROMISE_BROKEN}),
    Row("k0 is late already (610), b would make it 645", situation(booking("b", 600.0), drivers=(LATE_ANNA,)),
        Pick(0, 0, 0, 610.0, 610.0), {Fault.PROMISE_BROKEN}),
    Row("works through the break 720-750: by the rules the pickup is at 760", situation(booking("b", 715.0)),
        Pick(0, 0, 1, 715.0, 715.0), {Fault.BREAK, Fault.PREDICTION_WRONG, Fault.PROMISE_WRONG}),
    Row("two trips at once: leaves at 595, k0 ends at 625", situation(booking("b", 600.0)),
        Pick(0, 0, 1, 605.0, 605.0), {Fault.OVERLAP, Fault.PREDICTION_WRONG, Fault.PROMISE_WRONG}),
    Row("a pickup before the scheduled time", situation(AT_520),
        Pick(0, 0, 0, 510.0, 520.0), {Fault.TOO_EARLY, Fault.PREDICTION_WRONG}),
    Row("the reserve, although bert is on time", situation(AT_520, drivers=(CARL, BERT)),
        Pick(0, 0, 0, 520.0, 520.0), {Fault.EMERGENCY_NOT_NEEDED}),
    Row("the reserve, although anna is on time behind her trip (not in front of it)",
        situation(booking("b", 640.0), drivers=(CARL, ANNA)), Pick(0, 0, 0, 640.0, 640.0),
        {Fault.EMERGENCY_NOT_NEEDED}),
    Row("the patient has not called", situation(replace(AT_520, time_confirmed=False)),
        Pick(0, 0, 0, 520.0, 520.0), {Fault.GAP_PICKED}),
    Row("no pickup place", situation(replace(AT_520, pickup=None)), Pick(0, 0, 0, 520.0, 520.0), {Fault.GAP_PICKED}),
    Row("expired at this very minute", situation(booking("b", 420.0)), Pick(0, 0, 0, 490.0, 490.0), {Fault.GAP_PICKED}),
    Row("no such booking", situation(AT_520), Pick(1, 0, 0, 520.0, 520.0), {Fault.UNKNOWN_INDEX}),
    Row("no such driver", situation(AT_520), Pick(0, -1, 0, 520.0, 520.0), {Fault.UNKNOWN_INDEX}),
    Row("no such position", situation(AT_520), Pick(0, 0, 2, 520.0, 520.0), {Fault.UNKNOWN_INDEX}),
    Row("a predicted pickup 0.01 min off", situation(AT_520), Pick(0, 0, 0, 520.01, 520.0), {Fault.PREDICTION_WRONG}),
    Row("a predicted pickup that is no number", situation(AT_520),
        Pick(0, 0, 0, float("nan"), 520.0), {Fault.PREDICTION_WRONG}),
    Row("on time: the scheduled time is promised, nothing later", situation(AT_520),
        Pick(0, 0, 0, 520.0, 521.0), {Fault.PROMISE_WRONG}),
    Row("late: the predicted pickup is promised, not the scheduled time", situation(booking("b", 470.0)),
        Pick(0, 0, 0, 490.0, 470.0), {Fault.PROMISE_WRONG}),
    Row("an earlier promise stands when the pickup is on time",
        situation(replace(AT_520, promised_pickup_time=515.0)), Pick(0, 0, 0, 520.0, 520.0), {Fault.PROMISE_WRONG}),
]  # fmt: skip

LEGAL = [
    Row("in front of k0", situation(AT_520), Pick(0, 0, 0, 520.0, 520.0), set()),
    Row("behind k0", situation(booking("b", 640.0)), Pick(0, 0, 1, 640.0, 640.0), set()),
    Row("ends exactly at the end of the shift", situation(booking("b", 595.0)), Pick(0, 1, 0, 595.0, 595.0), set()),
    Row("exactly 60 minutes late", situation(booking("b", 430.0)), Pick(0, 0, 0, 490.0, 490.0), set()),
    Row("a return within its 15 minutes keeps its scheduled time", situation(booking("b", 476.0, leg=Leg.RETURN)),
        Pick(0, 0, 0, 490.0, 476.0), set()),
    Row("a late one with a later promise keeps that", situation(booking("b", 470.0, promised_pickup_time=500.0)),
        Pick(0, 0, 0, 490.0, 500.0), set()),
    Row("after the break", situation(booking("b", 715.0)), Pick(0, 0, 1, 760.0, 760.0), set()),
    Row("a late k0 may stay as late as it is", situation(booking("b", 700.0), drivers=(LATE_ANNA,)),
        Pick(0, 0, 1, 760.0, 760.0), set()),
    Row("on the way to the late k0, without making it later", situation(
        booking("b", 600.0, pickup=PLACES[5], dropoff=PLACES[1], pickup_service_min=0.0, dropoff_service_min=0.0),
        drivers=(LATE_ANNA,)), Pick(0, 0, 0, 600.0, 600.0), set()),
    Row("k0 runs over the shift by 5 minutes with b and without", situation(AT_520,
        drivers=(replace(ANNA, shift_end=620.0),)), Pick(0, 0, 0, 520.0, 520.0), set()),
    Row("the reserve, because nobody else is on time", situation(booking("b", 490.0),
        drivers=(CARL, driver("far", position=Position(PLACES[5], 480.0), breaks=(Break(480.0, 485.0),)))),
        Pick(0, 0, 0, 490.0, 490.0), set()),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.reason)
def test_a_broken_rule_is_found_and_nothing_else(row: Row) -> None:
    assert set(faults(row.snapshot, row.pick)) == {("picks[0]", fault) for fault in row.found}


@pytest.mark.parametrize("row", LEGAL, ids=lambda row: row.reason)
def test_a_legal_pick_is_left_alone(row: Row) -> None:
    assert faults(row.snapshot, row.pick) == []


def test_one_booking_picked_twice() -> None:
    picks = (Pick(0, 0, 0, 520.0, 520.0), Pick(0, 1, 0, 520.0, 520.0))
    assert faults(situation(AT_520), *picks) == [("picks[1]", Fault.DUPLICATE)]


def test_a_driver_may_be_picked_twice_when_the_positions_count_the_first_pick() -> None:
    day = situation(AT_520, booking("c", 640.0))
    first = Pick(0, 0, 0, 520.0, 520.0)
    assert faults(day, first, Pick(1, 0, 2, 640.0, 640.0)) == []
    # position 1 was right before the first pick: now it stands in front of k0, which would move from 600 to 675
    assert ("picks[1]", Fault.PROMISE_BROKEN) in faults(day, first, Pick(1, 0, 1, 640.0, 640.0))


def test_the_reserve_is_looked_at_again_after_every_pick() -> None:
    bert_only = situation(AT_520, booking("c", 525.0), drivers=(CARL, replace(BERT, shift_end=560.0)))
    reserve = Pick(1, 0, 0, 525.0, 525.0)
    assert faults(bert_only, reserve) == [("picks[0]", Fault.EMERGENCY_NOT_NEEDED)]
    assert faults(bert_only, Pick(0, 1, 0, 520.0, 520.0), reserve) == []
