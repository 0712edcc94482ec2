"""Guided search behind the model: over a socket the same picks as in the process, and both sides say that it ran."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

pytest.importorskip("numba", reason="install the extra [search]: the search is compiled by numba")

from qdispatch_bundle.loading import load_bundle
from qdispatch_bundle.manifest import Precision
from qdispatch_client.stubs.v1 import admin_service_pb2, admin_service_pb2_grpc, dispatch_service_pb2, provenance_pb2
from qdispatch_domain.decoder import decide
from qdispatch_domain.futures_search import FuturesSearch, searched
from qdispatch_domain.heuristics import CheapestInsertion
from qdispatch_server.request_reader import read_request
from tests.server.requests import clinic_day, large_request, suggest
from tests.server.server_process import ServerProcess, channel_to, running_server, server_environment

SHIPPED = Path(__file__).parents[2] / "models" / "default"


@pytest.fixture(scope="module")
def searching(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Iterator[ServerProcess]:
    with running_server(tmp_path_factory.mktemp("search"), bundle_dir=tiny_bundle, search="on") as running:
        yield running


@pytest.mark.parametrize("request_", [clinic_day(), large_request(12, 30)], ids=["clinic-day", "12x30"])
def test_the_server_searches_as_the_process_does(
    searching: ServerProcess, tiny_bundle: Path, request_: dispatch_service_pb2.SuggestRequest
) -> None:
    policy = FuturesSearch(load_bundle(tiny_bundle, Precision.FP32).model)
    snapshot = read_request(request_).snapshot
    expected = decide(snapshot, policy)
    with channel_to(searching.address) as channel:
        answer = suggest(channel, request_)
    named = [(snapshot.bookings[p.booking].id, snapshot.drivers[p.driver].id, p.position) for p in expected.picks]
    assert [(p.booking_id, p.driver_id, p.position) for p in answer.picks] == named
    effort = policy.effort_at(len(snapshot.drivers))
    assert effort is not None
    assert answer.search_moves == effort.moves > 0


def test_the_search_commits_ahead_by_the_setting(tmp_path: Path, tiny_bundle: Path) -> None:
    request = large_request(12, 30)
    snapshot = read_request(request).snapshot
    model = load_bundle(tiny_bundle, Precision.FP32).model
    picks = {minutes: decide(snapshot, searched(model, minutes)).picks for minutes in (0.0, 90.0)}
    assert len(picks[90.0]) > len(picks[0.0])
    with (
        running_server(tmp_path, bundle_dir=tiny_bundle, search="on", commit_ahead_min=90.0) as running,
        channel_to(running.address) as channel,
    ):
        answer = suggest(channel, request)
    named = [(snapshot.bookings[p.booking].id, snapshot.drivers[p.driver].id) for p in picks[90.0]]
    assert [(p.booking_id, p.driver_id) for p in answer.picks] == named
    assert answer.search_moves > 0
    assert answer.commit_ahead.ToTimedelta() == timedelta(minutes=90)


def test_status_says_whether_a_search_follows(searching: ServerProcess, server: ServerProcess) -> None:
    search = FuturesSearch(CheapestInsertion())
    for running, most, of_few in ((searching, search.moves, search.efforts[0].moves), (server, 0, 0)):
        with channel_to(running.address) as channel:
            stub = admin_service_pb2_grpc.AdminServiceStub(channel)
            assert stub.GetStatus(admin_service_pb2.GetStatusRequest()).model.search_moves == most
            assert suggest(channel, clinic_day()).search_moves == of_few


def test_a_fleet_is_searched_with_the_effort_of_its_size_and_the_largest_not_at_all(tmp_path: Path) -> None:
    efforts = FuturesSearch(CheapestInsertion()).efforts
    with (
        running_server(tmp_path, bundle_dir=SHIPPED, search="on") as running,
        channel_to(running.address) as channel,
    ):
        status = admin_service_pb2_grpc.AdminServiceStub(channel).GetStatus(admin_service_pb2.GetStatusRequest())
        assert status.model.search_max_drivers == efforts[-1].most_drivers
        assert status.model.search_moves == max(effort.moves for effort in efforts)
        for effort in efforts:
            assert suggest(channel, large_request(effort.most_drivers, 5)).search_moves == effort.moves
        beyond = suggest(channel, large_request(efforts[-1].most_drivers + 1, 5))
        assert (beyond.provenance.source, beyond.search_moves) == (provenance_pb2.SOURCE_MODEL, 0)


def test_on_is_refused_where_nothing_can_search(tmp_path: Path) -> None:
    environment = server_environment(tmp_path, search="on") | {"QDISPATCH_COMPILED": "0"}
    command = [sys.executable, "-m", "qdispatch_server", "check-config"]
    refused = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "search: " in refused.stdout + refused.stderr
    assert "[search]" in refused.stdout + refused.stderr
    assert os.environ.get("QDISPATCH_COMPILED") != "0"
