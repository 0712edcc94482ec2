from __future__ import annotations

import grpc
import pytest

from qdispatch_server import errors
from qdispatch_server.error_table import DOMAIN, TABLE, status_of
from qdispatch_server.errors import ServerError, Violation
from tests.server.requests import error_info_of, retry_delay_of

ROWS: list[tuple[ServerError, grpc.StatusCode, str, float | None]] = [
    (
        errors.InvalidRequestError([Violation("a.b", "Required.")]),
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_REQUEST",
        None,
    ),
    (errors.OverloadedError(0.25), grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", 0.25),
    (errors.DeadlineUnreachableError(), grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_UNREACHABLE", None),
    (errors.NotServingError(0.5), grpc.StatusCode.UNAVAILABLE, "NOT_SERVING", 0.5),
    (errors.StateUnavailableError(1.5), grpc.StatusCode.UNAVAILABLE, "STATE_UNAVAILABLE", 1.5),
    (errors.RevisionMismatchError(7), grpc.StatusCode.ABORTED, "REVISION_MISMATCH", None),
    (errors.RequestIdReusedError(), grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED", None),
    (errors.CallerGoneError(), grpc.StatusCode.CANCELLED, "CALLER_GONE", None),
]


def test_every_server_error_has_a_row_and_every_row_is_walked_here() -> None:
    assert set(TABLE) == set(ServerError.__subclasses__()) == {type(error) for error, *_ in ROWS}


@pytest.mark.parametrize(("error", "code", "reason", "delay"), ROWS, ids=lambda value: type(value).__name__)
def test_row(error: ServerError, code: grpc.StatusCode, reason: str, delay: float | None) -> None:
    found, status = status_of(error, "call-1")
    assert (found, status.code) == (code, code.value[0])
    info = error_info_of(status)
    assert (info.reason, info.domain) == (reason, DOMAIN)
    assert info.metadata["request_id"] == "call-1"
    assert retry_delay_of(status) == delay
    assert status.message == TABLE[type(error)].text


def test_what_can_be_tried_again_always_says_when() -> None:
    for error, code, _, delay in ROWS:
        retryable = code in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE)
        assert retryable == (delay is not None), type(error).__name__


def test_the_unknown_is_a_constant_text() -> None:
    code, status = status_of(None, "call-1")
    assert code is grpc.StatusCode.INTERNAL
    assert status.message == "Internal error; quote the request id."
    assert error_info_of(status).metadata["request_id"] == "call-1"
    assert len(status.details) == 1


def test_a_revision_mismatch_tells_the_present_one() -> None:
    _, status = status_of(errors.RevisionMismatchError(7), "call-1")
    assert error_info_of(status).metadata["current_revision"] == "7"


def test_violations_are_listed_as_far_as_headers_allow_and_counted_beyond() -> None:
    many = [Violation(f"snapshot.bookings[{i}].pickup.latitude", "Expected -90 to 90.") for i in range(500)]
    _, status = status_of(errors.InvalidRequestError(many), "call-1")
    assert error_info_of(status).metadata["violations"] == "500"
    assert status.ByteSize() < 6_000  # base64 of it stays below the 8 KiB that callers accept
    assert status.ByteSize() > 3_000
