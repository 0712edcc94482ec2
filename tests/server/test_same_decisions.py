"""What comes over the wire is what `decide` says in process, on random situations with everything a day may hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qdispatch_bundle.loading import load_bundle
from qdispatch_client.stubs.v1.provenance_pb2 import SOURCE_MODEL
from qdispatch_domain.decision import Candidate
from qdispatch_domain.decoder import decide
from qdispatch_domain.snapshot import Break, Snapshot
from qdispatch_server.request_reader import read_request
from tests.domain.random_snapshots import random_snapshot
from tests.server.requests import suggest
from tests.server.server_process import ServerProcess, channel_to
from tests.server.wire import decision_of, request_of


def apart(snapshot: Snapshot) -> Snapshot:
    """Without breaks: random ones overlap, which the protocol refuses."""
    one = (Break(720.0, 750.0),)
    return replace(snapshot, drivers=tuple(replace(driver, breaks=one) for driver in snapshot.drivers))


def numbers(candidate: Candidate) -> list[float]:
    cost = candidate.cost
    return [
        candidate.driver,
        candidate.position,
        candidate.pickup_time,
        candidate.lateness_min,
        candidate.added_deadhead_min,
        -1.0 if candidate.added_deadhead_km is None else candidate.added_deadhead_km,
        candidate.slack_min,
        cost.deadhead,
        cost.lateness,
        cost.downstream_lateness,
        cost.emergency,
        cost.driver_change,
        cost.spread,
        candidate.resulting_trips,
        candidate.resulting_gap,
        candidate.on_time,
        candidate.score,
        candidate.recommended,
    ]


def test_a_hundred_situations(server: ServerProcess, tiny_bundle: Path) -> None:
    model = load_bundle(tiny_bundle).model
    candidates = picks = 0
    with channel_to(server.address) as channel:
        for seed in range(100):
            drawn = apart(random_snapshot(np.random.default_rng(seed)))
            request = request_of(drawn)
            question = read_request(request)
            snapshot = question.snapshot
            # The wire holds microseconds; apart from that it is the situation that was drawn.
            assert snapshot.now == pytest.approx(drawn.now, abs=1e-7)
            assert [len(d.trips) for d in snapshot.drivers] == [len(d.trips) for d in drawn.drivers]
            expected = decide(snapshot, model)
            answer = suggest(channel, request)
            assert answer.provenance.source == SOURCE_MODEL
            found = decision_of(answer, snapshot, question.day.midnight)
            assert found.driver_gaps == expected.driver_gaps
            for mine, theirs in zip(found.picks, expected.picks, strict=True):
                assert (mine.booking, mine.driver, mine.position) == (theirs.booking, theirs.driver, theirs.position)
                assert mine.pickup_time == pytest.approx(theirs.pickup_time, abs=1e-7)
                assert mine.promised_pickup_time == pytest.approx(theirs.promised_pickup_time, abs=1e-7)
                picks += 1
            assert found.reevaluate_at == pytest.approx(expected.reevaluate_at, abs=1e-7)
            for row, wanted in zip(found.bookings, expected.bookings, strict=True):
                assert (row.gap, row.assign_now, dict(row.refusals)) == (
                    wanted.gap,
                    wanted.assign_now,
                    dict(wanted.refusals),
                )
                assert row.decide_by == pytest.approx(wanted.decide_by, abs=1e-7)
                assert len(row.candidates) == len(wanted.candidates)
                for one, other in zip(row.candidates, wanted.candidates, strict=True):
                    assert numbers(one) == pytest.approx(numbers(other), rel=1e-9, abs=1e-7)
                    candidates += 1
    assert candidates > 500
    assert picks > 5
