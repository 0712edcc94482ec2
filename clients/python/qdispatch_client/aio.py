"""The asyncio client: the same calls, awaited."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import grpc
import grpc.aio

from qdispatch_client import calls
from qdispatch_client.calls import Answer, Call, Stubs
from qdispatch_client.errors import call_error
from qdispatch_client.snapshot import Snapshot
from qdispatch_client.status import CompanySwitch, ServerStatus
from qdispatch_client.suggestion import Suggestion


class AsyncClient:
    """As `Client`, for one event loop; use it as an asynchronous context manager or await `close`."""

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
            grpc.aio.insecure_channel(target, settings)
            if credentials is None
            else grpc.aio.secure_channel(target, credentials, settings)
            for _ in range(calls.channel_count(channels))
        ]
        self._stubs = [Stubs.of(channel) for channel in self._channels]
        self._turn = itertools.count()

    async def suggest(
        self, snapshot: Snapshot, *, company_id: str, deadline_seconds: float, request_id: str | None = None
    ) -> Suggestion:
        """As `Client.suggest`."""
        return await self._send(calls.suggest(snapshot, company_id, request_id), deadline_seconds)

    async def get_status(self, *, deadline_seconds: float, company_ids: Iterable[str] = ()) -> ServerStatus:
        """As `Client.get_status`."""
        return await self._send(calls.get_status(company_ids), deadline_seconds)

    async def set_enabled(
        self,
        company_id: str,
        enabled: bool,
        *,
        expected_revision: int,
        deadline_seconds: float,
        request_id: str | None = None,
    ) -> CompanySwitch:
        """As `Client.set_enabled`."""
        call = calls.set_enabled(company_id, enabled, expected_revision, request_id)
        return await self._send(call, deadline_seconds)

    async def close(self) -> None:
        """Close the connections; calls still running are cancelled."""
        for channel in self._channels:
            await channel.close(None)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _send(self, call: Call[Answer], deadline_seconds: float) -> Answer:
        stubs = self._stubs[next(self._turn) % len(self._stubs)]
        try:
            response = await call.method(stubs)(call.request, timeout=calls.timeout(deadline_seconds))
        except grpc.RpcError as error:
            raise call_error(error.code(), error.details(), error.trailing_metadata(), call.request_id) from error
        return call.read(response)
