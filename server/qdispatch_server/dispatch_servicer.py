"""DispatchService on the wire: convert, delegate, convert."""

from __future__ import annotations

import time

import grpc

from qdispatch_client.stubs.v1.dispatch_service_pb2 import SuggestRequest, SuggestResponse
from qdispatch_server import metrics
from qdispatch_server.admission import Admission
from qdispatch_server.answer_writer import write_answer
from qdispatch_server.calls import arrived_at, bind_request_id, parse, run_call
from qdispatch_server.errors import CallerGoneError, InvalidRequestError, Violation
from qdispatch_server.request_reader import read_request
from qdispatch_server.state.switch_board import SwitchBoard
from qdispatch_server.suggestion import Suggester, Suggestion

MICROS = 1e6
LONGEST_DEADLINE_SECONDS = 24 * 3600.0


class DispatchServicer:
    """Handlers take the request's bytes, so that bytes that are no message get INVALID_ARGUMENT too."""

    def __init__(self, suggester: Suggester, switches: SwitchBoard, admission: Admission) -> None:
        self._suggester = suggester
        self._switches = switches
        self._admission = admission

    def suggest(self, data: bytes, context: grpc.ServicerContext) -> SuggestResponse:
        """One snapshot to one answer."""
        return run_call("Suggest", context, lambda call_id: self._suggest(data, context, call_id))

    def _suggest(self, data: bytes, context: grpc.ServicerContext, call_id: str) -> SuggestResponse:
        remaining = context.time_remaining()
        if remaining > LONGEST_DEADLINE_SECONDS:  # grpc says "never" with a very distant instant
            raise InvalidRequestError([Violation("deadline", "Required: set a deadline of at most 24 h on the call.")])
        deadline = time.perf_counter() + remaining
        metrics.IN_FLIGHT.inc()
        try:
            with self._admission.turn(deadline):
                if not context.is_active():
                    raise CallerGoneError
                return self._answer(data, deadline, call_id)
        finally:
            metrics.IN_FLIGHT.dec()

    def _answer(self, data: bytes, deadline: float, call_id: str) -> SuggestResponse:
        arrived, begun = arrived_at(), time.perf_counter()
        question = read_request(parse(SuggestRequest, data))
        bind_request_id(question.request_id)
        decoded = time.perf_counter()
        company = self._switches.state_of(question.company_id)
        suggestion = self._suggester.suggest(question.snapshot, company, deadline)
        decided = time.perf_counter()
        answer = write_answer(question, suggestion, call_id)
        written = time.perf_counter()
        timing, stages = answer.timing, suggestion.stages
        timing.queue_micros = (begun - arrived) * MICROS
        timing.decode_micros = (decoded - begun) * MICROS
        timing.features_micros = stages.features * MICROS
        timing.inference_micros = stages.inference * MICROS
        timing.decision_micros = stages.decision * MICROS
        timing.encode_micros = (written - decided) * MICROS
        timing.total_micros = (written - arrived) * MICROS
        _count(answer, suggestion)
        return answer


def _count(answer: SuggestResponse, suggestion: Suggestion) -> None:
    for stage in metrics.STAGES:
        metrics.STAGE_SECONDS.labels(stage=stage).observe(getattr(answer.timing, f"{stage}_micros") / MICROS)
    fallback = suggestion.provenance.fallback
    source = "MODEL" if fallback is None else "HEURISTIC"
    metrics.ANSWERS.labels(source=source, reason="" if fallback is None else fallback.value).inc()
    if suggestion.provenance.precision is not None:
        metrics.MODEL_ANSWERS.labels(precision=suggestion.provenance.precision.value).inc()
    metrics.PICKS.inc(len(answer.picks))
