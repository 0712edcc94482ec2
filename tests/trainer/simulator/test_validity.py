"""Played days against the independent validator, which shares no code with the kernel."""

import dataclasses

import pytest

from qdispatch_domain.validator import Fault, validate_day
from qdispatch_trainer.scenarios import SCENARIOS
from qdispatch_trainer.simulator.day_log import DayLog, day_record
from qdispatch_trainer.simulator.play import play
from tests.trainer.simulator.played import days_of, played, scorer

SMALL = [name for name, scenario in SCENARIOS.items() if scenario.max_bookings <= 60]


@pytest.mark.parametrize("policy", ["cheapest", "random"])
@pytest.mark.parametrize("scenario", SMALL)
def test_no_played_day_breaks_a_rule(scenario: str, policy: str) -> None:
    batch, log = played(scenario, policy, 3)
    for n in range(len(batch)):
        record = day_record(batch, n, log)
        assert record.decisions
        assert len(record.trips) + len(record.unserved) == len(record.bookings)
        assert [str(violation) for violation in validate_day(record)] == []


@pytest.mark.long
@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if name not in SMALL])
def test_no_large_day_breaks_a_rule(scenario: str) -> None:
    log = DayLog()
    batch = play(days_of(scenario, 1), scorer("cheapest"), log)
    assert [str(violation) for violation in validate_day(day_record(batch, 0, log))] == []


def test_the_record_holds_what_the_validator_needs() -> None:
    """Falsified records are caught: the validator really reads what the simulator writes."""
    batch, log = played("clinic-day", "cheapest", 3)
    record = day_record(batch, 0, log)
    trip = record.trips[0]
    late = dataclasses.replace(trip, departed_at=trip.departed_at - 30.0)
    faults = {v.fault for v in validate_day(dataclasses.replace(record, trips=(late, *record.trips[1:])))}
    assert Fault.TRAVEL_TIME in faults
    faults = {v.fault for v in validate_day(dataclasses.replace(record, decisions=record.decisions[1:]))}
    assert Fault.NOT_DECIDED in faults
