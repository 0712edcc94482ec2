"""What every call goes through, whatever it does: a name, log lines, counters, and the error table."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Callable
from concurrent import futures
from typing import Any, NoReturn, TypeVar

import grpc
import structlog
from google.protobuf.message import DecodeError, Message
from google.rpc import status_pb2
from grpc_status import rpc_status

from qdispatch_server import metrics
from qdispatch_server.error_table import status_of
from qdispatch_server.errors import (
    CallerGoneError,
    DeadlineUnreachableError,
    InvalidRequestError,
    NotServingError,
    OverloadedError,
    ServerError,
    Violation,
)

LOG = structlog.get_logger("qdispatch.call")
MessageT = TypeVar("MessageT", bound=Message)
AnswerT = TypeVar("AnswerT")
# A client's request id is logged only in a shape that cannot carry a name or a place.
UUID_SHAPE = re.compile(r"[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}")
SHED_REASONS: dict[type[ServerError], str] = {
    OverloadedError: "OVERLOADED",
    DeadlineUnreachableError: "DEADLINE_UNREACHABLE",
    NotServingError: "NOT_SERVING",
    CallerGoneError: "CALLER_GONE",
}
QUIET_CODES = ("OK", "RESOURCE_EXHAUSTED", "UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED")
_arrival = threading.local()


class CallPool(futures.ThreadPoolExecutor):
    """A thread pool that knows when each call came in (waiting for a thread is queueing), and how many are inside.

    A health Watch holds no thread and does not count.
    """

    def __init__(self, threads: int) -> None:
        super().__init__(threads, thread_name_prefix="call")
        self._inside = 0
        self._lock = threading.Lock()

    @property
    def inside(self) -> int:
        """Calls queued or running now."""
        return self._inside

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> futures.Future[Any]:
        """Queues `fn`; inside it, `arrived_at()` tells when."""
        with self._lock:
            self._inside += 1
        future = super().submit(_stamped, time.perf_counter(), fn, *args, **kwargs)
        future.add_done_callback(self._one_less)
        return future

    def _one_less(self, _: futures.Future[Any]) -> None:
        with self._lock:
            self._inside -= 1


def _stamped(arrived: float, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    _arrival.at = arrived
    return fn(*args, **kwargs)


def arrived_at() -> float:
    """When the call of this thread came in, an instant of `time.perf_counter`."""
    at: float = getattr(_arrival, "at", 0.0) or time.perf_counter()
    return at


def parse(kind: type[MessageT], data: bytes) -> MessageT:
    """Reads a message. Raises InvalidRequestError when the bytes are none (grpc itself would say INTERNAL)."""
    message = kind()
    try:
        message.ParseFromString(data)
    except DecodeError:
        raise InvalidRequestError([Violation("request", f"Expected a {kind.DESCRIPTOR.full_name}.")]) from None
    return message


def run_call(method: str, context: grpc.ServicerContext, answer: Callable[[str], AnswerT]) -> AnswerT:
    """Runs `answer(call_id)` and turns what it raises into a status; counts and logs the end of the call."""
    call_id = uuid.uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(method=method, call=call_id)
    started = arrived_at()
    failure: ServerError | None = None
    try:
        result = answer(call_id)
    except ServerError as error:
        failure = error
    except Exception as error:  # noqa: BLE001  the last resort at the edge: told as INTERNAL, logged by type and place
        LOG.error("call_failed", error_of=error)
    else:
        _finish(method, "OK", started)
        return result
    code, status = status_of(failure, call_id)
    if failure is not None and type(failure) in SHED_REASONS:
        metrics.SHED.labels(reason=SHED_REASONS[type(failure)]).inc()
    _finish(method, code.name, started)
    return _abort(context, status)


def bind_request_id(request_id: str) -> None:
    """Binds a client's request id to the log lines of this call, if it is shaped like a UUID."""
    if UUID_SHAPE.fullmatch(request_id):
        structlog.contextvars.bind_contextvars(request_id=request_id)


def _finish(method: str, code: str, started: float) -> None:
    seconds = time.perf_counter() - started
    metrics.CALLS.labels(method=method, code=code).inc()
    if method == "Suggest":
        metrics.SUGGEST_SECONDS.observe(seconds)
    # A refused caller is told the call's id, so the log must hold it; what was served or shed in bulk only in detail.
    level = LOG.debug if code in QUIET_CODES else LOG.info
    level("call", code=code, milliseconds=round(seconds * 1000, 3))


def _abort(context: grpc.ServicerContext, status: status_pb2.Status) -> NoReturn:
    context.abort_with_status(rpc_status.to_status(status))
    raise AssertionError("abort_with_status returned")
