"""Every error that the server can send arrives at the client as its type, with all that the server said.

The server's own table and its own way to end a call, a real connection, the real clients.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NoReturn

import grpc
import pytest

from qdispatch_client import (
    AbortedError,
    AsyncClient,
    CallError,
    Client,
    DeadlineExceededError,
    FieldViolation,
    InternalError,
    InvalidArgumentError,
    ResourceExhaustedError,
    UnavailableError,
)
from qdispatch_server import errors
from qdispatch_server.calls import run_call
from qdispatch_server.error_table import INTERNAL, TABLE
from qdispatch_server.errors import ServerError, Violation

WRONG = [Violation("snapshot.bookings[3].pickup.latitude", "Expected -90 to 90."), Violation("company_id", "Required.")]
FAILURES: dict[str, tuple[Exception, type[CallError]]] = {
    "INVALID_REQUEST": (errors.InvalidRequestError(WRONG, 7), InvalidArgumentError),
    "OVERLOADED": (errors.OverloadedError(0.25), ResourceExhaustedError),
    "DEADLINE_UNREACHABLE": (errors.DeadlineUnreachableError(), DeadlineExceededError),
    "NOT_SERVING": (errors.NotServingError(0.5), UnavailableError),
    "STATE_UNAVAILABLE": (errors.StateUnavailableError(1.5), UnavailableError),
    "REVISION_MISMATCH": (errors.RevisionMismatchError(7), AbortedError),
    "REQUEST_ID_REUSED": (errors.RequestIdReusedError(), CallError),
    "CALLER_GONE": (errors.CallerGoneError(), CallError),
    "INTERNAL": (ZeroDivisionError("booking-secret at 46.2"), InternalError),
}


@contextmanager
def failing_server(failure: Exception) -> Iterator[str]:
    """Address of a server on which every GetStatus fails with `failure`, through the server's own error path."""

    def fail(_: str) -> NoReturn:
        raise failure

    def handle(request: bytes, context: grpc.ServicerContext) -> Any:
        return run_call("GetStatus", context, fail)

    handler = grpc.method_handlers_generic_handler(
        "qdispatch.v1.AdminService", {"GetStatus": grpc.unary_unary_rpc_method_handler(handle)}
    )
    server = grpc.server(ThreadPoolExecutor(max_workers=2), handlers=[handler])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(grace=None).wait()


def ask(target: str) -> None:
    with Client(target) as client:
        client.get_status(deadline_seconds=20)


def ask_asyncio(target: str) -> None:
    async def call() -> None:
        async with AsyncClient(target) as client:
            await client.get_status(deadline_seconds=20)

    asyncio.run(call())


def test_every_reason_of_the_server_is_tried_here() -> None:
    assert set(FAILURES) == {row.reason for row in TABLE.values()} | {INTERNAL.reason}
    assert {type(error) for error, _ in FAILURES.values() if isinstance(error, ServerError)} == set(TABLE)


@pytest.mark.parametrize("call", [ask, ask_asyncio], ids=["sync", "asyncio"])
@pytest.mark.parametrize("reason", FAILURES)
def test_the_client_reads_what_the_server_said(reason: str, call: Callable[[str], None]) -> None:
    failure, expected = FAILURES[reason]
    row = TABLE.get(type(failure), INTERNAL)  # type: ignore[arg-type]  # what is no ServerError is internal
    with failing_server(failure) as target, pytest.raises(CallError) as caught:
        call(target)
    error = caught.value
    assert type(error) is expected
    assert (error.code, error.reason, error.message) == (row.code, reason, row.text)
    assert len(error.metadata["request_id"]) == 32
    delay = getattr(failure, "retry_after_seconds", None)
    assert error.retry_delay == (None if delay is None else timedelta(seconds=delay))
    told = WRONG if isinstance(failure, errors.InvalidRequestError) else []
    assert error.violations == tuple(FieldViolation(each.field, each.description) for each in told)
    if isinstance(error, AbortedError):
        assert error.current_revision == 7
    if told:
        assert error.metadata["violations"] == "7"
        assert "7 in all" in str(error)
    assert "secret" not in str(error) + repr(error.metadata)
