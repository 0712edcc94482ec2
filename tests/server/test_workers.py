"""Several workers behind one port: shared state, summed metrics, restarts."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import grpc
import psutil

from qdispatch_client.stubs.v1 import admin_service_pb2, admin_service_pb2_grpc, provenance_pb2
from tests.server.requests import clinic_day, suggest
from tests.server.server_process import ServerProcess, channel_to, running_server, wait_until


def calls(server: ServerProcess) -> float:
    return server.sample("qdispatch_calls_total", method="Suggest", code="OK")


def channels_to_every_worker(server: ServerProcess, company: str = "company-1") -> dict[int, grpc.Channel]:
    """One connection to each worker: pid -> channel. A connection stays on the worker that accepted it."""
    found: dict[int, grpc.Channel] = {}
    deadline = time.monotonic() + 60
    while len(found) < len(server.worker_pids()):
        assert time.monotonic() < deadline, "no connection reached the other worker"
        channel = channel_to(server.address)
        grpc.channel_ready_future(channel).result(20)
        pid = _worker_of(server, known=set(found))
        if pid is None:
            channel.close()
        else:
            found[pid] = channel
    return found


def _worker_of(server: ServerProcess, known: set[int]) -> int | None:
    """The worker with one connection more than we hold on it."""
    port = int(server.address.rsplit(":", 1)[1])
    for pid in server.worker_pids():
        held = [
            connection
            for connection in psutil.Process(pid).net_connections(kind="tcp")
            if connection.status == psutil.CONN_ESTABLISHED and connection.laddr.port == port
        ]
        if held and pid not in known:
            return pid
    return None


def test_the_sums_over_workers_equal_the_calls_made_before_and_after_one_is_killed(tmp_path: Path) -> None:
    with running_server(tmp_path, workers=2) as server:
        channels = channels_to_every_worker(server)
        first, second = sorted(channels)
        for _ in range(7):
            suggest(channels[first], clinic_day())
        for _ in range(5):
            suggest(channels[second], clinic_day())
        assert calls(server) == 12
        assert server.sample("qdispatch_serving_workers") == 2
        answers = {"source": "HEURISTIC", "reason": "MODEL_UNAVAILABLE"}
        assert server.sample("qdispatch_answers_total", **answers) == 12
        assert server.sample("qdispatch_suggest_duration_seconds_count") == 12
        for stage in ("queue", "decode", "features", "inference", "decision", "encode"):
            assert server.sample("qdispatch_suggest_stage_duration_seconds_count", stage=stage) == 12

        os.kill(second, signal.SIGKILL)
        wait_until(lambda: second not in server.worker_pids(), 20, "the killed worker is gone")
        assert calls(server) == 12
        wait_until(lambda: server.sample("qdispatch_worker_restarts_total") == 1, 20, "the death is counted")
        wait_until(lambda: server.sample("qdispatch_serving_workers") == 2, 60, "another worker serves in its place")
        assert calls(server) == 12
        for _ in range(3):
            suggest(channels[first], clinic_day())  # the other worker was never disturbed
        third = next(pid for pid in server.worker_pids() if pid != first)
        fresh = channels_to_every_worker(server)[third]
        for _ in range(4):
            suggest(fresh, clinic_day())
        assert calls(server) == 19
        assert server.sample("qdispatch_answers_total", **answers) == 19
        assert server.sample("qdispatch_in_flight_calls") == 0

        stub = admin_service_pb2_grpc.AdminServiceStub(fresh)
        status = stub.GetStatus(admin_service_pb2.GetStatusRequest(), timeout=10)
        assert [row.answers for row in status.answers] == [19]
        assert status.workers == 2
        for channel in (*channels.values(), fresh):
            channel.close()


def test_a_switch_written_on_one_worker_is_obeyed_by_the_other(tmp_path: Path, tiny_bundle: Path) -> None:
    with running_server(tmp_path, workers=2, bundle_dir=tiny_bundle) as server:
        one, other = channels_to_every_worker(server).values()
        assert suggest(other, clinic_day()).provenance.source == provenance_pb2.SOURCE_MODEL
        for revision, enabled in enumerate((False, True, False)):
            request = admin_service_pb2.SetEnabledRequest(
                request_id=f"r{revision}", company_id="company-1", enabled=enabled, expected_revision=revision
            )
            admin_service_pb2_grpc.AdminServiceStub(one).SetEnabled(request, timeout=10)
            expected = provenance_pb2.SOURCE_MODEL if enabled else provenance_pb2.SOURCE_HEURISTIC
            assert suggest(one, clinic_day()).provenance.source == expected  # the writer itself at once
            wait_until(
                lambda expected=expected: suggest(other, clinic_day()).provenance.source == expected,
                10,
                "the other worker obeys",
            )
        one.close()
        other.close()


def test_a_worker_that_keeps_dying_is_started_again_ever_more_slowly(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        for deaths in (1, 2):
            wait_until(lambda: server.sample("qdispatch_serving_workers") == 1, 60, "a worker serves")
            (pid,) = server.worker_pids()
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda n=deaths: server.sample("qdispatch_worker_restarts_total") == n, 20, "it is counted")
        wait_until(lambda: server.sample("qdispatch_serving_workers") == 1, 60, "a worker serves")
        delays = [
            part.split("=")[1]
            for line in server.log().splitlines()
            for part in line.split()
            if part.startswith("restart_in_seconds=")
        ]
        assert delays == ["0.2", "0.4"]
        with channel_to(server.address) as channel:
            suggest(channel, clinic_day())


def test_workers_end_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    with running_server(tmp_path, workers=2) as server:
        workers = server.worker_pids()
        server.process.kill()
        server.process.wait(10)
        wait_until(lambda: not any(psutil.pid_exists(pid) for pid in workers), 30, "the workers are gone")
