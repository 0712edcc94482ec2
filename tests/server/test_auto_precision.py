"""`precision = auto` in a real server: measured at the start, obeyed by every answer, told in status and metrics."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from qdispatch_bundle.loading import load_bundle
from qdispatch_bundle.manifest import Precision
from qdispatch_bundle.replay import situation_of
from qdispatch_client.command import main
from qdispatch_client.stubs.v1 import admin_service_pb2, admin_service_pb2_grpc, dispatch_service_pb2
from qdispatch_client.stubs.v1 import server_status_pb2 as wire
from qdispatch_domain.decoder import decide
from qdispatch_server.request_reader import read_request
from tests.server.requests import clinic_day, large_request, suggest
from tests.server.server_process import ServerProcess, channel_to, running_server, wait_until
from tests.server.slow_graphs import make_slow
from tests.server.test_workers import channels_to_every_worker

FP32, INT8 = wire.PRECISION_FP32, wire.PRECISION_INT8
EXPECTED = [("4x19", 95, INT8), ("10x20", 207, INT8), ("30x60", None, FP32)]


def model_status(channel: grpc.Channel) -> wire.ModelStatus:
    stub = admin_service_pb2_grpc.AdminServiceStub(channel)
    answer = stub.GetStatus(admin_service_pb2.GetStatusRequest(), timeout=20)
    return answer.model


def rows(status: wire.ModelStatus) -> list[tuple[str, int | None, int]]:
    return [(b.size, b.max_pairs if b.HasField("max_pairs") else None, b.precision) for b in status.precision_buckets]


def scores(request: dispatch_service_pb2.SuggestRequest, bundle: Path, precision: Precision) -> list[float]:
    decision = decide(read_request(request).snapshot, load_bundle(bundle, precision).model)
    return [candidate.score for advice in decision.bookings for candidate in advice.candidates]


def answered(answer: dispatch_service_pb2.SuggestResponse) -> list[float]:
    return [candidate.score for row in answer.bookings for candidate in row.candidates]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Path:
    """INT8 is faster up to 200 pairs, FP32 above."""
    folder = tmp_path_factory.mktemp("mixed") / "bundle"
    shutil.copytree(tiny_bundle, folder)
    make_slow(folder, fp32=True, int8=True)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("server")
    with running_server(folder, bundle_dir=bundle, workers=2, precision="auto") as running:
        yield running


def test_status_says_what_was_measured_and_what_follows(server: ServerProcess) -> None:
    with channel_to(server.address) as channel:
        status = model_status(channel)
    assert status.precision_mode == wire.PRECISION_MODE_AUTO
    assert status.precision == wire.PRECISION_MIXED
    assert status.int8_qualified
    assert rows(status) == EXPECTED
    for bucket in status.precision_buckets:
        assert min(bucket.fp32_median_micros, bucket.int8_median_micros) > 0
        assert (bucket.int8_median_micros < bucket.fp32_median_micros) is (bucket.precision == INT8)


def test_the_size_of_the_snapshot_chooses_the_graph_and_the_answer_names_it(
    server: ServerProcess, bundle: Path
) -> None:
    small, large = clinic_day(), large_request(30, 60)
    pairs = [len(situation_of(read_request(request).snapshot).table.rank) for request in (small, large)]
    assert pairs[0] <= 207 < pairs[1]
    before = {p: server.sample("qdispatch_model_answers_total", precision=p) for p in ("fp32", "int8")}
    with channel_to(server.address) as channel:
        for request, number, precision in ((small, INT8, Precision.INT8), (large, FP32, Precision.FP32)):
            answer = suggest(channel, request)
            assert answer.model_precision == number
            assert answered(answer) == pytest.approx(scores(request, bundle, precision), rel=1e-9)
            (other,) = set(Precision) - {precision}
            assert answered(answer) != pytest.approx(scores(request, bundle, other), rel=1e-9)
    after = {p: server.sample("qdispatch_model_answers_total", precision=p) for p in ("fp32", "int8")}
    assert after == {p: count + 1 for p, count in before.items()}


def test_the_heuristic_answers_in_no_precision(server: ServerProcess) -> None:
    over_the_limit = large_request(41, 2)
    with channel_to(server.address) as channel:
        assert suggest(channel, over_the_limit).model_precision == wire.PRECISION_UNSPECIFIED


def test_metrics_say_it_too(server: ServerProcess) -> None:
    for size, precision, other in (("4x19", "int8", "fp32"), ("10x20", "int8", "fp32"), ("30x60", "fp32", "int8")):
        assert server.sample("qdispatch_model_precision_info", size=size, precision=precision) == 2
        assert server.sample("qdispatch_model_precision_info", size=size, precision=other) == 0
    with channel_to(server.address) as channel:
        buckets = model_status(channel).precision_buckets
    for bucket in buckets:
        for precision, micros in (("fp32", bucket.fp32_median_micros), ("int8", bucket.int8_median_micros)):
            shown = server.sample("qdispatch_model_precision_median_seconds", size=bucket.size, precision=precision)
            assert shown * 1e6 == pytest.approx(micros)
    assert any(name == "qdispatch_model_info" and ("precision", "mixed") in labels for name, labels in server.metrics())


def test_the_command_line_says_it(server: ServerProcess, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--target", server.address]) == 0
    text = capsys.readouterr().out
    assert ", MIXED, " in text
    assert "precision auto: the server measured both" in text
    for size, bound, precision in EXPECTED:
        (line,) = (line.split() for line in text.splitlines() if line.split()[:1] == [size])
        assert (line[1], line[-1]) == ("any" if bound is None else str(bound), "INT8" if precision == INT8 else "FP32")
        assert min(float(line[2]), float(line[3])) > 0


def test_all_workers_answer_by_the_same_measurement_and_so_does_one_started_again(server: ServerProcess) -> None:
    channels = channels_to_every_worker(server)
    first, second = (model_status(channel) for channel in channels.values())
    assert list(first.precision_buckets) == list(second.precision_buckets)  # to the last digit: measured once
    killed = max(channels)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: killed not in server.worker_pids(), 20, "the killed worker is gone")
    wait_until(lambda: server.sample("qdispatch_serving_workers") == 2, 60, "another worker serves in its place")
    fresh = channels_to_every_worker(server)
    # a worker answers GetStatus before it has loaded its model
    wait_until(lambda: all(model_status(channel).model_version for channel in fresh.values()), 60, "both have a model")
    for channel in fresh.values():
        assert list(model_status(channel).precision_buckets) == list(first.precision_buckets)
    assert server.log().count("event=precision_measured") == len(EXPECTED)
    for channel in (*channels.values(), *fresh.values()):
        channel.close()


def test_without_a_setting_the_server_measures(tmp_path: Path, tiny_bundle: Path) -> None:
    with (
        running_server(tmp_path, bundle_dir=tiny_bundle, precision=None) as running,
        channel_to(running.address) as channel,
    ):
        status = model_status(channel)
    assert status.precision_mode == wire.PRECISION_MODE_AUTO
    assert [bucket.size for bucket in status.precision_buckets] == ["4x19", "10x20", "30x60"]
