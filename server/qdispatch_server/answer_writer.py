"""`write_answer`: the domain's Decision to the wire's SuggestResponse."""

from __future__ import annotations

from datetime import timedelta

from qdispatch_bundle.manifest import Precision
from qdispatch_client.stubs.v1.dispatch_service_pb2 import SuggestResponse
from qdispatch_client.stubs.v1.provenance_pb2 import FallbackReason as ReasonNumber
from qdispatch_client.stubs.v1.provenance_pb2 import Provenance as ProvenanceMessage
from qdispatch_client.stubs.v1.provenance_pb2 import Source as SourceNumber
from qdispatch_client.stubs.v1.server_status_pb2 import Precision as PrecisionNumber
from qdispatch_client.stubs.v1.suggestion_pb2 import BookingAdvice as AdviceMessage
from qdispatch_client.stubs.v1.suggestion_pb2 import BookingState, DriverState, RefusalReason
from qdispatch_client.stubs.v1.suggestion_pb2 import Candidate as CandidateMessage
from qdispatch_client.stubs.v1.suggestion_pb2 import CostBreakdown as CostMessage
from qdispatch_domain.decision import BookingAdvice, Candidate, CostDelta
from qdispatch_domain.reasons import BookingGap, DriverGap, Refusal
from qdispatch_server.provenance import Fallback, Provenance
from qdispatch_server.request_reader import Question
from qdispatch_server.service_day import ServiceDay
from qdispatch_server.suggestion import Suggestion

BOOKING_STATES = {
    BookingGap.OPEN: BookingState.BOOKING_STATE_OPEN,
    BookingGap.NOT_READY: BookingState.BOOKING_STATE_NOT_READY,
    BookingGap.NO_SCHEDULED_TIME: BookingState.BOOKING_STATE_NO_SCHEDULED_TIME,
    BookingGap.NO_PICKUP: BookingState.BOOKING_STATE_NO_PICKUP,
    BookingGap.NO_DROPOFF: BookingState.BOOKING_STATE_NO_DROPOFF,
    BookingGap.EXPIRED: BookingState.BOOKING_STATE_EXPIRED,
}
DRIVER_STATES = {
    DriverGap.NONE: DriverState.DRIVER_STATE_CONSIDERED,
    DriverGap.UNAVAILABLE: DriverState.DRIVER_STATE_UNAVAILABLE,
    DriverGap.NO_SHIFT: DriverState.DRIVER_STATE_NO_SHIFT,
    DriverGap.POSITION_UNKNOWN: DriverState.DRIVER_STATE_POSITION_UNKNOWN,
}
REFUSALS = {
    Refusal.UNAVAILABLE: RefusalReason.REFUSAL_REASON_UNAVAILABLE,
    Refusal.NO_SHIFT: RefusalReason.REFUSAL_REASON_NO_SHIFT,
    Refusal.POSITION_UNKNOWN: RefusalReason.REFUSAL_REASON_POSITION_UNKNOWN,
    Refusal.PINNED: RefusalReason.REFUSAL_REASON_PINNED,
    Refusal.WHEELCHAIR: RefusalReason.REFUSAL_REASON_WHEELCHAIR,
    Refusal.SEATS: RefusalReason.REFUSAL_REASON_SEATS,
    Refusal.TOO_LATE: RefusalReason.REFUSAL_REASON_TOO_LATE,
    Refusal.SHIFT: RefusalReason.REFUSAL_REASON_SHIFT,
    Refusal.BREAK: RefusalReason.REFUSAL_REASON_BREAK,
    Refusal.TIME_CONFLICT: RefusalReason.REFUSAL_REASON_TIME_CONFLICT,
}
REASONS = {
    None: ReasonNumber.FALLBACK_REASON_UNSPECIFIED,
    Fallback.DISABLED: ReasonNumber.FALLBACK_REASON_DISABLED,
    Fallback.MODEL_UNAVAILABLE: ReasonNumber.FALLBACK_REASON_MODEL_UNAVAILABLE,
    Fallback.MODEL_LIMIT: ReasonNumber.FALLBACK_REASON_MODEL_LIMIT,
    Fallback.STATE_UNKNOWN: ReasonNumber.FALLBACK_REASON_STATE_UNKNOWN,
    Fallback.DEADLINE: ReasonNumber.FALLBACK_REASON_DEADLINE,
    Fallback.MODEL_FAILED: ReasonNumber.FALLBACK_REASON_MODEL_FAILED,
}
PRECISIONS = {
    None: PrecisionNumber.PRECISION_UNSPECIFIED,
    Precision.FP32: PrecisionNumber.PRECISION_FP32,
    Precision.INT8: PrecisionNumber.PRECISION_INT8,
}
NOTHING_BEHIND_MIN = 1e8  # a slack beyond this is no limit


def write_answer(question: Question, suggestion: Suggestion, decision_id: str) -> SuggestResponse:
    """The answer, its timing left empty. Rows keep the order of the snapshot."""
    answer = SuggestResponse(
        request_id=question.request_id,
        model_precision=PRECISIONS[suggestion.provenance.precision],
        search_moves=suggestion.provenance.search_moves,
    )
    answer.commit_ahead.FromTimedelta(timedelta(minutes=suggestion.provenance.commit_ahead_min))
    _write_provenance(suggestion.provenance, decision_id, answer.provenance)
    snapshot, decision, day = question.snapshot, suggestion.decision, question.day
    driver_ids = [driver.id for driver in snapshot.drivers]
    booking_ids = [booking.id for booking in snapshot.bookings]
    for advice in decision.bookings:
        row = answer.bookings.add(booking_id=booking_ids[advice.booking])
        _write_advice(advice, driver_ids, snapshot.now, day, row)
    for driver_id, gap in zip(driver_ids, decision.driver_gaps, strict=True):
        answer.drivers.add(driver_id=driver_id, state=DRIVER_STATES[gap])
    for pick in decision.picks:
        chosen = answer.picks.add(
            booking_id=booking_ids[pick.booking], driver_id=driver_ids[pick.driver], position=pick.position
        )
        day.write(pick.pickup_time, chosen.pickup_time)
        day.write(pick.promised_pickup_time, chosen.promised_pickup_time)
    if decision.reevaluate_at is not None:
        day.write(decision.reevaluate_at, answer.reevaluate_at)
    return answer


def _write_provenance(provenance: Provenance, decision_id: str, into: ProvenanceMessage) -> None:
    into.decision_id = decision_id
    into.source = SourceNumber.SOURCE_MODEL if provenance.fallback is None else SourceNumber.SOURCE_HEURISTIC
    into.fallback_reason = REASONS[provenance.fallback]
    into.heuristic = provenance.heuristic
    into.model_version = provenance.model_version
    into.feature_fingerprint = provenance.feature_fingerprint
    into.weights_digest = provenance.weights_digest


def _write_advice(
    advice: BookingAdvice, driver_ids: list[str], now: float, day: ServiceDay, into: AdviceMessage
) -> None:
    into.state = BOOKING_STATES[advice.gap]
    into.assign_now = advice.assign_now
    if advice.decide_by is not None:
        day.write(advice.decide_by, into.decide_by)
    for candidate in advice.candidates:
        _write_candidate(candidate, driver_ids, now, into.candidates.add())
    for refusal, drivers in advice.refusals.items():
        into.refusals.add(reason=REFUSALS[refusal], drivers=drivers)


def _write_candidate(candidate: Candidate, driver_ids: list[str], now: float, into: CandidateMessage) -> None:
    into.driver_id = driver_ids[candidate.driver]
    into.position = candidate.position
    into.pickup_eta_seconds = (candidate.pickup_time - now) * 60
    into.lateness_seconds = candidate.lateness_min * 60
    into.added_deadhead_seconds = candidate.added_deadhead_min * 60
    if candidate.added_deadhead_km is not None:
        into.added_deadhead_meters = candidate.added_deadhead_km * 1000
    if candidate.slack_min < NOTHING_BEHIND_MIN:
        into.slack_seconds = candidate.slack_min * 60
    _write_cost(candidate.cost, into.cost)
    into.resulting_trips = candidate.resulting_trips
    into.resulting_gap = candidate.resulting_gap
    into.on_time = candidate.on_time
    into.score = candidate.score
    if candidate.q_value is not None:
        into.q_value = candidate.q_value
    if candidate.advantage_min is not None:
        into.advantage_minutes = candidate.advantage_min
    into.recommended = candidate.recommended


def _write_cost(cost: CostDelta, into: CostMessage) -> None:
    into.deadhead_minutes = cost.deadhead
    into.lateness_minutes = cost.lateness
    into.downstream_lateness_minutes = cost.downstream_lateness
    into.emergency_minutes = cost.emergency
    into.driver_change_minutes = cost.driver_change
    into.spread_minutes = cost.spread
    into.total_minutes = cost.total
