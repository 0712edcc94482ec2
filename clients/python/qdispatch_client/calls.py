"""Each call of the protocol once: its request, and how to read its answer. Both clients send these; only one awaits."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from qdispatch_client.codec import Codec
from qdispatch_client.snapshot import Snapshot
from qdispatch_client.status import CompanySwitch, ServerStatus
from qdispatch_client.stubs.v1 import (
    admin_service_pb2,
    admin_service_pb2_grpc,
    company_pb2,
    dispatch_service_pb2,
    dispatch_service_pb2_grpc,
    snapshot_pb2,
)
from qdispatch_client.suggestion import Suggestion

SNAPSHOT = Codec(Snapshot, snapshot_pb2.Snapshot)
SUGGESTION = Codec(Suggestion, dispatch_service_pb2.SuggestResponse)
SERVER_STATUS = Codec(ServerStatus, admin_service_pb2.GetStatusResponse)
COMPANY_SWITCH = Codec(CompanySwitch, company_pb2.CompanySwitch)

Answer = TypeVar("Answer")
_MAX_ANSWER_BYTES = 64 * 1024 * 1024  # grpc's own 4 MiB is less than the answer to the largest snapshot
_MAX_TRAILER_BYTES = 256 * 1024  # violations travel in the trailers; grpc's own 8 KiB holds about fifty


@dataclass(frozen=True)
class Stubs:
    """The services behind one channel, synchronous or not."""

    dispatch: dispatch_service_pb2_grpc.DispatchServiceStub
    admin: admin_service_pb2_grpc.AdminServiceStub

    @classmethod
    def of(cls, channel: Any) -> Stubs:
        """The services behind a `grpc.Channel` or a `grpc.aio.Channel`."""
        return cls(
            dispatch_service_pb2_grpc.DispatchServiceStub(channel), admin_service_pb2_grpc.AdminServiceStub(channel)
        )


@dataclass(frozen=True)
class Call(Generic[Answer]):
    """One call, ready to be sent through any channel, any number of times."""

    method: Callable[[Stubs], Any]
    request: Message
    read: Callable[[Any], Answer]
    request_id: str | None


def suggest(snapshot: Snapshot, company_id: str, request_id: str | None) -> Call[Suggestion]:
    """DispatchService.Suggest. Raises RowError for a snapshot that cannot be sent."""
    request = dispatch_service_pb2.SuggestRequest(request_id=request_id or _new_id(), company_id=company_id)
    SNAPSHOT.fill(snapshot, request.snapshot)
    return Call(lambda stubs: stubs.dispatch.Suggest, request, SUGGESTION.decode, request.request_id)


def get_status(company_ids: Iterable[str]) -> Call[ServerStatus]:
    """AdminService.GetStatus."""
    request = admin_service_pb2.GetStatusRequest(company_ids=company_ids)
    return Call(lambda stubs: stubs.admin.GetStatus, request, SERVER_STATUS.decode, None)


def set_enabled(company_id: str, enabled: bool, expected_revision: int, request_id: str | None) -> Call[CompanySwitch]:
    """AdminService.SetEnabled."""
    request = admin_service_pb2.SetEnabledRequest(
        request_id=request_id or _new_id(), company_id=company_id, enabled=enabled, expected_revision=expected_revision
    )

    def read(response: admin_service_pb2.SetEnabledResponse) -> CompanySwitch:
        return COMPANY_SWITCH.decode(response.company)

    return Call(lambda stubs: stubs.admin.SetEnabled, request, read, request.request_id)


def timeout(deadline_seconds: float) -> float:
    """The deadline, checked: a finite number of seconds above 0."""
    if not (math.isfinite(deadline_seconds) and deadline_seconds > 0):
        raise ValueError(f"deadline_seconds: expected a finite number above 0, got {deadline_seconds}")
    return deadline_seconds


def channel_options(own: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The options of every channel; `own` comes last and wins.

    Without the local subchannel pool grpc would put all channels to one address on one connection, and so on one
    worker of the server.
    """
    config = resources.files("qdispatch_client").joinpath("service_config.json").read_text("utf-8")
    return [
        ("grpc.service_config", json.dumps(json.loads(config))),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.max_receive_message_length", _MAX_ANSWER_BYTES),
        ("grpc.max_metadata_size", _MAX_TRAILER_BYTES),
        ("grpc.absolute_max_metadata_size", _MAX_TRAILER_BYTES),
        *own,
    ]


def channel_count(channels: int) -> int:
    """The number of channels, checked."""
    if channels < 1:
        raise ValueError(f"channels: expected at least 1, got {channels}")
    return channels


def _new_id() -> str:
    return uuid.uuid4().hex
