"""What the simulator refuses, and how time passes."""

import numpy as np
import pytest

from qdispatch_domain.validator.roads import Roads
from qdispatch_trainer.simulator.day_batch import WAIT, DayBatch
from qdispatch_trainer.simulator.day_log import DayLog, day_record
from qdispatch_trainer.simulator.progress import Fate
from tests.trainer.simulator.played import days_of, played


def waits(batch: DayBatch) -> np.ndarray:
    return np.full(len(batch), WAIT, dtype=np.int64)


def test_waiting_is_refused_at_a_decide_by() -> None:
    batch = DayBatch(days_of("clinic-day", 2))
    while not batch.must_decide().any():
        batch.step(waits(batch))
    now = batch.now
    for attempt in (lambda: batch.step(waits(batch)), lambda: batch.wait(np.ones(2, dtype=bool))):
        with pytest.raises(ValueError, match="decide_by"):
            attempt()
    assert np.array_equal(batch.now, now)


def test_a_pair_of_another_day_is_refused() -> None:
    batch = DayBatch(days_of("clinic-day", 2))
    day = batch.situation().table.insertion.day
    with pytest.raises(ValueError, match="its own day"):
        batch.step(np.array([np.flatnonzero(day == 1)[0], WAIT]))


def test_a_booking_is_committed_once() -> None:
    batch = DayBatch(days_of("clinic-day", 1))
    chosen = batch.situation().table.insertion.take(np.array([0]))
    promised = np.array([batch.truth.scheduled[0, chosen.booking[0]]])
    batch.insert(chosen.day, chosen.driver, chosen.booking, chosen.position, promised)
    with pytest.raises(ValueError, match="open"):
        batch.insert(chosen.day, chosen.driver, chosen.booking, chosen.position, promised)
    twice = batch.situation().table.insertion.take(np.array([0, 0]))
    with pytest.raises(ValueError, match="at most once"):
        batch.insert(twice.day, twice.driver, twice.booking, twice.position, np.array([500.0, 500.0]))


def test_waiting_moves_forward_to_an_event() -> None:
    batch = DayBatch(days_of("clinic-day", 3))
    for _ in range(25):
        before, over, must = batch.now, batch.over, batch.must_decide()
        batch.wait(~must)
        assert (batch.now[~over & ~must] > before[~over & ~must]).all()
        assert (batch.now[must] == before[must]).all()


def test_bookings_are_seen_when_they_are_known_and_open_when_they_are_ready() -> None:
    batch = DayBatch(days_of("fleet-10x60", 2))
    unready = 0
    for _ in range(60):
        batch.wait(~batch.must_decide())
        if batch.must_decide().any():
            table = batch.situation().table
            first = [np.flatnonzero(table.insertion.day == n)[:1] for n in np.flatnonzero(batch.must_decide())]
            batch.insert_pairs(np.concatenate(first))
        now = batch.now[:, None]
        untouched = batch.progress.fate == Fate.OPEN
        assert np.array_equal(batch.fleet.booking_real, untouched & (batch.truth.known_since <= now))
        assert np.array_equal(batch.fleet.open, untouched & (batch.truth.ready_at <= now))
        assert (batch.truth.expires[batch.fleet.open] > np.broadcast_to(now, untouched.shape)[batch.fleet.open]).all()
        unready += int((batch.fleet.booking_real & ~batch.fleet.open).sum())
    assert unready > 0


def test_two_policies_meet_the_same_day() -> None:
    """The same bookings, calls and noise, whatever was decided; the trips of both took their own factors."""
    one, _ = played("fleet-10x60", "cheapest", 3)
    other, _ = played("fleet-10x60", "random", 3)
    both = (one.progress.fate == Fate.DONE) & (other.progress.fate == Fate.DONE)
    assert both.sum() > 100
    for batch in (one, other):
        service = batch.progress.left_pickup_at - batch.progress.picked_up_at
        assert service[both] == pytest.approx(batch.truth.pickup_service[both])
    assert not np.array_equal(one.progress.departed_at[both], other.progress.departed_at[both])
    for name in ("scheduled", "known_since", "ready_at", "deadhead_factor", "loaded_factor", "pickup_service"):
        assert np.array_equal(getattr(one.truth, name), getattr(other.truth, name))


def test_trips_take_their_own_realised_times() -> None:
    batch, log = played("fleet-10x60", "cheapest", 3)
    roads = Roads()
    for n in range(len(batch)):
        rows = batch.truth.days[n].bookings
        record = day_record(batch, n, log)
        truth = {row.booking.id: row.booking for row in record.bookings}
        for trip in record.trips:
            b, booking = rows.ids.index(trip.booking_id), truth[trip.booking_id]
            assert booking.pickup is not None
            assert booking.dropoff is not None
            empty = roads.free_flow_min(trip.departed_from, booking.pickup) * rows.deadhead_factor[b]
            loaded = roads.free_flow_min(booking.pickup, booking.dropoff) * rows.loaded_factor[b]
            assert roads.free_flow_between(trip.departed_at, trip.arrived_at) == pytest.approx(empty, abs=1e-6)
            driven = roads.free_flow_between(trip.left_pickup_at, trip.reached_dropoff_at)
            assert driven == pytest.approx(loaded, abs=1e-6)
            assert trip.left_pickup_at - trip.picked_up_at == pytest.approx(5.0 * rows.pickup_service_factor[b])
            assert trip.done_at - trip.reached_dropoff_at == pytest.approx(10.0 * rows.dropoff_service_factor[b])
            assert trip.picked_up_at == pytest.approx(max(trip.arrived_at, rows.scheduled_time[b]))


def test_what_needs_a_finished_day_says_so() -> None:
    batch = DayBatch(days_of("clinic-day", 1))
    with pytest.raises(ValueError, match="over"):
        batch.final_terms()
    with pytest.raises(ValueError, match="over"):
        day_record(batch, 0, DayLog())
    with pytest.raises(ValueError, match="at least one day"):
        DayBatch([])
