"""Two servers over one PostgreSQL, and the database going away under them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from qdispatch_client.stubs.v1 import admin_service_pb2, admin_service_pb2_grpc
from qdispatch_client.stubs.v1.provenance_pb2 import FallbackReason
from tests.server.postgres import Postgres, running_postgres
from tests.server.requests import clinic_day, error_info_of, retry_delay_of, status_of, suggest
from tests.server.server_process import channel_to, running_server, wait_until


@pytest.fixture
def database() -> Iterator[Postgres]:
    with running_postgres() as cluster:
        yield cluster


def reason(channel: grpc.Channel) -> str:
    """Why the heuristic answered: no server here has a model, so it is the switch's state that shows."""
    return FallbackReason.Name(suggest(channel, clinic_day()).provenance.fallback_reason).removeprefix(
        "FALLBACK_REASON_"
    )


def set_enabled(channel: grpc.Channel, enabled: bool, revision: int) -> None:
    request = admin_service_pb2.SetEnabledRequest(
        request_id=f"r{revision}-{enabled}", company_id="company-1", enabled=enabled, expected_revision=revision
    )
    admin_service_pb2_grpc.AdminServiceStub(channel).SetEnabled(request, timeout=20)


def test_a_switch_on_one_replica_is_obeyed_by_the_other(tmp_path: Path, database: Postgres) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
    with (
        running_server(folders[0], database_url=database.url) as one,
        running_server(folders[1], database_url=database.url) as other,
        channel_to(one.address) as here,
        channel_to(other.address) as there,
    ):
        assert reason(there) == "MODEL_UNAVAILABLE"  # on: the model would answer if there were one
        set_enabled(here, False, 0)
        wait_until(lambda: reason(there) == "DISABLED", 10, "the other replica obeys")


def test_without_the_database_the_last_known_state_holds_and_nothing_is_switched(
    tmp_path: Path, database: Postgres
) -> None:
    with running_server(tmp_path, database_url=database.url) as server, channel_to(server.address) as channel:
        set_enabled(channel, False, 0)
        assert reason(channel) == "DISABLED"
        assert server.sample("qdispatch_state_reachable") == 1
        database.stop()
        wait_until(lambda: server.sample("qdispatch_state_reachable") == 0, 30, "the loss is noticed")
        assert reason(channel) == "DISABLED"
        with pytest.raises(grpc.RpcError) as caught:
            set_enabled(channel, True, 1)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        status = status_of(caught.value)
        assert error_info_of(status).reason == "STATE_UNAVAILABLE"
        assert retry_delay_of(status)

        (worker,) = server.worker_pids()
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: server.worker_pids() not in ([], [worker]), 30, "a fresh worker runs")
        with channel_to(server.address) as fresh:
            grpc.channel_ready_future(fresh).result(60)
            # A worker that never read the switches says so, rather than guess the default.
            wait_until(lambda: reason(fresh) == "STATE_UNKNOWN", 60, "the fresh worker answers")
            database.start()
            wait_until(lambda: reason(fresh) == "DISABLED", 30, "it has read the switches")
            set_enabled(fresh, True, 1)
            assert reason(fresh) == "MODEL_UNAVAILABLE"
