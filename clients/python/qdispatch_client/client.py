"""The synchronous client."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import grpc

from qdispatch_client import calls
from qdispatch_client.calls import Answer, Call, Stubs
from qdispatch_client.errors import call_error
from qdispatch_client.snapshot import Snapshot
from qdispatch_client.status import CompanySwitch, ServerStatus
from qdispatch_client.suggestion import Suggestion


class Client:
    """Asks one QDispatch server. Threads may share it; use it as a context manager or call `close`.

    target: address such as "127.0.0.1:50051". channels: connections taken in turn; one connection stays on one worker
    of the server, so a server with N workers wants at least N. credentials: of the channel; None: not encrypted.
    options: further grpc channel options.

    Every call needs `deadline_seconds`, which includes the retries: UNAVAILABLE is tried again a few times with the
    same `request_id`, nothing else is. A call that gives no answer raises a `CallError`.
    """

    def __init__(
        self,
        target: str,
        *,
        channels: int = 1,
        credentials: grpc.ChannelCredentials | None = None,
        options: Iterable[tuple[str, Any]] = (),
    ) -> None:
        settings = calls.channel_options(options)
        self._channels = [
            grpc.insecure_channel(target, settings)
            if credentials is None
            else grpc.secure_channel(target, credentials, settings)
            for _ in range(calls.channel_count(channels))
        ]
        self._stubs = [Stubs.of(channel) for channel in self._channels]
        self._turn = itertools.count()

    def suggest(
        self, snapshot: Snapshot, *, company_id: str, deadline_seconds: float, request_id: str | None = None
    ) -> Suggestion:
        """Which driver should take which booking, what that costs, and why nobody can."""
        return self._send(calls.suggest(snapshot, company_id, request_id), deadline_seconds)

    def get_status(self, *, deadline_seconds: float, company_ids: Iterable[str] = ()) -> ServerStatus:
        """What the server runs; the switches of these companies, or of every company ever switched."""
        return self._send(calls.get_status(company_ids), deadline_seconds)

    def set_enabled(
        self,
        company_id: str,
        enabled: bool,
        *,
        expected_revision: int,
        deadline_seconds: float,
        request_id: str | None = None,
    ) -> CompanySwitch:
        """Switch the model on or off for a company; AbortedError if its revision is not the expected one."""
        return self._send(calls.set_enabled(company_id, enabled, expected_revision, request_id), deadline_seconds)

    def close(self) -> None:
        """Close the connections; calls still running are cancelled."""
        for channel in self._channels:
            channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, call: Call[Answer], deadline_seconds: float) -> Answer:
        stubs = self._stubs[next(self._turn) % len(self._stubs)]
        try:
            response = call.method(stubs)(call.request, timeout=calls.timeout(deadline_seconds))
        except grpc.RpcError as error:
            raise call_error(error.code(), error.details(), error.trailing_metadata(), call.request_id) from error
        return call.read(response)
