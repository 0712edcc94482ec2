"""Both clients against a real grpc server; each test runs for the synchronous and for the asyncio client."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any

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
    PermissionDeniedError,
    ResourceExhaustedError,
    UnavailableError,
    UnimplementedError,
    calls,
)
from qdispatch_client.stubs.v1 import admin_service_pb2, dispatch_service_pb2, suggestion_pb2
from tests.client.days import small_snapshot
from tests.client.filled_messages import filled
from tests.client.scripted_server import (
    Delay,
    Failure,
    Script,
    bad_request,
    error_info,
    retry_info,
    scripted_server,
)

Operation = Callable[[Any], Any]
Ask = Callable[..., Any]
SUGGESTED = filled(dispatch_service_pb2.SuggestResponse)


def _ask(target: str, operation: Operation, **settings: Any) -> Any:
    with Client(target, **settings) as client:
        return operation(client)


def _ask_asyncio(target: str, operation: Callable[[AsyncClient], Awaitable[Any]], **settings: Any) -> Any:
    async def run() -> Any:
        async with AsyncClient(target, **settings) as client:
            return await operation(client)

    return asyncio.run(run())


@pytest.fixture(params=[_ask, _ask_asyncio], ids=["sync", "asyncio"])
def ask(request: pytest.FixtureRequest) -> Ask:
    asking: Ask = request.param
    return asking


def suggest(client: Any, deadline_seconds: float = 10.0, request_id: str | None = None) -> Any:
    return client.suggest(
        small_snapshot(), company_id="company-1", deadline_seconds=deadline_seconds, request_id=request_id
    )


def failed(ask: Ask, script: Script, operation: Operation = suggest) -> CallError:
    with pytest.raises(CallError) as caught:
        ask(script.target, operation)
    return caught.value


def test_suggest_sends_the_snapshot_and_reads_the_answer(ask: Ask) -> None:
    with scripted_server(SUGGESTED) as script:
        answer = ask(script.target, suggest)
    (seen,) = script.seen
    assert answer == calls.SUGGESTION.decode(SUGGESTED)
    assert calls.SNAPSHOT.decode(seen.request.snapshot) == small_snapshot()
    assert seen.request.company_id == "company-1"
    assert 1 <= len(seen.request.request_id) <= 128


def test_the_deadline_reaches_the_server(ask: Ask) -> None:
    with scripted_server(SUGGESTED) as script:
        ask(script.target, lambda client: suggest(client, deadline_seconds=30.0))
    left = script.seen[0].seconds_left
    assert left is not None
    assert 0 < left < 31.0  # gRPC rounds a timeout up on the wire, here to a tenth of a second or so


def test_get_status(ask: Ask) -> None:
    message = filled(admin_service_pb2.GetStatusResponse)
    with scripted_server(message) as script:
        status = ask(script.target, lambda client: client.get_status(deadline_seconds=10, company_ids=["b", "a"]))
    assert status == calls.SERVER_STATUS.decode(message)
    assert list(script.seen[0].request.company_ids) == ["b", "a"]


def test_set_enabled(ask: Ask) -> None:
    message = filled(admin_service_pb2.SetEnabledResponse)
    with scripted_server(message) as script:
        switch = ask(
            script.target,
            lambda client: client.set_enabled("company-1", False, expected_revision=3, deadline_seconds=10),
        )
    assert switch == calls.COMPANY_SWITCH.decode(message.company)
    request = script.seen[0].request
    assert (request.company_id, request.enabled, request.expected_revision) == ("company-1", False, 3)


def test_unavailable_is_tried_again_with_the_same_request_id(ask: Ask) -> None:
    away = Failure(grpc.StatusCode.UNAVAILABLE, "draining", (error_info("NOT_SERVING"), retry_info(10)))
    with scripted_server(away, away, SUGGESTED) as script:
        ask(script.target, suggest)
    assert len(script.seen) == 3
    assert len({seen.request.request_id for seen in script.seen}) == 1


def test_a_switch_that_meets_unavailable_is_repeated_as_the_same_request(ask: Ask) -> None:
    with scripted_server(Failure(grpc.StatusCode.UNAVAILABLE), filled(admin_service_pb2.SetEnabledResponse)) as script:
        ask(
            script.target,
            lambda client: client.set_enabled("company-1", True, expected_revision=0, deadline_seconds=10),
        )
    assert [seen.request for seen in script.seen] == [script.seen[0].request] * 2


def test_tries_end(ask: Ask) -> None:
    with scripted_server(Failure(grpc.StatusCode.UNAVAILABLE, "draining", (retry_info(250),))) as script:
        error = failed(ask, script)
    assert isinstance(error, UnavailableError)
    assert error.retry_delay == timedelta(milliseconds=250)
    assert len(script.seen) == 4


@pytest.mark.parametrize(
    "code", [code for code in grpc.StatusCode if code not in (grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE)]
)
def test_nothing_but_unavailable_is_tried_again(ask: Ask, code: grpc.StatusCode) -> None:
    with scripted_server(Failure(code)) as script:
        assert failed(ask, script).code is code
    assert len(script.seen) == 1


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (grpc.StatusCode.CANCELLED, CallError),
        (grpc.StatusCode.UNKNOWN, InternalError),
        (grpc.StatusCode.INVALID_ARGUMENT, InvalidArgumentError),
        (grpc.StatusCode.DEADLINE_EXCEEDED, DeadlineExceededError),
        (grpc.StatusCode.NOT_FOUND, CallError),
        (grpc.StatusCode.ALREADY_EXISTS, CallError),
        (grpc.StatusCode.PERMISSION_DENIED, PermissionDeniedError),
        (grpc.StatusCode.UNAUTHENTICATED, PermissionDeniedError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, ResourceExhaustedError),
        (grpc.StatusCode.FAILED_PRECONDITION, CallError),
        (grpc.StatusCode.ABORTED, AbortedError),
        (grpc.StatusCode.OUT_OF_RANGE, InvalidArgumentError),
        (grpc.StatusCode.UNIMPLEMENTED, UnimplementedError),
        (grpc.StatusCode.INTERNAL, InternalError),
        (grpc.StatusCode.UNAVAILABLE, UnavailableError),
        (grpc.StatusCode.DATA_LOSS, InternalError),
    ],
)
def test_each_status_has_its_type(ask: Ask, code: grpc.StatusCode, expected: type[CallError]) -> None:
    with scripted_server(Failure(code, "the message", (error_info("SOME_REASON", key="value"),))) as script:
        error = failed(ask, script, lambda client: suggest(client, request_id="request-1"))
    assert type(error) is expected
    assert (error.message, error.reason, dict(error.metadata)) == ("the message", "SOME_REASON", {"key": "value"})
    assert error.request_id == "request-1"
    assert "SOME_REASON" in str(error)


def test_every_violation_is_named(ask: Ask) -> None:
    rows = [(f"snapshot.drivers[{i}].trips[{i}].pickup.latitude", "expected -90 to 90 " * 3) for i in range(300)]
    failure = Failure(grpc.StatusCode.INVALID_ARGUMENT, "invalid", (error_info("INVALID_REQUEST"), bad_request(*rows)))
    with scripted_server(failure) as script:
        error = failed(ask, script)
    assert error.violations == tuple(FieldViolation(*row) for row in rows)
    assert rows[299][0] in str(error)


def test_violations_that_did_not_fit_are_counted(ask: Ask) -> None:
    details = (error_info("INVALID_REQUEST", violations="34", request_id="call-1"), bad_request(("snapshot.now", "x")))
    with scripted_server(Failure(grpc.StatusCode.INVALID_ARGUMENT, "invalid", details)) as script:
        error = failed(ask, script)
    assert str(error).splitlines()[1:] == [
        "  snapshot.now: x",
        "  … 34 in all",
        "  the server's log has it as call-1",
    ]


def test_overload_says_when_to_come_back(ask: Ask) -> None:
    failure = Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "overloaded", (error_info("OVERLOADED"), retry_info(40)))
    with scripted_server(failure) as script:
        error = failed(ask, script)
    assert isinstance(error, ResourceExhaustedError)
    assert error.retry_delay == timedelta(milliseconds=40)


def test_a_lost_race_says_the_present_revision(ask: Ask) -> None:
    failure = Failure(grpc.StatusCode.ABORTED, "changed", (error_info("REVISION_MISMATCH", current_revision="12"),))
    with scripted_server(failure) as script:
        error = failed(
            ask,
            script,
            lambda client: client.set_enabled("company-1", True, expected_revision=3, deadline_seconds=10),
        )
    assert isinstance(error, AbortedError)
    assert error.current_revision == 12
    assert "the present revision is 12" in str(error)


@pytest.mark.parametrize(
    "failure",
    [
        Failure(grpc.StatusCode.INTERNAL, "from a proxy"),
        Failure(grpc.StatusCode.INTERNAL, "from a proxy", (), (("grpc-status-details-bin", b"\xff\xff\xff"),)),
    ],
    ids=["no details", "unreadable details"],
)
def test_an_error_without_readable_details_keeps_its_code_and_message(ask: Ask, failure: Failure) -> None:
    with scripted_server(failure) as script:
        error = failed(ask, script)
    assert isinstance(error, InternalError)
    assert (error.message, error.reason, error.violations, error.retry_delay) == ("from a proxy", "", (), None)


def test_no_answer_in_time(ask: Ask) -> None:
    with scripted_server(Delay(30.0, SUGGESTED)) as script, pytest.raises(DeadlineExceededError):
        ask(script.target, lambda client: suggest(client, deadline_seconds=0.3))
    assert len(script.seen) == 1


def test_nobody_listens(ask: Ask) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, never listening: connections are refused
        with pytest.raises(UnavailableError):
            ask(f"127.0.0.1:{taken.getsockname()[1]}", suggest)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_a_deadline_that_is_none_is_refused(ask: Ask, seconds: float) -> None:
    with scripted_server(SUGGESTED) as script, pytest.raises(ValueError, match="deadline_seconds"):
        ask(script.target, lambda client: suggest(client, deadline_seconds=seconds))
    assert script.seen == []


@pytest.mark.parametrize(
    "operation",
    [
        lambda client: client.suggest(small_snapshot(), company_id="company-1"),
        lambda client: client.get_status(),
        lambda client: client.set_enabled("company-1", True, expected_revision=0),
    ],
    ids=["suggest", "get_status", "set_enabled"],
)
def test_the_deadline_is_mandatory(ask: Ask, operation: Operation) -> None:
    with pytest.raises(TypeError, match="deadline_seconds"):
        ask("127.0.0.1:1", operation)


def test_an_answer_larger_than_four_mebibytes_is_read(ask: Ask) -> None:
    candidate = filled(suggestion_pb2.Candidate)
    advice = suggestion_pb2.BookingAdvice(booking_id="b", state=suggestion_pb2.BOOKING_STATE_OPEN)
    advice.candidates.extend([candidate] * 300)
    answer = filled(dispatch_service_pb2.SuggestResponse)
    answer.bookings.extend([advice] * 120)
    assert answer.ByteSize() > 5 * 2**20
    with scripted_server(answer) as script:
        assert len(ask(script.target, suggest).bookings) == 122


def test_channels_are_connections_of_their_own_taken_in_turn() -> None:
    with scripted_server(SUGGESTED) as script, Client(script.target, channels=3) as client:
        for _ in range(6):
            suggest(client)
    peers = [seen.peer for seen in script.seen]
    assert len(set(peers)) == 3
    assert peers[:3] == peers[3:]


def test_asyncio_channels_are_connections_of_their_own_taken_in_turn() -> None:
    async def six_calls(target: str) -> None:
        async with AsyncClient(target, channels=3) as client:
            for _ in range(6):
                await suggest(client)

    with scripted_server(SUGGESTED) as script:
        asyncio.run(six_calls(script.target))
    peers = [seen.peer for seen in script.seen]
    assert len(set(peers)) == 3
    assert peers[:3] == peers[3:]


def test_at_least_one_channel(ask: Ask) -> None:
    with pytest.raises(ValueError, match="channels"):
        ask("127.0.0.1:1", suggest, channels=0)


def test_threads_share_a_client() -> None:
    with (
        scripted_server(SUGGESTED) as script,
        Client(script.target, channels=2) as client,
        ThreadPoolExecutor(4) as pool,
    ):
        answers = list(pool.map(lambda _: suggest(client), range(40)))
    assert len(answers) == 40
    assert len({seen.request.request_id for seen in script.seen}) == 40


def test_asyncio_calls_overlap() -> None:
    async def both(target: str) -> list[Any]:
        async with AsyncClient(target) as client:
            slow = asyncio.create_task(suggest(client))
            while not script.seen:
                await asyncio.sleep(0.01)
            quick = await suggest(client)
            assert not slow.done()
            slow.cancel()
            return [quick]

    with scripted_server(Delay(30.0, SUGGESTED), SUGGESTED) as script:
        assert len(asyncio.run(both(script.target))) == 1


def test_the_clients_service_config_is_the_protocols() -> None:
    ours = resources.files("qdispatch_client").joinpath("service_config.json").read_bytes()
    root = Path(__file__).parents[2]
    assert ours == (root / "proto/qdispatch/v1/service_config.json").read_bytes()


def test_the_service_config_retries_unavailable_only_and_names_every_service() -> None:
    config = json.loads(dict(calls.channel_options(()))["grpc.service_config"])
    (method,) = config["methodConfig"]
    assert method["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]
    services = {
        service.full_name
        for stubs in (dispatch_service_pb2, admin_service_pb2)
        for service in stubs.DESCRIPTOR.services_by_name.values()
    }
    assert {name["service"] for name in method["name"]} == services
