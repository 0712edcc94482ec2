"""What may still come up: sampled, soon, and never what the day really has in store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np

from qdispatch_domain.reasons import BookingGap
from qdispatch_trainer.day import Day
from qdispatch_trainer.futures.expected import Expected, Futures
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.simulator.day_batch import DayBatch

AHEAD = 90.0
SCENARIO = scenario_named("urgent-heavy")


def at_noon(days: Sequence[Day]) -> DayBatch:
    batch = DayBatch(days)
    while batch.now.min() < 720.0:
        batch.wait_until(batch.now < 720.0, np.full(len(days), 720.0))
    return batch


def expected_at_noon(days: Sequence[Day], futures: int = 6, seed: int = 1) -> tuple[DayBatch, Expected]:
    batch = at_noon(days)
    fleet = batch.situation().fleet
    return batch, Futures(days, futures, AHEAD, (seed,)).expected(fleet, np.arange(len(days)))


def test_everything_comes_up_after_now_and_soon() -> None:
    batch, expected = expected_at_noon([generate_day(SCENARIO, seed) for seed in (1, 2)])
    now = batch.now[expected.day]
    assert len(expected.day) > 20
    assert (expected.scheduled >= now).all()
    assert (expected.scheduled < now + AHEAD).all()
    assert (np.diff(expected.day * 6 + expected.future) >= 0).all()


def test_nothing_unannounced_of_the_day_itself() -> None:
    """A day that differs only in what nobody knows at noon has the same futures."""
    day = generate_day(SCENARIO, 3)
    rows = day.bookings
    secret, uncalled = rows.known_since > 720.0, rows.call_when_ready & (rows.ready_at > 720.0)
    assert secret.sum() > 3
    assert (uncalled & ~secret).sum() > 3
    later = np.where(uncalled, 17.0, 0.0)
    other = replace(
        rows,
        pickup_latitude=rows.pickup_latitude + np.where(secret, 0.02, 0.0),
        urgent=rows.urgent ^ secret,
        scheduled_time=rows.scheduled_time + later,
        ready_at=rows.ready_at + later,
    )
    (batch, first), (changed, second) = (expected_at_noon([each]) for each in (day, replace(day, bookings=other)))
    assert batch.now[0] == changed.now[0]
    for column in fields(Expected):
        assert np.array_equal(getattr(first, column.name), getattr(second, column.name)), column.name


def test_announced_returns_are_in_it() -> None:
    days = [generate_day(SCENARIO, seed) for seed in range(4)]
    batch, expected = expected_at_noon(days, futures=20)
    fleet = batch.situation().fleet
    for n in range(4):
        waiting = np.flatnonzero((fleet.booking_gap[n] == BookingGap.NOT_READY) & fleet.booking_real[n])
        homes = {tuple(place) for place in fleet.dropoff[n, waiting].tolist()}
        found = {tuple(place) for place in expected.dropoff[expected.day == n].tolist()}
        assert homes & found


def test_a_future_stays_the_same_while_the_clock_goes_on() -> None:
    days = [generate_day(SCENARIO, 7)]
    batch = at_noon(days)
    futures = Futures(days, 5, AHEAD, (1,))
    first = futures.expected(batch.situation().fleet, np.arange(1))
    batch.wait_until(np.ones(1, dtype=np.bool_), batch.now + 1.0)
    second = futures.expected(batch.situation().fleet, np.arange(1))
    before = {(k, *place) for k, place in zip(first.future.tolist(), first.pickup.tolist(), strict=True)}
    after = {(k, *place) for k, place in zip(second.future.tolist(), second.pickup.tolist(), strict=True)}
    assert len(before & after) > 0.7 * len(before | after)
