"""The one table from domain errors to gRPC statuses with google.rpc details; a test walks every row."""

from __future__ import annotations

from dataclasses import dataclass

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from qdispatch_server.errors import (
    CallerGoneError,
    DeadlineUnreachableError,
    InvalidRequestError,
    NotServingError,
    OverloadedError,
    RequestIdReusedError,
    RevisionMismatchError,
    ServerError,
    StateUnavailableError,
)

DOMAIN = "qdispatch"
# A status travels in headers, and callers refuse headers above 8 KiB: what does not fit is counted, not listed.
MAX_DETAIL_BYTES = 4_000


@dataclass(frozen=True, slots=True)
class Row:
    """How one kind of error looks on the wire."""

    code: grpc.StatusCode
    reason: str
    text: str


TABLE: dict[type[ServerError], Row] = {
    InvalidRequestError: Row(
        grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", "The request is invalid; see the field violations."
    ),
    OverloadedError: Row(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", "Overloaded; try again after the delay."),
    DeadlineUnreachableError: Row(
        grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_UNREACHABLE", "The deadline passed before the work could start."
    ),
    NotServingError: Row(grpc.StatusCode.UNAVAILABLE, "NOT_SERVING", "The server is starting or draining."),
    StateUnavailableError: Row(
        grpc.StatusCode.UNAVAILABLE, "STATE_UNAVAILABLE", "The server cannot reach its database."
    ),
    RevisionMismatchError: Row(
        grpc.StatusCode.ABORTED, "REVISION_MISMATCH", "The expected revision is not the present one."
    ),
    RequestIdReusedError: Row(
        grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED", "This request id already names another change."
    ),
    CallerGoneError: Row(grpc.StatusCode.CANCELLED, "CALLER_GONE", "The caller is gone."),
}
INTERNAL = Row(grpc.StatusCode.INTERNAL, "INTERNAL", "Internal error; quote the request id.")


def status_of(error: ServerError | None, call_id: str) -> tuple[grpc.StatusCode, status_pb2.Status]:
    """The status of a domain error; `None` stands for the unknown one, of which nothing is told.

    `call_id` is the server's own name of the call, the one its log lines carry.
    """
    row = INTERNAL if error is None else TABLE[type(error)]
    number: int = row.code.value[0]
    status = status_pb2.Status(code=number, message=row.text)
    info = error_details_pb2.ErrorInfo(reason=row.reason, domain=DOMAIN, metadata={"request_id": call_id})
    details: list[Message] = [info]
    if isinstance(error, InvalidRequestError):
        info.metadata["violations"] = str(error.count)
        details.append(_bad_request(error))
    if isinstance(error, RevisionMismatchError):
        info.metadata["current_revision"] = str(error.current_revision)
    if isinstance(error, OverloadedError | NotServingError | StateUnavailableError):
        delay = Duration()
        delay.FromMicroseconds(round(error.retry_after_seconds * 1e6))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    for detail in details:
        status.details.add().Pack(detail)
    return row.code, status


def _bad_request(error: InvalidRequestError) -> error_details_pb2.BadRequest:
    listed = error_details_pb2.BadRequest()
    size = 0
    for violation in error.violations:
        size += len(violation.field) + len(violation.description) + 8
        if size > MAX_DETAIL_BYTES:
            break
        listed.field_violations.add(field=violation.field, description=violation.description)
    return listed
