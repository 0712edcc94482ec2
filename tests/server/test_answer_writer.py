from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from qdispatch_bundle.manifest import Precision
from qdispatch_client.stubs.v1 import provenance_pb2, server_status_pb2, suggestion_pb2
from qdispatch_client.stubs.v1.dispatch_service_pb2 import SuggestResponse
from qdispatch_domain.decision import BookingAdvice, Candidate, CostDelta, Decision, Pick
from qdispatch_domain.reasons import BookingGap, DriverGap, Refusal
from qdispatch_server import answer_writer
from qdispatch_server.answer_writer import write_answer
from qdispatch_server.provenance import Fallback, Provenance
from qdispatch_server.request_reader import Question, read_request
from qdispatch_server.suggestion import StageSeconds, Suggestion
from tests.server.full_request import fields_of, full_request, leaves

CANDIDATE = Candidate(
    driver=0,
    position=1,
    pickup_time=661.5,
    lateness_min=1.5,
    added_deadhead_min=7.25,
    added_deadhead_km=3.5,
    slack_min=12.0,
    cost=CostDelta(1.0, 2.0, 4.0, 8.0, 16.0, 32.0),
    resulting_trips=5,
    resulting_gap=1.25,
    on_time=True,
    score=-3.5,
    q_value=-41.0,
    advantage_min=2.5,
    recommended=True,
)
ADVICE = BookingAdvice(0, BookingGap.OPEN, (CANDIDATE,), 655.0, True, {Refusal.WHEELCHAIR: 1})
DECISION = Decision((ADVICE,), (Pick(0, 0, 1, 661.5, 660.0),), (DriverGap.NONE,), 600.0)
PROVENANCE = Provenance(Fallback.DISABLED, "cheapest-insertion", "v1", "f" * 64, "w" * 12, Precision.FP32, 7)


@pytest.fixture(scope="module")
def question() -> Question:
    return read_request(full_request())


def written(question: Question, decision: Decision = DECISION, provenance: Provenance = PROVENANCE) -> SuggestResponse:
    return write_answer(question, Suggestion(decision, provenance, StageSeconds()), "decision-1")


def test_every_field_of_the_answer_is_written(question: Question) -> None:
    answer = written(question)
    for field in answer.timing.DESCRIPTOR.fields:  # the servicer's business
        setattr(answer.timing, field.name, 1.0)
    found = {field.full_name for _, field, _ in leaves(answer)}
    # The answer's own zero cases: position 0 and the like are set above to something else.
    assert set(fields_of(SuggestResponse.DESCRIPTOR)) == found


def changed(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, BookingGap | DriverGap | Fallback | Precision):
        kinds = list(type(value))
        return kinds[(kinds.index(value) + 1) % len(kinds)]
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return value + "x"
    if isinstance(value, Mapping):
        return {Refusal.SEATS: 2}
    raise TypeError(type(value).__name__)


@pytest.mark.parametrize("name", [name for name in Candidate._fields if name not in ("driver", "cost")])
def test_every_field_of_a_candidate_shows(question: Question, name: str) -> None:
    other = CANDIDATE._replace(**{name: changed(getattr(CANDIDATE, name))})
    advice = ADVICE._replace(candidates=(other,))
    assert written(question, dataclasses.replace(DECISION, bookings=(advice,))) != written(question)


@pytest.mark.parametrize("name", CostDelta._fields)
def test_every_term_of_the_cost_shows_in_its_place(question: Question, name: str) -> None:
    cost = CANDIDATE.cost._replace(**{name: 1000.0})
    advice = ADVICE._replace(candidates=(CANDIDATE._replace(cost=cost),))
    shown = written(question, dataclasses.replace(DECISION, bookings=(advice,))).bookings[0].candidates[0].cost
    assert getattr(shown, f"{name}_minutes") == 1000.0
    assert shown.total_minutes == cost.total


@pytest.mark.parametrize("name", ["gap", "decide_by", "assign_now", "refusals"])
def test_every_field_of_an_advice_shows(question: Question, name: str) -> None:
    advice = ADVICE._replace(**{name: changed(getattr(ADVICE, name))})
    assert written(question, dataclasses.replace(DECISION, bookings=(advice,))) != written(question)


@pytest.mark.parametrize("name", ["position", "pickup_time", "promised_pickup_time"])
def test_every_field_of_a_pick_shows(question: Question, name: str) -> None:
    pick = dataclasses.replace(DECISION.picks[0], **{name: changed(getattr(DECISION.picks[0], name))})
    assert written(question, dataclasses.replace(DECISION, picks=(pick,))) != written(question)


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(Provenance)])
def test_every_field_of_the_provenance_shows(question: Question, name: str) -> None:
    provenance = dataclasses.replace(PROVENANCE, **{name: changed(getattr(PROVENANCE, name))})
    assert written(question, provenance=provenance) != written(question)


def test_units_and_instants(question: Question) -> None:
    answer = written(question)
    candidate = answer.bookings[0].candidates[0]
    assert candidate.driver_id == "driver-1"
    assert candidate.pickup_eta_seconds == 61.5 * 60  # now is minute 600
    assert (candidate.lateness_seconds, candidate.added_deadhead_seconds) == (90.0, 435.0)
    assert (candidate.added_deadhead_meters, candidate.slack_seconds) == (3500.0, 720.0)
    assert answer.picks[0].pickup_time.ToJsonString() == "2026-11-23T10:01:30Z"
    assert answer.picks[0].promised_pickup_time == question_time(question)
    assert answer.reevaluate_at.ToJsonString() == "2026-11-23T09:00:00Z"
    assert answer.bookings[0].decide_by.ToJsonString() == "2026-11-23T09:55:00Z"


def question_time(question: Question) -> Any:
    """The booking's own scheduled time, as it came."""
    assert question.snapshot.bookings[0].scheduled_time == 660.0
    return full_request().snapshot.bookings[0].scheduled_time


def test_what_is_absent_stays_absent(question: Question) -> None:
    bare = CANDIDATE._replace(
        q_value=None, advantage_min=None, added_deadhead_km=None, slack_min=1e9, recommended=False
    )
    advice = ADVICE._replace(candidates=(bare,), decide_by=None)
    answer = written(question, dataclasses.replace(DECISION, bookings=(advice,), reevaluate_at=None))
    candidate = answer.bookings[0].candidates[0]
    for name in ("q_value", "advantage_minutes", "added_deadhead_meters", "slack_seconds"):
        assert not candidate.HasField(name)
    assert not answer.HasField("reevaluate_at")
    assert not answer.bookings[0].HasField("decide_by")


def test_the_model_s_answer_names_no_fallback(question: Question) -> None:
    provenance = dataclasses.replace(PROVENANCE, fallback=None, heuristic="")
    shown = written(question, provenance=provenance).provenance
    assert (shown.source, shown.fallback_reason) == (provenance_pb2.SOURCE_MODEL, 0)


def test_every_precision_has_its_namesake_on_the_wire(question: Question) -> None:
    for precision, name in ((None, "UNSPECIFIED"), *((one, one.name) for one in Precision)):
        answer = written(question, provenance=dataclasses.replace(PROVENANCE, precision=precision))
        assert server_status_pb2.Precision.Name(answer.model_precision) == f"PRECISION_{name}"


@pytest.mark.parametrize(
    ("table", "domain", "wire", "prefix"),
    [
        (answer_writer.BOOKING_STATES, BookingGap, suggestion_pb2.BookingState, "BOOKING_STATE_"),
        (answer_writer.DRIVER_STATES, DriverGap, suggestion_pb2.DriverState, "DRIVER_STATE_"),
        (answer_writer.REFUSALS, Refusal, suggestion_pb2.RefusalReason, "REFUSAL_REASON_"),
        (answer_writer.REASONS, Fallback, provenance_pb2.FallbackReason, "FALLBACK_REASON_"),
    ],
)
def test_every_reason_of_the_domain_has_its_namesake_on_the_wire(
    table: Any, domain: Any, wire: Any, prefix: str
) -> None:
    named = {key: wire.Name(number) for key, number in table.items() if key is not None}
    assert set(named) == set(domain)
    for key, name in named.items():
        expected = "CONSIDERED" if key is DriverGap.NONE else key.name
        assert name == prefix + expected
    assert {0, *table.values()} == set(wire.values())
