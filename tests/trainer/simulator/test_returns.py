"""The reward is the growth of the cost: on noisy days the undiscounted return is C(start) - C(end)."""

import math

import numpy as np
import pytest

from qdispatch_domain.day_record import DayRecord
from qdispatch_domain.snapshot import DriverKind, Leg
from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.simulator.day_batch import WAIT, DayBatch
from qdispatch_trainer.simulator.day_log import day_record
from tests.trainer.simulator.played import days_of, played


def first_pairs(batch: DayBatch, share: float, random: np.random.Generator) -> np.ndarray:
    """On every day a random pair with probability `share` (always where waiting is masked), else WAIT."""
    day = batch.situation().table.insertion.day
    act = (random.random(len(batch)) < share) | batch.must_decide()
    chosen = np.full(len(batch), WAIT, dtype=np.int64)
    for n in np.unique(day):
        if act[n]:
            chosen[n] = random.choice(np.flatnonzero(day == n))
    return chosen


@pytest.mark.parametrize("scenario", ["clinic-day", "fleet-10x60"])
def test_the_return_is_the_cost_at_the_start_minus_the_cost_at_the_end(scenario: str) -> None:
    batch = DayBatch(days_of(scenario, 4))
    random = np.random.default_rng(3)
    start = batch.cost()
    total = np.zeros(len(batch))
    kinds = set()
    while not batch.over.all():
        chosen = first_pairs(batch, 0.15, random)
        predicted = batch.situation().table.total[np.maximum(chosen, 0)] if len(batch.situation().table.total) else 0.0
        reward = batch.step(chosen)
        inserted = (chosen != WAIT) & ~batch.over
        assert reward[inserted] == pytest.approx(-np.broadcast_to(predicted, reward.shape)[inserted], abs=1e-6)
        kinds |= set((chosen != WAIT).tolist())
        total += reward
    assert kinds == {True, False}
    assert total == pytest.approx(start - batch.cost(), abs=1e-6)
    assert batch.cost() == pytest.approx(batch.final_terms().total, abs=1e-9)
    assert (batch.step(np.full(len(batch), WAIT)) == 0.0).all()


@pytest.mark.parametrize("policy", ["cheapest", "random"])
@pytest.mark.parametrize("scenario", ["clinic-day", "urgent-heavy"])
def test_the_final_cost_is_that_of_the_day_as_it_was_driven(scenario: str, policy: str) -> None:
    batch, log = played(scenario, policy, 3)
    terms = batch.final_terms()
    for n in range(len(batch)):
        expected = cost_of(day_record(batch, n, log))
        assert terms.of_day(n) == pytest.approx(expected, abs=1e-6)
        assert batch.cost()[n] == pytest.approx(sum(expected.values()), abs=1e-6)
    assert sum(terms.total) > 0.0


def cost_of(record: DayRecord) -> dict[str, float]:
    """C(end) by term, by scalar code over the record's rows only."""
    bookings = {row.booking.id: row.booking for row in record.bookings}
    drivers = {driver.id: driver for driver in record.drivers}
    deadhead = sum(home.arrived_at - home.departed_at for home in record.home_drives)
    lateness, emergency = 0.0, 0.0
    legs = dict.fromkeys(drivers, 0)
    for trip in record.trips:
        booking = bookings[trip.booking_id]
        assert booking.scheduled_time is not None
        deadhead += trip.arrived_at - trip.departed_at
        tolerance, rate = (0.0, 10.0) if booking.leg is Leg.OUTBOUND else (15.0, 1.0)
        lateness += rate * max(0.0, trip.picked_up_at - booking.scheduled_time - tolerance)
        emergency += 30.0 if drivers[trip.driver_id].kind is DriverKind.EMERGENCY else 0.0
        legs[trip.driver_id] += 1
    unserved = sum(2000.0 if bookings[row.booking_id].urgent else 1000.0 for row in record.unserved)
    x = [legs[d.id] / d.contract_share for d in record.drivers if d.kind is DriverKind.REGULAR]
    mean = sum(x) / len(x)
    spread = math.sqrt(len(x) * sum((value - mean) ** 2 for value in x))
    return {
        "deadhead": WEIGHTS.deadhead_per_min * deadhead,
        "lateness": lateness,
        "emergency": emergency,
        "driver_change": 0.0,
        "unserved": unserved,
        "spread": 15.0 * spread,
    }
