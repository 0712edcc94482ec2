"""One simulator: a day runs the same alone, in a batch, and as a snapshot."""

import dataclasses

import numpy as np
import pytest

from qdispatch_domain.fleet import Fleet
from qdispatch_domain.observation import Observation
from qdispatch_domain.packing import pack
from qdispatch_domain.situation import Situation
from qdispatch_domain.snapshot import Snapshot, TripStatus
from qdispatch_trainer.scenarios import SCENARIOS
from qdispatch_trainer.simulator.day_batch import WAIT, DayBatch
from qdispatch_trainer.simulator.play import play_round
from tests.trainer.simulator.played import days_of, scorer

Trace = list[tuple[float, int, float, bytes]]


def observation_bytes(observation: Observation) -> bytes:
    return b"".join(getattr(observation, field.name).tobytes() for field in dataclasses.fields(Observation))


def choose(batch: DayBatch, n: int) -> int:
    """A policy that looks at its own day only: insert where it must or at every third instant, else wait."""
    table = batch.situation().table
    own = np.flatnonzero(table.insertion.day == n)
    if not len(own) or not (batch.must_decide()[n] or int(batch.now[n]) % 3 == 0):
        return WAIT
    return int(own[np.argmin(table.total[own])])


def traces(scenario: str, seeds: list[int]) -> list[Trace]:
    batch = DayBatch([day for seed in seeds for day in days_of(scenario, 1, seed)])
    out: list[Trace] = [[] for _ in seeds]
    while not batch.over.all():
        running, now = ~batch.over, batch.now
        observations = batch.situation().observations
        chosen = np.array([choose(batch, n) if running[n] else WAIT for n in range(len(batch))])
        first = np.searchsorted(batch.situation().table.insertion.day, np.arange(len(batch)))
        reward = batch.step(chosen)
        for n in np.flatnonzero(running):
            local = WAIT if chosen[n] == WAIT else int(chosen[n] - first[n])
            out[n].append((float(now[n]), local, float(reward[n]), observation_bytes(observations.one(int(n)))))
    return out


@pytest.mark.parametrize(("scenario", "many"), [("clinic-day", 64), ("fleet-10x60", 16)])
def test_traces_of_one_and_of_many_days_are_equal_to_the_bit(scenario: str, many: int) -> None:
    batch = traces(scenario, list(range(many)))
    for seed in (0, 1, many - 1):
        (alone,) = traces(scenario, [seed])
        assert len(alone) == len(batch[seed]) > 20
        assert alone == batch[seed]


@pytest.mark.parametrize("scenario", ["clinic-day", "fleet-10x60", "classic-10x20", "urgent-heavy"])
@pytest.mark.parametrize("policy", ["cheapest", "random"])
def test_a_packed_snapshot_gives_the_batchs_own_observation(scenario: str, policy: str) -> None:
    batch = DayBatch(days_of(scenario, 3, first=40))
    chooser = scorer(policy)
    seen: set[TripStatus] = set()
    rounds = 0
    while not batch.over.all():
        if rounds % 3 == 0:
            own = batch.situation().observations
            for n in np.flatnonzero(~batch.over):
                snapshot = batch.snapshot(int(n))
                seen |= {trip.status for driver in snapshot.drivers for trip in driver.trips}
                packed = Situation(pack([snapshot]))
                assert_same_observation(own.one(int(n)), packed.observations.one(0))
                assert_same_rows(batch.fleet, int(n), packed.fleet, snapshot)
        play_round(batch, chooser)
        rounds += 1
    assert seen == set(TripStatus)


def assert_same_observation(one: Observation, other: Observation) -> None:
    for field in dataclasses.fields(Observation):
        a, b = getattr(one, field.name), getattr(other, field.name)
        assert a.dtype == b.dtype
        assert np.array_equal(a, b), f"{field.name}: {np.argwhere(a != b)[:3]}"


def assert_same_rows(fleet: Fleet, n: int, packed: Fleet, snapshot: Snapshot) -> None:
    drivers = len(snapshot.drivers)
    rows = fleet.booking_code[n, fleet.booking_real[n]]
    assert len(rows) == len(snapshot.bookings)
    for name in ("anchor_time", "n_trips", "trips_done", "minutes_driven", "locked", "driver_gap", "break_start"):
        assert np.array_equal(getattr(fleet, name)[n, :drivers], getattr(packed, name)[0]), name
    for name in ("open", "booking_gap", "linked_driver", "known_since", "tolerance", "loaded", "pickup", "dropoff"):
        assert np.array_equal(getattr(fleet, name)[n, rows], getattr(packed, name)[0]), name


def test_the_larger_scenarios_give_the_same_observations_too() -> None:
    batch = DayBatch(days_of("fleet-30x200", 1))
    chooser = scorer("cheapest")
    for _ in range(40):
        play_round(batch, chooser)
    packed = Situation(pack([batch.snapshot(0)]))
    assert_same_observation(batch.situation().observations.one(0), packed.observations.one(0))


def test_scenarios_are_padded_to_their_own_maxima() -> None:
    batch = DayBatch(days_of("clinic-day", 1))
    assert batch.fleet.driver_real.shape == (1, SCENARIOS["clinic-day"].max_drivers)
    assert batch.fleet.open.shape == (1, SCENARIOS["clinic-day"].max_bookings)
