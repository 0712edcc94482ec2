"""Whole days through a real server: the same picks at every event and the same final cost as `decide` in process.

The server is its own processes; the question goes through the client's rows, protobuf, TCP and the server's reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qdispatch_bundle.loading import load_bundle
from qdispatch_client import Client, FallbackReason, Source, Suggestion
from qdispatch_domain.decision import Pick
from qdispatch_domain.decoder import decide
from qdispatch_domain.heuristics import CheapestInsertion
from qdispatch_domain.situation import Scorer
from qdispatch_domain.snapshot import Snapshot
from qdispatch_domain.validator import validate_day
from qdispatch_trainer.engine_snapshot import EngineDay
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.simulator.play import play
from tests.bundle.tiny_bundle import write_tiny_bundle
from tests.e2e.asked_day import Advice, AskedDay, advice_of, ask_through
from tests.server.server_process import ServerProcess, running_server

SHIPPED = Path(__file__).parents[2] / "models" / "default"
COMPANY = "company-1"
OFF = "company-without-model"
ENGINE = EngineDay()
# Minutes. The wire holds microseconds; a day of 30 events lets a promise drift by less than this.
NEAR = 1e-5
SEEDS = (0, 1, 2)


@pytest.fixture(scope="module", params=["untrained", "shipped"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained model decides oddly and so meets odd situations; the shipped one is what customers get."""
    if request.param == "shipped":
        return SHIPPED
    folder = tmp_path_factory.mktemp("untrained") / "bundle"
    write_tiny_bundle(folder)
    return folder


@pytest.fixture(scope="module")
def server(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running_server(tmp_path_factory.mktemp("server"), bundle_dir=bundle) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: ServerProcess) -> Iterator[Client]:
    with Client(server.address) as connected:
        connected.set_enabled(OFF, False, expected_revision=0, deadline_seconds=30)
        yield connected


def over_the_wire(client: Client, company: str, seen: list[Suggestion]) -> Callable[[Snapshot], Advice]:
    """Asks the server; notes every answer in `seen`."""

    def ask(snapshot: Snapshot) -> Advice:
        answer = client.suggest(ENGINE.snapshot(snapshot), company_id=company, deadline_seconds=30)
        seen.append(answer)
        midnight = ENGINE.instant(0.0)
        drivers = {driver.id: row for row, driver in enumerate(snapshot.drivers)}
        bookings = {booking.id: row for row, booking in enumerate(snapshot.bookings)}
        picks = tuple(
            Pick(
                bookings[pick.booking_id],
                drivers[pick.driver_id],
                pick.position,
                (pick.pickup_time - midnight).total_seconds() / 60,
                (pick.promised_pickup_time - midnight).total_seconds() / 60,
            )
            for pick in answer.picks
        )
        again = answer.reevaluate_at
        return Advice(picks, None if again is None else (again - midnight).total_seconds() / 60)

    return ask


def asked_in_process(seed: int, scorer: Scorer) -> AskedDay:
    day = generate_day(scenario_named("clinic-day"), seed)
    return ask_through(day, lambda snapshot: advice_of(decide(snapshot, scorer)))


def assert_same_day(served: AskedDay, own: AskedDay) -> None:
    """Event by event: the instant, every pick in its order, its times and when to ask again; then what it all cost."""
    assert [picks for _, picks in served.moves()] == [picks for _, picks in own.moves()]
    for (one, mine), (other, theirs) in zip(served.events, own.events, strict=True):
        assert one.now == pytest.approx(other.now, abs=NEAR)
        assert mine.reevaluate_at == pytest.approx(theirs.reevaluate_at, abs=NEAR)
        for pick, expected in zip(mine.picks, theirs.picks, strict=True):
            assert pick.pickup_time == pytest.approx(expected.pickup_time, abs=NEAR)
            assert pick.promised_pickup_time == pytest.approx(expected.promised_pickup_time, abs=NEAR)
    assert served.cost == pytest.approx(own.cost, abs=1e-3)


def assert_right_day(served: AskedDay) -> None:
    """The independent validator finds nothing, and nobody slept past the instant at which to ask again."""
    assert [str(violation) for violation in validate_day(served.record)] == []
    for (snapshot, advice), (following, _) in zip(served.events, served.events[1:], strict=False):
        if any(booking.time_confirmed for booking in snapshot.bookings):  # else there is nothing to be late for
            assert advice.reevaluate_at is not None
            assert following.now <= advice.reevaluate_at + NEAR
    assert sum(len(advice.picks) for _, advice in served.events) == len(served.record.trips) > 5
    assert any(not advice.picks for _, advice in served.events), "a day without waiting proves too little"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_model_plays_the_same_day_over_the_wire(client: Client, bundle: Path, seed: int) -> None:
    model = load_bundle(bundle).model
    answers: list[Suggestion] = []
    day = generate_day(scenario_named("clinic-day"), seed)
    served = ask_through(day, over_the_wire(client, COMPANY, answers))
    assert {answer.provenance.source for answer in answers} == {Source.MODEL}
    assert_same_day(served, asked_in_process(seed, model))
    assert_right_day(served)
    # what `evaluate` reports of this policy is what customers get
    assert served.cost == pytest.approx(float(play([day], model).cost()[0]), abs=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_switched_off_the_heuristic_plays_the_same_day(client: Client, seed: int) -> None:
    answers: list[Suggestion] = []
    day = generate_day(scenario_named("clinic-day"), seed)
    served = ask_through(day, over_the_wire(client, OFF, answers))
    assert {answer.provenance.fallback_reason for answer in answers} == {FallbackReason.DISABLED}
    assert_same_day(served, asked_in_process(seed, CheapestInsertion()))
    assert_right_day(served)
    assert served.cost == pytest.approx(float(play([day], CheapestInsertion()).cost()[0]), abs=1e-3)


def test_the_model_and_the_heuristic_play_different_days(bundle: Path) -> None:
    """Otherwise the tests above could not tell one from the other."""
    model = load_bundle(bundle).model
    assert any(
        asked_in_process(seed, model).moves() != asked_in_process(seed, CheapestInsertion()).moves() for seed in SEEDS
    )
