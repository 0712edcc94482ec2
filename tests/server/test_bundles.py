"""Good and bad bundles in a real server: each bad one refused with its own reason, the server stays on what it had."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import grpc
import onnx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from onnx import numpy_helper
from sqlalchemy import text

from qdispatch_bundle.manifest import FP32_FILE
from qdispatch_client.stubs.v1 import admin_service_pb2, admin_service_pb2_grpc, provenance_pb2, server_status_pb2
from qdispatch_server.state.current_model import CurrentModelStore
from qdispatch_server.state.database import open_engine
from tests.bundle.tiny_bundle import reseal, write_tiny_bundle
from tests.server.requests import clinic_day, suggest
from tests.server.server_process import ServerProcess, channel_to, running_server, wait_until


def flip_a_byte(bundle: Path) -> None:
    data = bytearray((bundle / FP32_FILE).read_bytes())
    data[len(data) // 2] ^= 1
    (bundle / FP32_FILE).write_bytes(data)


def another_fingerprint(bundle: Path) -> None:
    shutil.rmtree(bundle)
    write_tiny_bundle(bundle, feature_fingerprint="0" * 64)


def nan_weights(bundle: Path) -> None:
    model = onnx.load_from_string((bundle / FP32_FILE).read_bytes())
    tensor = next(t for t in model.graph.initializer if t.data_type == onnx.TensorProto.FLOAT and len(t.dims) == 2)
    array = numpy_helper.to_array(tensor).copy()
    array.flat[0] = float("nan")
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    reseal(bundle, {FP32_FILE: bytes(model.SerializeToString())})


BAD: list[tuple[Callable[[Path], None], str]] = [
    (flip_a_byte, "HASH_MISMATCH"),
    (another_fingerprint, "FINGERPRINT_MISMATCH"),
    (nan_weights, "NOT_FINITE"),
    (shutil.rmtree, "MISSING_FILE"),
]


def status_of(channel: grpc.Channel) -> admin_service_pb2.GetStatusResponse:
    stub = admin_service_pb2_grpc.AdminServiceStub(channel)
    return stub.GetStatus(admin_service_pb2.GetStatusRequest(), timeout=10)


def health_of(channel: grpc.Channel) -> int:
    request = health_pb2.HealthCheckRequest()
    return health_pb2_grpc.HealthStub(channel).Check(request, timeout=10).status  # type: ignore[no-any-return]


def reload(server: ServerProcess) -> None:
    server.process.send_signal(signal.SIGHUP)


def test_a_bad_bundle_is_refused_with_its_reason_and_the_server_stays_on_what_it_had(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(tiny_bundle, bundle)
    with running_server(tmp_path, bundle_dir=bundle) as server, channel_to(server.address) as channel:
        before = suggest(channel, clinic_day())
        for spoil, reason in BAD:
            spoil(bundle)
            reload(server)
            wait_until(lambda reason=reason: status_of(channel).last_refusal.reason == reason, 60, f"{reason} is told")
            assert server.sample("qdispatch_refused_bundles_total", reason=reason) == 1
            assert health_of(channel) == health_pb2.HealthCheckResponse.SERVING
            answer = suggest(channel, clinic_day())
            assert answer.provenance.model_version == before.provenance.model_version == "tiny-1"
            assert answer.provenance.source == provenance_pb2.SOURCE_MODEL
            assert list(answer.picks) == list(before.picks)
            if bundle.exists():
                shutil.rmtree(bundle)
            shutil.copytree(tiny_bundle, bundle)
        shutil.rmtree(bundle)
        write_tiny_bundle(bundle, model_version="tiny-2")
        reload(server)
        wait_until(lambda: status_of(channel).model.model_version == "tiny-2", 60, "the good one is taken")
        assert suggest(channel, clinic_day()).provenance.model_version == "tiny-2"
        database = open_engine(f"sqlite:///{tmp_path / 'state.sqlite'}")
        # it answers first and is written down then: calls do not wait for the database
        wait_until(lambda: CurrentModelStore(database).read() == "tiny-2", 60, "the database says which one answers")
        with database.connect() as connection:
            assert connection.execute(text("select revision from model_current")).scalar_one() == 2
        database.dispose()


def test_a_server_started_on_a_bad_bundle_does_not_report_serving(tmp_path: Path, tiny_bundle: Path) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(tiny_bundle, bundle)
    flip_a_byte(bundle)
    with running_server(tmp_path, bundle_dir=bundle) as server, channel_to(server.address) as channel:
        assert health_of(channel) == health_pb2.HealthCheckResponse.NOT_SERVING
        answer = suggest(channel, clinic_day())  # whoever asks all the same is answered honestly
        assert answer.provenance.fallback_reason == provenance_pb2.FALLBACK_REASON_MODEL_UNAVAILABLE
        assert not status_of(channel).HasField("model")
        assert status_of(channel).last_refusal.reason == "HASH_MISMATCH"
        assert "event=bundle_refused" in server.log()


@pytest.mark.parametrize(
    ("setting", "number"),
    [("fp32", server_status_pb2.PRECISION_FP32), ("int8", server_status_pb2.PRECISION_INT8)],
)
def test_the_precision_is_a_setting(tmp_path: Path, tiny_bundle: Path, setting: str, number: int) -> None:
    with (
        running_server(tmp_path, bundle_dir=tiny_bundle, precision=setting) as server,
        channel_to(server.address) as channel,
    ):
        assert status_of(channel).model.precision == number
        labels = {"model_version": "tiny-1", "precision": setting}
        info = [labels.items() <= dict(key[1]).items() for key in server.metrics() if key[0] == "qdispatch_model_info"]
        assert info == [True]
        assert suggest(channel, clinic_day()).provenance.source == provenance_pb2.SOURCE_MODEL
