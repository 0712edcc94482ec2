"""Run by test_floor_versions.py inside an environment that holds nothing but the client at its floor versions."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from importlib.metadata import version
from typing import Any

import grpc

import qdispatch_client
from qdispatch_client.stubs.v1 import dispatch_service_pb2, dispatch_service_pb2_grpc


class Echo(dispatch_service_pb2_grpc.DispatchServiceServicer):
    """Answers the first try of a request with UNAVAILABLE, and the second with its request id."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def Suggest(self, request: Any, context: Any) -> Any:  # noqa: N802  # grpc's name
        self.seen.append(request.request_id)
        if request.request_id == "wrong":
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "wrong")
        if self.seen.count(request.request_id) == 1:
            context.abort(grpc.StatusCode.UNAVAILABLE, "again")
        answer = dispatch_service_pb2.SuggestResponse(request_id=request.request_id)
        answer.provenance.decision_id = "decision-1"
        answer.timing.total_micros = 1.0
        return answer


async def ask_asyncio(target: str, snapshot: qdispatch_client.Snapshot) -> str:
    """The request id of an answer to the asyncio client."""
    async with qdispatch_client.AsyncClient(target) as client:
        answer = await client.suggest(snapshot, company_id="c", deadline_seconds=30, request_id="second")
    return answer.request_id


def main() -> int:
    """0 when both clients got their answers through a retry and the error had its type."""
    echo = Echo()
    server = grpc.server(ThreadPoolExecutor(4))
    dispatch_service_pb2_grpc.add_DispatchServiceServicer_to_server(echo, server)
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    now = datetime(2026, 11, 23, 8, 10, tzinfo=timezone.utc)  # noqa: UP017  # the floor is Python 3.10
    snapshot = qdispatch_client.Snapshot(now=now, time_zone="UTC", drivers=(), bookings=())
    with qdispatch_client.Client(target) as client:
        first = client.suggest(snapshot, company_id="c", deadline_seconds=30, request_id="first").request_id
        try:
            client.suggest(snapshot, company_id="c", deadline_seconds=30, request_id="wrong")
            kind = "no error"
        except qdispatch_client.InvalidArgumentError:
            kind = "InvalidArgumentError"
    second = asyncio.run(ask_asyncio(target, snapshot))
    server.stop(None).wait()
    print(version("grpcio"), version("protobuf"), first, second, kind, echo.seen)
    expected = ["first", "first", "wrong", "second", "second"]
    return 0 if (first, second, kind, echo.seen) == ("first", "second", "InvalidArgumentError", expected) else 1


if __name__ == "__main__":
    sys.exit(main())
