"""Synchronous grpcio or grpc.aio: measures both flavours of the same server on this machine.

    python benchmarks/server_flavour.py            # all scenarios, a Markdown table

A Suggest is imitated by its size on the wire and by the processor time its handler takes (a calibrated mixture of
pure Python and numpy, 1 ms by default); the numbers decide the server's flavour, they promise nothing about Suggest.
Flavours: `sync` (a thread per call), `sync+turn` (a thread per call, the work itself one at a time), `aio` (the
work on the event loop), `aio+executor` (the work in a pool of 8 threads). The server runs in a process of its own;
callers run in this one, closed loop. Rounds are interleaved (sync, aio, sync, aio, …) so that a noisy neighbour meets
both. Results: docs/decisions/0003-sync-or-aio.md.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import statistics
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent import futures
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import grpc
import grpc.aio
import numpy as np
from google.protobuf import duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_status import rpc_status

REQUEST_BYTES = 6_000  # clinic-day snapshot: 4 drivers, 19 legs
ANSWER_BYTES = 9_000
SERVICE = "bench.Echo"
MAX_IN_FLIGHT = 16
THREADS = 96  # 64 streams hold a thread each in the synchronous server


def burn(milliseconds: float) -> bytes:
    """Spends about `milliseconds` of processor time, half in pure Python and half in numpy, as a Suggest does."""
    end = time.thread_time() + milliseconds / 1000
    matrix = np.ones((24, 24), np.float32)
    total = 0
    while time.thread_time() < end:
        total += sum(range(400))
        matrix = matrix @ matrix * np.float32(1e-3)
    return bytes(ANSWER_BYTES)


def shed_status() -> status_pb2.Status:
    """RESOURCE_EXHAUSTED with a RetryInfo of 50 ms."""
    status = status_pb2.Status(code=code_pb2.RESOURCE_EXHAUSTED, message="overloaded")
    detail = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(nanos=50_000_000))
    status.details.add().Pack(detail)
    return status


def _serve_sync(ready: Connection, work_ms: float, one_at_a_time: bool) -> None:
    gate = threading.Semaphore(MAX_IN_FLIGHT)
    # Waiting on a lock costs nothing; competing for the interpreter starves the thread that reads the socket.
    turn = threading.Semaphore(1 if one_at_a_time else MAX_IN_FLIGHT)

    def suggest(_request: bytes, context: grpc.ServicerContext) -> bytes:
        if not gate.acquire(blocking=False):
            context.abort_with_status(rpc_status.to_status(shed_status()))
        try:
            with turn:
                return burn(work_ms)
        finally:
            gate.release()

    def long_call(request: bytes, _context: grpc.ServicerContext) -> bytes:
        return burn(float(request))

    def stream(requests: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
        for _ in requests:
            yield burn(work_ms)

    server = grpc.server(futures.ThreadPoolExecutor(THREADS))
    handlers: dict[str, Any] = {
        "Suggest": grpc.unary_unary_rpc_method_handler(suggest),
        "Long": grpc.unary_unary_rpc_method_handler(long_call),
        "Stream": grpc.stream_stream_rpc_method_handler(stream),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    servicer = health.HealthServicer(experimental_non_blocking=True)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    ready.send(port)
    ready.recv()
    servicer.enter_graceful_shutdown()
    server.stop(1).wait()


def _serve_aio(ready: Connection, work_ms: float, executor_threads: int) -> None:
    pool = futures.ThreadPoolExecutor(executor_threads) if executor_threads else None

    async def work(milliseconds: float) -> bytes:
        if pool is None:
            return burn(milliseconds)
        return await asyncio.get_running_loop().run_in_executor(pool, burn, milliseconds)

    in_flight = 0

    async def suggest(_request: bytes, context: Any) -> bytes:
        nonlocal in_flight
        if in_flight >= MAX_IN_FLIGHT:
            status = rpc_status.to_status(shed_status())
            context.set_trailing_metadata(status.trailing_metadata)
            await context.abort(status.code, status.details, status.trailing_metadata)
        in_flight += 1
        try:
            return await work(work_ms)
        finally:
            in_flight -= 1

    async def long_call(request: bytes, _context: Any) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(None, burn, float(request))

    async def stream(requests: AsyncIterator[bytes], _context: Any) -> AsyncIterator[bytes]:
        async for _ in requests:
            yield await work(work_ms)

    async def main() -> None:
        server = grpc.aio.server()
        handlers: dict[str, Any] = {
            "Suggest": grpc.unary_unary_rpc_method_handler(suggest),
            "Long": grpc.unary_unary_rpc_method_handler(long_call),
            "Stream": grpc.stream_stream_rpc_method_handler(stream),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        servicer = health.aio.HealthServicer()  # type: ignore[attr-defined]  # its stubs do not know it
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
        await servicer.set("", health_pb2.HealthCheckResponse.SERVING)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        ready.send(port)
        await asyncio.to_thread(ready.recv)
        await server.stop(1)

    asyncio.run(main())


def serve(flavour: str, ready: Connection, work_ms: float) -> None:
    """Entry point of the server process; `ready` receives the port, and any message on it ends the server."""
    if flavour.startswith("sync"):
        _serve_sync(ready, work_ms, one_at_a_time=flavour == "sync+turn")
    else:
        _serve_aio(ready, work_ms, executor_threads=8 if flavour == "aio+executor" else 0)


@dataclass
class Sample:
    """What one run of one scenario saw."""

    latencies_ms: list[float] = field(default_factory=list)
    seconds: float = 0.0
    shed: int = 0
    shed_with_retry_info: int = 0
    shed_ms: list[float] = field(default_factory=list)

    def row(self) -> tuple[float, float, float]:
        """Calls per second, p50 and p99 in milliseconds."""
        values = np.asarray(self.latencies_ms)
        return len(values) / self.seconds, float(np.percentile(values, 50)), float(np.percentile(values, 99))


def open_channel(port: int, options: list[tuple[str, int]]) -> Any:
    """An asyncio channel of its own (its options differ from the others'); untyped, it carries plain bytes."""
    return grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options)


async def closed_loop(port: int, callers: int, seconds: float) -> Sample:
    """`callers` concurrent closed-loop callers, each on its own channel, for `seconds`."""
    sample = Sample()
    payload = bytes(REQUEST_BYTES)
    end = time.perf_counter() + seconds

    async def one(number: int) -> None:
        options = [("grpc.use_local_subchannel_pool", 1), ("bench.caller", number)]
        async with open_channel(port, options) as channel:
            call = channel.unary_unary(f"/{SERVICE}/Suggest")
            while time.perf_counter() < end:
                start = time.perf_counter()
                try:
                    await call(payload, timeout=5)
                    sample.latencies_ms.append((time.perf_counter() - start) * 1000)
                except grpc.aio.AioRpcError as error:
                    if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                        raise
                    sample.shed += 1
                    sample.shed_ms.append((time.perf_counter() - start) * 1000)
                    trailing: Any = error.trailing_metadata() or ()
                    sample.shed_with_retry_info += "grpc-status-details-bin" in dict(trailing)
                    await asyncio.sleep(0.02)

    start = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(callers)))
    sample.seconds = time.perf_counter() - start
    return sample


async def scenario(name: str, port: int, seconds: float) -> Sample:
    """Runs one named scenario against the server on `port`."""
    async with open_channel(port, [("bench.side", 1)]) as side:
        if name == "unary, 1 caller":
            return await closed_loop(port, 1, seconds)
        if name == "unary, 8 callers":
            return await closed_loop(port, 8, seconds)
        if name == "64 idle streams + 8 callers":
            streams = [side.stream_stream(f"/{SERVICE}/Stream")() for _ in range(64)]
            for stream in streams:
                await stream.write(b"x")
                await stream.read()
            sample = await closed_loop(port, 8, seconds)
            for stream in streams:
                stream.cancel()
            return sample
        if name == "64 health watchers + 8 callers":
            stub = health_pb2_grpc.HealthStub(side)
            watches = [stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(64)]
            for watch in watches:
                await watch.read()
            sample = await closed_loop(port, 8, seconds)
            for watch in watches:
                watch.cancel()
            return sample
        if name == "8 callers beside a 500 ms call":
            long_call = side.unary_unary(f"/{SERVICE}/Long")
            done = asyncio.Event()

            async def keep_busy() -> None:
                while not done.is_set():
                    await long_call(b"500", timeout=30)

            busy = asyncio.create_task(keep_busy())
            sample = await closed_loop(port, 8, seconds)
            done.set()
            await busy
            return sample
        if name == "overload: 64 callers, 16 in flight":
            return await closed_loop(port, 64, seconds)
    raise ValueError(f"unknown scenario {name!r}")


SCENARIOS = (
    "unary, 1 caller",
    "unary, 8 callers",
    "64 idle streams + 8 callers",
    "64 health watchers + 8 callers",
    "8 callers beside a 500 ms call",
    "overload: 64 callers, 16 in flight",
)


def measure(flavour: str, name: str, work_ms: float, seconds: float) -> Sample:
    """One scenario against a fresh server process."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=serve, args=(flavour, theirs, work_ms))
    process.start()
    try:
        port = ours.recv()
        return asyncio.run(scenario(name, port, seconds))
    finally:
        ours.send("stop")
        process.join(10)
        if process.is_alive():
            process.kill()


def main() -> None:
    """Runs every scenario for every flavour and prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work-ms", type=float, default=1.0)
    parser.add_argument("--flavours", nargs="+", default=["sync", "sync+turn", "aio", "aio+executor"])
    options = parser.parse_args()
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, grpcio {grpc.__version__}, work {options.work_ms} ms"
    )
    print("| scenario | flavour | calls/s | p50 ms | p99 ms | shed (with RetryInfo, p50 ms) |")
    print("|---|---|---:|---:|---:|---:|")
    for name in SCENARIOS:
        rounds: dict[str, list[Sample]] = {flavour: [] for flavour in options.flavours}
        for _ in range(options.rounds):
            for flavour in options.flavours:
                rounds[flavour].append(measure(flavour, name, options.work_ms, options.seconds))
        for flavour, samples in rounds.items():
            rate, p50, p99 = (statistics.median(column) for column in zip(*(s.row() for s in samples), strict=True))
            shed = sum(s.shed for s in samples)
            refused = [value for s in samples for value in s.shed_ms]
            detail = f"{sum(s.shed_with_retry_info for s in samples)}/{shed}, {np.median(refused):.1f}" if shed else "–"
            print(f"| {name} | {flavour} | {rate:,.0f} | {p50:.2f} | {p99:.2f} | {detail} |", flush=True)


if __name__ == "__main__":
    main()
