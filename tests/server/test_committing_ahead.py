"""`commit_ahead_min`: over a socket the same picks as in the process, and both sides say how far ahead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from qdispatch_bundle.loading import load_bundle
from qdispatch_bundle.manifest import Precision
from qdispatch_client.stubs.v1 import admin_service_pb2, admin_service_pb2_grpc
from qdispatch_domain.committing_ahead import committing_ahead
from qdispatch_domain.decoder import decide
from qdispatch_server.request_reader import read_request
from tests.server.requests import large_request, suggest
from tests.server.server_process import ServerProcess, channel_to, running_server

MINUTES = 240.0


@pytest.fixture(scope="module")
def eager(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Iterator[ServerProcess]:
    with running_server(tmp_path_factory.mktemp("eager"), bundle_dir=tiny_bundle, commit_ahead_min=MINUTES) as running:
        yield running


def test_the_setting_decides_how_far_ahead_the_model_commits(
    eager: ServerProcess, server: ServerProcess, tiny_bundle: Path
) -> None:
    model, request = load_bundle(tiny_bundle, Precision.FP32).model, large_request(12, 30)
    snapshot = read_request(request).snapshot
    sizes = []
    for running, minutes in ((server, 0.0), (eager, MINUTES)):
        expected = decide(snapshot, committing_ahead(model, minutes)).picks
        named = [(snapshot.bookings[p.booking].id, snapshot.drivers[p.driver].id, p.position) for p in expected]
        with channel_to(running.address) as channel:
            answer = suggest(channel, request)
            status = admin_service_pb2_grpc.AdminServiceStub(channel).GetStatus(admin_service_pb2.GetStatusRequest())
        assert [(p.booking_id, p.driver_id, p.position) for p in answer.picks] == named
        assert answer.commit_ahead.ToTimedelta() == timedelta(minutes=minutes)
        assert status.model.commit_ahead.ToTimedelta() == timedelta(minutes=minutes)
        sizes.append(len(named))
    assert sizes[0] < sizes[1]
