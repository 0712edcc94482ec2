"""A real grpc server on a loopback port whose answers are laid down by the test, call by call."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from qdispatch_client.stubs.v1 import (
    admin_service_pb2,
    admin_service_pb2_grpc,
    dispatch_service_pb2,
    dispatch_service_pb2_grpc,
)


@dataclass(frozen=True)
class Failure:
    """An answer that is an error, with these details in google.rpc.Status (none: a bare status)."""

    code: grpc.StatusCode
    message: str = ""
    details: tuple[Message, ...] = ()
    trailing_metadata: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True)
class Delay:
    """Answer only after this time, or when the call is over."""

    seconds: float
    answer: Message


@dataclass(frozen=True)
class Seen:
    """One call as it reached the server."""

    request: Any
    peer: str
    seconds_left: float | None


@dataclass
class Script:
    """What to answer next; the last answer is repeated."""

    answers: list[Message | Failure | Delay]
    seen: list[Seen] = field(default_factory=list)
    target: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: Any, context: Any) -> Any:
        """Record the call and give the next answer."""
        with self._lock:
            answer = self.answers[min(len(self.seen), len(self.answers) - 1)]
            self.seen.append(Seen(request, context.peer(), context.time_remaining()))
        if isinstance(answer, Delay):
            until = time.monotonic() + answer.seconds
            while context.is_active() and time.monotonic() < until:
                time.sleep(0.01)
            return answer.answer
        if isinstance(answer, Failure):
            _fail(answer, context)
        return answer


def _fail(failure: Failure, context: Any) -> None:
    if failure.trailing_metadata:
        context.set_trailing_metadata(failure.trailing_metadata)
    if not failure.details:
        context.abort(failure.code, failure.message)
    packed = []
    for detail in failure.details:
        packed.append(any_pb2.Any())
        packed[-1].Pack(detail)
    status = status_pb2.Status(code=failure.code.value[0], message=failure.message, details=packed)
    context.abort_with_status(rpc_status.to_status(status))


class _Dispatch(dispatch_service_pb2_grpc.DispatchServiceServicer):
    def __init__(self, script: Script) -> None:
        self._script = script

    def Suggest(self, request: dispatch_service_pb2.SuggestRequest, context: Any) -> Any:  # noqa: N802  # grpc's name
        return self._script.answer(request, context)


class _Admin(admin_service_pb2_grpc.AdminServiceServicer):
    def __init__(self, script: Script) -> None:
        self._script = script

    def GetStatus(self, request: admin_service_pb2.GetStatusRequest, context: Any) -> Any:  # noqa: N802
        return self._script.answer(request, context)

    def SetEnabled(self, request: admin_service_pb2.SetEnabledRequest, context: Any) -> Any:  # noqa: N802
        return self._script.answer(request, context)


@contextmanager
def scripted_server(*answers: Message | Failure | Delay) -> Iterator[Script]:
    """A server that gives these answers in turn; `target` of the script is its address."""
    script = Script(list(answers))
    server = grpc.server(ThreadPoolExecutor(max_workers=8))
    dispatch_service_pb2_grpc.add_DispatchServiceServicer_to_server(_Dispatch(script), server)
    admin_service_pb2_grpc.add_AdminServiceServicer_to_server(_Admin(script), server)
    script.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield script
    finally:
        server.stop(grace=None).wait()


def error_info(reason: str, **metadata: str) -> error_details_pb2.ErrorInfo:
    """ErrorInfo as the server sends it."""
    return error_details_pb2.ErrorInfo(reason=reason, domain="qdispatch", metadata=metadata)


def bad_request(*violations: tuple[str, str]) -> error_details_pb2.BadRequest:
    """BadRequest of (path, description) pairs."""
    rows = [error_details_pb2.BadRequest.FieldViolation(field=path, description=text) for path, text in violations]
    return error_details_pb2.BadRequest(field_violations=rows)


def retry_info(milliseconds: int) -> error_details_pb2.RetryInfo:
    """RetryInfo of this delay."""
    return error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(nanos=milliseconds * 1_000_000))
