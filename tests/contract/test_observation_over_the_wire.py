"""No skew between training and serving: a situation that went over the wire encodes and decides as it does at home.

Training sees the domain's rows; serving sees what the client's rows, protobuf and the server's reader leave of them.
The wire holds whole microseconds, so a time may be off by 1e-8 minutes and a feature by what that makes of it.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from qdispatch_bundle.loading import load_bundle
from qdispatch_bundle.model import Model
from qdispatch_client import calls
from qdispatch_client.stubs.v1.dispatch_service_pb2 import SuggestRequest
from qdispatch_domain.classic import DRIVERS, classic_view
from qdispatch_domain.decision import Decision
from qdispatch_domain.decoder import decide
from qdispatch_domain.heuristics import CheapestInsertion
from qdispatch_domain.observation import Observation
from qdispatch_domain.packing import pack
from qdispatch_domain.reasons import BookingGap, DriverGap
from qdispatch_domain.situation import Scorer, Situation
from qdispatch_domain.snapshot import Snapshot
from qdispatch_server.request_reader import read_request
from qdispatch_trainer.engine_snapshot import EngineDay
from tests.bundle.tiny_bundle import write_tiny_bundle
from tests.domain.random_snapshots import random_snapshot

SEEDS = range(120)
NEAR = 1e-5


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("bundle") / "tiny"
    write_tiny_bundle(folder)
    return load_bundle(folder).model


def drawn(seed: int) -> Snapshot:
    """One random situation; of each driver's breaks the first, for random ones overlap, which the protocol refuses."""
    snapshot = random_snapshot(np.random.default_rng(seed))
    return dataclasses.replace(
        snapshot, drivers=tuple(dataclasses.replace(driver, breaks=driver.breaks[:1]) for driver in snapshot.drivers)
    )


def over_the_wire(snapshot: Snapshot) -> Snapshot:
    """What the server reads of the bytes that the client sends."""
    request = calls.suggest(EngineDay().snapshot(snapshot), "company-1", "request-1").request
    return read_request(SuggestRequest.FromString(request.SerializeToString())).snapshot


def assert_same_observation(home: Observation, served: Observation) -> None:
    for field in dataclasses.fields(Observation):
        one, other = getattr(home, field.name), getattr(served, field.name)
        assert (one.dtype, one.shape) == (other.dtype, other.shape), field.name
        np.testing.assert_allclose(other, one, rtol=NEAR, atol=NEAR, err_msg=field.name)


def moves(decision: Decision) -> tuple[object, ...]:
    """All that must be equal, not merely near: who, where, in which order, and why not."""
    return (
        [(pick.booking, pick.driver, pick.position) for pick in decision.picks],
        [
            (row.booking, row.gap, row.assign_now, dict(row.refusals), [(c.driver, c.position) for c in row.candidates])
            for row in decision.bookings
        ],
        decision.driver_gaps,
    )


def test_every_observation_arrives_as_it_is_at_home() -> None:
    pairs = matrices = 0
    booking_gaps: set[BookingGap] = set()
    driver_gaps: set[DriverGap] = set()
    for seed in SEEDS:
        snapshot = drawn(seed)
        home, served = Situation(pack([snapshot])), Situation(pack([over_the_wire(snapshot)]))
        assert_same_observation(home.observations.one(0), served.observations.one(0))
        np.testing.assert_array_equal(home.fleet.booking_gap, served.fleet.booking_gap)
        np.testing.assert_array_equal(home.fleet.driver_gap, served.fleet.driver_gap)
        np.testing.assert_array_equal(home.table.must, served.table.must)
        pairs += len(home.table.rank)
        booking_gaps |= {BookingGap(int(gap)) for gap in home.fleet.booking_gap[0, : len(snapshot.bookings)]}
        driver_gaps |= {DriverGap(int(gap)) for gap in home.fleet.driver_gap[0, : len(snapshot.drivers)]}
        matrices += snapshot.matrix is not None
    # the draws hold what a real day may hold, or the test would prove little
    assert pairs > 1000
    assert (booking_gaps, driver_gaps) == (set(BookingGap), set(DriverGap))
    assert matrices > 10


def test_the_classic_view_arrives_as_it_is_at_home() -> None:
    seen = 0
    for seed in SEEDS:
        snapshot = drawn(seed)
        home, served = Situation(pack([snapshot])), Situation(pack([over_the_wire(snapshot)]))
        if int(home.fleet.usable.sum()) > DRIVERS:
            continue
        one, other = classic_view(home), classic_view(served)
        np.testing.assert_allclose(other.state, one.state, rtol=NEAR, atol=NEAR)
        np.testing.assert_array_equal(other.pair_action, one.pair_action)
        np.testing.assert_array_equal(other.mask(served), one.mask(home))
        seen += 1
    assert seen > 60


@pytest.mark.parametrize("policy", ["model", "heuristic"])
def test_every_decision_arrives_as_it_is_at_home(policy: str, model: Model) -> None:
    scorer: Scorer = model if policy == "model" else CheapestInsertion()
    picks = refusals = 0
    for seed in SEEDS:
        snapshot = drawn(seed)
        received = over_the_wire(snapshot)
        home = decide(snapshot, scorer)
        served = decide(received, scorer)
        assert moves(served) == moves(home), f"seed {seed}"
        for one, other in zip(home.picks, served.picks, strict=True):
            assert other.pickup_time == pytest.approx(one.pickup_time, abs=NEAR)
            assert other.promised_pickup_time == pytest.approx(one.promised_pickup_time, abs=NEAR)
        assert served.reevaluate_at == pytest.approx(home.reevaluate_at, abs=NEAR)
        for mine, theirs in zip(served.bookings, home.bookings, strict=True):
            assert mine.decide_by == pytest.approx(theirs.decide_by, abs=NEAR)
        picks += len(home.picks)
        refusals += sum(sum(row.refusals.values()) for row in home.bookings)
    assert picks > 40
    assert refusals > 300
