"""What can go wrong in a call, as types; the details of google.rpc.Status are decoded here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message

from qdispatch_client.stubs import rpc_status_pb2

_DETAILS_KEY = "grpc-status-details-bin"


@dataclass(frozen=True)
class FieldViolation:
    """One field of the request that is wrong."""

    field: str  # path, such as `snapshot.bookings[3].pickup.latitude`
    description: str


@dataclass(frozen=True)
class ErrorDetails:
    """What the server says of an error beside its code. All of it may be missing: a proxy may have answered."""

    message: str = ""
    reason: str = ""  # UPPER_SNAKE; compare this, never the message
    metadata: tuple[tuple[str, str], ...] = ()
    violations: tuple[FieldViolation, ...] = ()
    retry_delay: timedelta | None = None


class CallError(Exception):
    """A call that gave no answer. The subclass says what kind of failure it is, `reason` which one."""

    def __init__(self, code: grpc.StatusCode, details: ErrorDetails, request_id: str | None) -> None:
        self.code = code
        self.message = details.message
        self.reason = details.reason
        self.metadata: Mapping[str, str] = dict(details.metadata)
        self.violations = details.violations
        self.retry_delay = details.retry_delay
        self.request_id = request_id  # None for a call without one
        super().__init__(self._text())

    def _text(self) -> str:
        text = f"{self.code.name}{f' ({self.reason})' if self.reason else ''}: {self.message or 'no message'}"
        named = [f"  {violation.field}: {violation.description}" for violation in self.violations]
        total = self.metadata.get("violations", "")
        if total.isdecimal() and int(total) > len(named):
            named.append(f"  … {total} in all")
        if "current_revision" in self.metadata:
            named.append(f"  the present revision is {self.metadata['current_revision']}")
        if "request_id" in self.metadata:
            named.append(f"  the server's log has it as {self.metadata['request_id']}")
        return "\n".join([text, *named])


class InvalidArgumentError(CallError):
    """The request is wrong; `violations` names every field. Repeating it is useless."""


class ResourceExhaustedError(CallError):
    """The server is overloaded or the request too large; `retry_delay` says when to come back, if that helps."""


class UnavailableError(CallError):
    """No server can be reached, or it starts or drains; the client has retried already."""


class DeadlineExceededError(CallError):
    """No answer within the caller's deadline."""


class AbortedError(CallError):
    """Somebody else changed it first; for a switch `current_revision` is the present revision."""

    @property
    def current_revision(self) -> int | None:
        """The revision to try again with, if the server says it."""
        revision = self.metadata.get("current_revision", "")
        return int(revision) if revision.isdecimal() else None


class PermissionDeniedError(CallError):
    """The caller is not known or not allowed to do this."""


class UnimplementedError(CallError):
    """The server is older than this client, or no QDispatch server."""


class InternalError(CallError):
    """The server failed; report `metadata["request_id"]`, under which its log tells why."""


# Every code has its row: https://grpc.github.io/grpc/core/md_doc_statuscodes.html
ERROR_TYPES: Mapping[grpc.StatusCode, type[CallError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgumentError,
    grpc.StatusCode.OUT_OF_RANGE: InvalidArgumentError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhaustedError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceededError,
    grpc.StatusCode.ABORTED: AbortedError,
    grpc.StatusCode.UNAUTHENTICATED: PermissionDeniedError,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDeniedError,
    grpc.StatusCode.UNIMPLEMENTED: UnimplementedError,
    grpc.StatusCode.INTERNAL: InternalError,
    grpc.StatusCode.UNKNOWN: InternalError,
    grpc.StatusCode.DATA_LOSS: InternalError,
    grpc.StatusCode.CANCELLED: CallError,
    grpc.StatusCode.NOT_FOUND: CallError,
    grpc.StatusCode.ALREADY_EXISTS: CallError,
    grpc.StatusCode.FAILED_PRECONDITION: CallError,
}


def call_error(
    code: grpc.StatusCode,
    message: str | None,
    trailing_metadata: Iterable[Any] | None,
    request_id: str | None,
) -> CallError:
    """The typed error of what a failed call left behind; the metadata are pairs of key and text or bytes."""
    details = _decode(message or "", trailing_metadata or ())
    return ERROR_TYPES[code](code, details, request_id)


def _decode(message: str, trailing_metadata: Iterable[Any]) -> ErrorDetails:
    """The details of the status in the trailers; without any, or with unreadable ones, the message alone."""
    raw = next((value for key, value in trailing_metadata if key == _DETAILS_KEY), None)
    if not isinstance(raw, bytes):
        return ErrorDetails(message)
    info, bad, retry = rpc_status_pb2.ErrorInfo(), rpc_status_pb2.BadRequest(), rpc_status_pb2.RetryInfo()
    kinds: Mapping[str, Message] = {
        "google.rpc.ErrorInfo": info,
        "google.rpc.BadRequest": bad,
        "google.rpc.RetryInfo": retry,
    }
    try:
        for detail in rpc_status_pb2.Status.FromString(raw).details:
            kind = kinds.get(detail.type_url.rpartition("/")[2])
            if kind is not None:
                kind.MergeFromString(detail.value)
    except DecodeError:
        return ErrorDetails(message)
    return ErrorDetails(
        message=message,
        reason=info.reason,
        metadata=tuple(sorted(info.metadata.items())),
        violations=tuple(FieldViolation(row.field, row.description) for row in bad.field_violations),
        retry_delay=retry.retry_delay.ToTimedelta() if retry.HasField("retry_delay") else None,
    )
