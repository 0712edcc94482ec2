"""Spoilt requests against a real server: an answer that breaks no rule, or INVALID_ARGUMENT with paths; nothing else.

And whatever was sent, no id and no coordinate of it stands in a log, a metric or an error.
"""

from __future__ import annotations

import re
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qdispatch_client.stubs.v1.admin_service_pb2 import SetEnabledRequest
from qdispatch_client.stubs.v1.admin_service_pb2_grpc import AdminServiceStub
from qdispatch_client.stubs.v1.dispatch_service_pb2 import SuggestRequest, SuggestResponse
from qdispatch_client.stubs.v1.provenance_pb2 import SOURCE_HEURISTIC, SOURCE_MODEL
from qdispatch_domain.validator import validate_plan
from qdispatch_server.request_reader import read_request
from tests.domain.random_snapshots import random_snapshot
from tests.server.full_request import leaves
from tests.server.mutations import mutate, spoil_bytes
from tests.server.requests import status_of, violations_of
from tests.server.server_process import ServerProcess, channel_to, running_server
from tests.server.wire import decision_of, request_of

SECRET = "zq7secret"
OFF = "company-off"
STEP = re.compile(r"(?P<name>[a-z_]+)(?:\[(?P<index>\d+)\])?")
COORDINATE = re.compile(r"-?\d+\.(?!0{5})\d{5}")  # not the whole numbers, "nan" and "inf" of the mutations
TIMESTAMP = re.compile(r"timestamp=\S+ ")


class Load:
    """What was sent and what came back, over all examples."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.channel = channel_to(server.address)
        self.send = self.channel.unary_unary("/qdispatch.v1.DispatchService/Suggest", bytes, bytes)
        self.codes: Counter[str] = Counter()
        self.errors: list[str] = []
        self.coordinates: set[str] = set()
        self.picks: Counter[int] = Counter()  # by source


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Iterator[Load]:
    with running_server(tmp_path_factory.mktemp("mutated"), bundle_dir=tiny_bundle, max_in_flight=64) as server:
        load = Load(server)
        switch_off = SetEnabledRequest(request_id="off", company_id=OFF, enabled=False, expected_revision=0)
        AdminServiceStub(load.channel).SetEnabled(switch_off, timeout=10)
        yield load
        load.channel.close()


def base_request(seed: int) -> SuggestRequest:
    """A random situation whose ids all carry the secret."""
    snapshot = random_snapshot(np.random.default_rng(seed), drivers=(0, 6), bookings=(0, 9))
    request = request_of(snapshot, company_id=OFF if seed % 2 else "company-1")
    for parent, field, index in leaves(request.snapshot):
        if index is None and field.name in ("id", "booking_id", "linked_booking_id", "current_driver_id"):
            setattr(parent, field.name, f"{SECRET}-{getattr(parent, field.name)}")
    return request


def resolves(path: str, descriptor: Descriptor) -> bool:
    """Whether a path leads through the fields of a message."""
    here: Descriptor | None = descriptor
    for step in path.split("."):
        match = STEP.fullmatch(step)
        if match is None or here is None or match["name"] not in here.fields_by_name:
            return False
        field = here.fields_by_name[match["name"]]
        if (match["index"] is not None) and not field.is_repeated:
            return False
        here = field.message_type
    return True


def ask(load: Load, seed: int, mutations: int, as_bytes: bool) -> None:
    """Sends one spoilt request and judges what comes back."""
    rng = np.random.default_rng([seed, mutations])
    request = base_request(seed)
    for _ in range(mutations):
        mutate(request, rng)
    data = request.SerializeToString()
    if as_bytes:
        data = spoil_bytes(data, rng)
    _note_coordinates(load, request)
    try:
        answer = SuggestResponse.FromString(load.send(data, timeout=60))
    except grpc.RpcError as error:
        _judge_refusal(load, error, data)
        return
    load.codes["OK"] += 1
    sent = SuggestRequest.FromString(data)
    question = read_request(sent)
    violations = validate_plan(question.snapshot, decision_of(answer, question.snapshot, question.day.midnight))
    assert violations == []
    load.picks[answer.provenance.source] += len(answer.picks)


def _note_coordinates(load: Load, request: SuggestRequest) -> None:
    for parent, field, _ in leaves(request):
        if field.name in ("latitude", "longitude"):
            value = f"{getattr(parent, field.name):.5f}"
            if COORDINATE.fullmatch(value):
                load.coordinates.add(value)


def _judge_refusal(load: Load, error: grpc.RpcError, data: bytes) -> None:
    code = error.code()
    load.codes[code.name] += 1
    assert code is grpc.StatusCode.INVALID_ARGUMENT, error
    violations = violations_of(error)
    assert violations
    for path, description in violations.items():
        assert description
        if path == "request":  # bytes that are no message have no fields
            with pytest.raises(DecodeError):
                SuggestRequest.FromString(data)
        else:
            assert resolves(path, SuggestRequest.DESCRIPTOR), path
    load.errors.append(str(status_of(error)))


def run(load: Load, examples: int) -> None:
    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(st.integers(0, 2**32 - 1), st.integers(0, 4), st.integers(0, 9))
    def spoilt(seed: int, mutations: int, kind: int) -> None:
        ask(load, seed, mutations, as_bytes=kind == 9)

    spoilt()
    assert set(load.codes) == {"OK", "INVALID_ARGUMENT"}
    assert min(load.codes.values()) > examples / 10, load.codes  # both paths were really walked
    assert load.picks[SOURCE_HEURISTIC] > examples / 20  # of which the validator has something to say
    assert load.picks[SOURCE_MODEL] > examples / 200  # an untrained model rarely commits
    assert load.server.process.poll() is None
    assert load.server.sample("qdispatch_worker_restarts_total") == 0
    check_privacy(load)


def check_privacy(load: Load) -> None:
    """Nothing that was sent stands anywhere."""
    with urllib.request.urlopen(load.server.metrics_url, timeout=10) as answer:
        metrics = answer.read().decode()
    log = TIMESTAMP.sub("", load.server.log())
    assert "event=call code=INVALID_ARGUMENT" in log.replace("level=debug ", "")  # the log is not merely empty
    assert "event=call_failed" not in log
    for name, text in {"log": log, "metrics": metrics, "errors": "\n".join(load.errors)}.items():
        assert SECRET not in text, name
        near = [value for value in load.coordinates if value in text]
        found = [value for value in near if re.search(rf"(?<![\d.]){re.escape(value)}(?!\d)", text)]  # no part of a sum
        assert found == [], name


def test_a_thousand_spoilt_requests(load: Load) -> None:
    run(load, 1_000)


@pytest.mark.long
def test_ten_thousand_spoilt_requests(load: Load) -> None:
    run(load, 10_000)
