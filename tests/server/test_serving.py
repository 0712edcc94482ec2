"""A real server over a real socket."""

from __future__ import annotations

import threading
from pathlib import Path

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from qdispatch_bundle.loading import load_bundle
from qdispatch_client.stubs.v1 import admin_service_pb2, admin_service_pb2_grpc, provenance_pb2
from qdispatch_domain.decoder import decide
from qdispatch_server.request_reader import read_request
from qdispatch_server.suggestion import HEURISTIC
from tests.server.requests import clinic_day, error_info_of, large_request, status_of, suggest, violations_of
from tests.server.server_process import ServerProcess, channel_to, running_server, wait_until

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def health_of(channel: grpc.Channel, service: str = "qdispatch.v1.DispatchService") -> int:
    request = health_pb2.HealthCheckRequest(service=service)
    return health_pb2_grpc.HealthStub(channel).Check(request, timeout=10).status  # type: ignore[no-any-return]


def admin(channel: grpc.Channel) -> admin_service_pb2_grpc.AdminServiceStub:
    return admin_service_pb2_grpc.AdminServiceStub(channel)


def set_enabled(
    channel: grpc.Channel, enabled: bool, revision: int, company: str = "company-1", request_id: str = ""
) -> admin_service_pb2.SetEnabledResponse:
    request = admin_service_pb2.SetEnabledRequest(
        request_id=request_id or f"{company}-{revision}",
        company_id=company,
        enabled=enabled,
        expected_revision=revision,
    )
    return admin(channel).SetEnabled(request, timeout=10)


def test_the_model_decides_as_it_does_in_process(server: ServerProcess, tiny_bundle: Path) -> None:
    request = clinic_day()
    with channel_to(server.address) as channel:
        answer = suggest(channel, request)
    bundle = load_bundle(tiny_bundle)
    assert answer.provenance.source == provenance_pb2.SOURCE_MODEL
    assert answer.provenance.model_version == bundle.version == "tiny-1"
    assert answer.provenance.feature_fingerprint == bundle.manifest.feature_fingerprint
    assert answer.request_id == "request-1"
    snapshot = read_request(request).snapshot
    decision = decide(snapshot, bundle.model)
    picks = [(pick.booking_id, pick.driver_id, pick.position) for pick in answer.picks]
    assert picks == [
        (snapshot.bookings[pick.booking].id, snapshot.drivers[pick.driver].id, pick.position) for pick in decision.picks
    ]
    for advice, row in zip(decision.bookings, answer.bookings, strict=True):
        assert [c.score for c in row.candidates] == pytest.approx([c.score for c in advice.candidates])
        assert not any(c.HasField("q_value") for c in row.candidates)  # the tiny model is not calibrated
    timing = answer.timing
    parts = ("queue", "decode", "features", "inference", "decision", "encode")
    assert all(getattr(timing, f"{part}_micros") > 0 for part in parts)
    assert sum(getattr(timing, f"{part}_micros") for part in parts) <= timing.total_micros * 1.001


def test_nobody_can_is_explained(server: ServerProcess) -> None:
    with channel_to(server.address) as channel:
        answer = suggest(channel, clinic_day())
    hopeless = [row for row in answer.bookings if row.refusals]
    assert hopeless
    for row in hopeless:
        assert not row.candidates
        assert sum(refusal.drivers for refusal in row.refusals) == len(answer.drivers)


@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"\x0a\x80", b"\x1a\x05abc"])
def test_bytes_that_are_no_message_are_invalid_not_internal(server: ServerProcess, data: bytes) -> None:
    with channel_to(server.address) as channel:
        for method in ("DispatchService/Suggest", "AdminService/GetStatus", "AdminService/SetEnabled"):
            call = channel.unary_unary(f"/qdispatch.v1.{method}", lambda raw: raw, lambda raw: raw)
            with pytest.raises(grpc.RpcError) as caught:
                call(data, timeout=10)
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT, method
            assert violations_of(caught.value)


def test_violations_reach_the_caller_with_paths(server: ServerProcess) -> None:
    request = clinic_day()
    request.snapshot.bookings[3].pickup.latitude = 200
    with channel_to(server.address) as channel, pytest.raises(grpc.RpcError) as caught:
        suggest(channel, request)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert set(violations_of(caught.value)) == {"snapshot.bookings[3].pickup.latitude"}
    info = error_info_of(status_of(caught.value))
    assert (info.reason, info.domain, info.metadata["violations"]) == ("INVALID_REQUEST", "qdispatch", "1")


def test_a_deadline_is_mandatory(server: ServerProcess) -> None:
    with channel_to(server.address) as channel, pytest.raises(grpc.RpcError) as caught:
        suggest(channel, clinic_day(), timeout=None)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "deadline" in violations_of(caught.value)


def test_reflection_lists_the_services_only_behind_its_flag(server: ServerProcess, tmp_path: Path) -> None:
    def listed(channel: grpc.Channel) -> set[str]:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        question = reflection_pb2.ServerReflectionRequest(list_services="")
        answer = next(stub.ServerReflectionInfo(iter([question]), timeout=10))
        return {service.name for service in answer.list_services_response.service}

    with channel_to(server.address) as channel:
        assert {"qdispatch.v1.DispatchService", "qdispatch.v1.AdminService", "grpc.health.v1.Health"} <= listed(channel)
    with running_server(tmp_path) as plain, channel_to(plain.address) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            listed(channel)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_without_a_bundle_the_heuristic_answers_and_says_so(tmp_path: Path) -> None:
    with running_server(tmp_path) as server, channel_to(server.address) as channel:
        assert health_of(channel) == SERVING
        answer = suggest(channel, clinic_day())
        assert answer.provenance.fallback_reason == provenance_pb2.FALLBACK_REASON_MODEL_UNAVAILABLE
        assert (answer.provenance.heuristic, answer.provenance.model_version) == ("cheapest-insertion", "")
        snapshot = read_request(clinic_day()).snapshot
        expected = [(p.booking, p.driver) for p in decide(snapshot, HEURISTIC).picks]
        assert [(p.booking_id, p.driver_id) for p in answer.picks] == [
            (snapshot.bookings[b].id, snapshot.drivers[d].id) for b, d in expected
        ]


def test_the_switch_switches_and_survives_a_restart(tmp_path: Path, tiny_bundle: Path) -> None:
    def source(channel: grpc.Channel, company: str) -> tuple[int, int]:
        found = suggest(channel, clinic_day(company)).provenance
        return found.source, found.fallback_reason

    model = (provenance_pb2.SOURCE_MODEL, 0)
    off = (provenance_pb2.SOURCE_HEURISTIC, provenance_pb2.FALLBACK_REASON_DISABLED)
    with running_server(tmp_path, bundle_dir=tiny_bundle) as server, channel_to(server.address) as channel:
        assert source(channel, "company-1") == model
        switched = set_enabled(channel, False, 0).company
        assert (switched.enabled, switched.revision) == (False, 1)
        assert source(channel, "company-1") == off
        assert source(channel, "company-2") == model
        assert server.stop() == 0
    with running_server(tmp_path, bundle_dir=tiny_bundle) as server, channel_to(server.address) as channel:
        assert source(channel, "company-1") == off
        (row,) = admin(channel).GetStatus(admin_service_pb2.GetStatusRequest(), timeout=10).companies
        assert (row.company_id, row.enabled, row.revision) == ("company-1", False, 1)
        with pytest.raises(grpc.RpcError) as caught:
            set_enabled(channel, True, 0, request_id="another")
        assert caught.value.code() is grpc.StatusCode.ABORTED
        info = error_info_of(status_of(caught.value))
        assert (info.reason, info.metadata["current_revision"]) == ("REVISION_MISMATCH", "1")
        assert set_enabled(channel, True, 1).company.enabled
        assert source(channel, "company-1") == model


@pytest.mark.parametrize(("company_default", "reason"), [("enabled", "MODEL_UNAVAILABLE"), ("disabled", "DISABLED")])
def test_the_company_default_holds_for_the_never_switched(tmp_path: Path, company_default: str, reason: str) -> None:
    with (
        running_server(tmp_path, company_default=company_default) as server,
        channel_to(server.address) as channel,
    ):
        answer = suggest(channel, clinic_day())
        assert provenance_pb2.FallbackReason.Name(answer.provenance.fallback_reason) == f"FALLBACK_REASON_{reason}"
        request = admin_service_pb2.GetStatusRequest(company_ids=["b", "a"])
        status = admin(channel).GetStatus(request, timeout=10)
        default = company_default == "enabled"
        assert [(row.company_id, row.enabled, row.revision) for row in status.companies] == [
            ("b", default, 0),
            ("a", default, 0),
        ]
        assert status.company_default is default


def test_set_enabled_tells_every_violation(server: ServerProcess) -> None:
    with channel_to(server.address) as channel, pytest.raises(grpc.RpcError) as caught:
        admin(channel).SetEnabled(admin_service_pb2.SetEnabledRequest(), timeout=10)
    assert set(violations_of(caught.value)) == {"request_id", "company_id", "enabled", "expected_revision"}


def test_the_status_names_model_limits_and_counts(tmp_path: Path, tiny_bundle: Path) -> None:
    with running_server(tmp_path, bundle_dir=tiny_bundle) as server, channel_to(server.address) as channel:
        for _ in range(3):
            suggest(channel, clinic_day())
        spoilt = clinic_day()
        spoilt.snapshot.bookings[0].ClearField("leg")
        with pytest.raises(grpc.RpcError):
            suggest(channel, spoilt)
        status = admin(channel).GetStatus(admin_service_pb2.GetStatusRequest(), timeout=10)
    assert (status.model.model_version, status.model.calibrated) == ("tiny-1", False)
    assert (status.model.limits.max_drivers, status.model.limits.max_bookings) == (40, 80)
    assert [(row.source, row.fallback_reason, row.answers) for row in status.answers] == [(1, 0, 3)]
    assert (status.failed_calls, status.workers) == (1, 1)
    assert status.limits.max_request_bytes == 16 * 1024 * 1024
    assert status.uptime.ToTimedelta().total_seconds() > 0
    now = Timestamp()
    now.GetCurrentTime()
    assert abs(now.seconds - status.started_at.seconds) < 600


def test_over_the_model_s_limit_the_heuristic_answers(server: ServerProcess) -> None:
    request = clinic_day()
    one = request.snapshot.bookings[0]
    for number in range(90):  # the tiny model takes 80
        row = request.snapshot.bookings.add()
        row.CopyFrom(one)
        row.id = f"more-{number}"
    with channel_to(server.address) as channel:
        answer = suggest(channel, request)
    assert answer.provenance.fallback_reason == provenance_pb2.FALLBACK_REASON_MODEL_LIMIT
    assert answer.provenance.model_version == "tiny-1"
    assert len(answer.bookings) == len(request.snapshot.bookings)


def test_drain_is_not_serving_at_once_and_answers_what_is_in_flight(tmp_path: Path, tiny_bundle: Path) -> None:
    with running_server(tmp_path, bundle_dir=tiny_bundle, drain_seconds=20) as server:
        with channel_to(server.address) as channel:
            watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=60)
            assert next(watch).status == SERVING
            big = large_request(120, 300)
            outcome: list[object] = []

            def ask() -> None:
                try:
                    outcome.append(suggest(channel, big, timeout=60))
                except grpc.RpcError as error:
                    outcome.append(error)

            asking = threading.Thread(target=ask)
            asking.start()
            wait_until(lambda: server.sample("qdispatch_in_flight_calls") == 1 or outcome, 30, "the call is inside")
            server.process.terminate()
            assert next(watch).status == NOT_SERVING
            asking.join(60)
            assert server.process.wait(60) == 0
            assert getattr(outcome[0], "bookings", None), outcome[0]
        assert "worker_ended" in server.log()
        assert not (tmp_path / "ready.json").exists()
