"""What every call goes through, on a real gRPC server in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import grpc
import pytest
import structlog
from google.protobuf.empty_pb2 import Empty

from qdispatch_server.calls import CallPool, arrived_at, bind_request_id, parse, run_call
from qdispatch_server.errors import InvalidRequestError, OverloadedError, Violation
from qdispatch_server.log_events import configure_logging
from tests.server.requests import error_info_of, retry_delay_of, status_of

PATIENT = "patient-4711 at 46.20431"


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Without it, later tests of this process would log into the captured stream, which is closed by then."""
    yield
    structlog.reset_defaults()


@contextmanager
def answering(answer: Callable[[str], Empty]) -> Iterator[Callable[[], object]]:
    """A call that runs `answer` through `run_call`."""

    def handler(_: bytes, context: grpc.ServicerContext) -> Empty:
        return run_call("Suggest", context, answer)

    method = grpc.unary_unary_rpc_method_handler(handler, None, Empty.SerializeToString)
    server = grpc.server(CallPool(2))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Calls", {"Call": method}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            call = channel.unary_unary("/test.Calls/Call", bytes, bytes)
            yield lambda: call(b"", timeout=20)
    finally:
        server.stop(None).wait()


def test_an_unknown_exception_is_a_constant_text_with_the_name_the_log_has(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", worker=3)

    def fail(_: str) -> Empty:
        raise KeyError(PATIENT)

    with answering(fail) as call, pytest.raises(grpc.RpcError) as caught:
        call()
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert caught.value.details() == "Internal error; quote the request id."
    status = status_of(caught.value)
    assert PATIENT not in str(status)
    logged = capsys.readouterr().err
    assert PATIENT not in logged
    assert "4711" not in logged
    assert "exception=KeyError" in logged
    assert "test_calls.py" in logged  # where it happened
    assert f"call={error_info_of(status).metadata['request_id']}" in logged
    assert "worker=3" in logged


def test_a_domain_error_becomes_its_row_of_the_table() -> None:
    def fail(_: str) -> Empty:
        raise OverloadedError(0.75)

    with answering(fail) as call, pytest.raises(grpc.RpcError) as caught:
        call()
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert retry_delay_of(status_of(caught.value)) == 0.75


@pytest.mark.parametrize(
    ("request_id", "logged"),
    [
        ("6b3f0f0a-8f0e-4a53-9d9d-0d1c2b3a4f5e", True),
        ("6b3f0f0a8f0e4a539d9d0d1c2b3a4f5e", True),
        ("patient-4711", False),
        ("6b3f0f0a8f0e4a539d9d0d1c2b3a4f5e patient-4711", False),
    ],
)
def test_a_request_id_is_logged_only_when_it_can_carry_no_name(
    request_id: str, logged: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("debug")

    def answer(_: str) -> Empty:
        bind_request_id(request_id)
        return Empty()

    with answering(answer) as call:
        call()
    line = capsys.readouterr().err
    assert "event=call code=OK" in line
    assert (request_id in line) is logged


def test_what_one_call_binds_the_next_does_not_log(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("debug")
    ids = iter(["6b3f0f0a-8f0e-4a53-9d9d-0d1c2b3a4f5e"])

    def answer(_: str) -> Empty:
        for request_id in ids:
            bind_request_id(request_id)
        return Empty()

    with answering(answer) as call:
        for _ in range(5):
            call()
    assert capsys.readouterr().err.count("6b3f0f0a-8f0e-4a53-9d9d-0d1c2b3a4f5e") == 1


def test_the_pool_counts_who_is_inside_and_knows_when_they_came() -> None:
    with CallPool(1) as pool:
        before = arrived_at()
        first = pool.submit(arrived_at)
        assert first.result(20) >= before
        with pytest.raises(ZeroDivisionError):
            pool.submit(lambda: 1 / 0).result(20)
    assert pool.inside == 0


def test_parse_tells_which_message_was_expected() -> None:
    assert parse(Empty, b"") == Empty()
    with pytest.raises(InvalidRequestError) as caught:
        parse(Empty, b"\xff")
    assert caught.value.violations[0].description == "Expected a google.protobuf.Empty."


def test_the_id_a_refused_caller_is_told_stands_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", worker=0)

    def refuse(_: str) -> Empty:
        raise InvalidRequestError([Violation("snapshot", "Required.")])

    with answering(refuse) as call, pytest.raises(grpc.RpcError) as caught:
        call()
    logged = capsys.readouterr().err
    assert f"call={error_info_of(status_of(caught.value)).metadata['request_id']}" in logged
    assert "code=INVALID_ARGUMENT" in logged


def test_answers_and_shed_calls_do_not_fill_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", worker=0)

    def shed(_: str) -> Empty:
        raise OverloadedError(0.1)

    with answering(lambda _: Empty()) as call:
        call()
    with answering(shed) as call, pytest.raises(grpc.RpcError):
        call()
    assert capsys.readouterr().err == ""
