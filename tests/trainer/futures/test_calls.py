"""Sampled calls follow the demand's own distribution, given the outbound leg and the clock."""

from __future__ import annotations

import numpy as np
import pytest

from qdispatch_trainer.futures.calls import CallTimes
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.simulator.truth import Truth, stack

DAYS = 400


@pytest.fixture(scope="module")
def truth() -> Truth:
    return stack([generate_day(scenario_named("fleet-10x60"), seed) for seed in range(DAYS)])


def of_calls(truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    """Every return that calls when ready."""
    day, booking = np.nonzero(truth.is_return & truth.booking_real & (truth.ready_at == truth.scheduled))
    called = truth.known_since[day, booking] < truth.ready_at[day, booking]
    return day[called], booking[called]


@pytest.mark.parametrize("now", [0.0, 720.0, 900.0])
def test_the_real_calls_are_uniform_in_the_sampled_distribution(truth: Truth, now: float) -> None:
    """If the distribution is right, the real call falls before the sampled one at `share` in a `share` of the cases."""
    day, booking = of_calls(truth)
    later = truth.scheduled[day, booking] > now
    day, booking = day[later], booking[later]
    assert len(day) > 1_000
    calls, clock = CallTimes(truth), np.full(len(day), now)
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        sampled = calls.at(day, booking, clock, np.full(len(day), share))
        before = float((truth.scheduled[day, booking] < sampled).mean())
        assert before == pytest.approx(share, abs=0.04)


def test_never_before_now_and_in_the_order_of_the_shares(truth: Truth) -> None:
    day, booking = of_calls(truth)
    calls, now = CallTimes(truth), np.full(len(day), 840.0)
    low = calls.at(day, booking, now, np.full(len(day), 0.2))
    high = calls.at(day, booking, now, np.full(len(day), 0.8))
    finite = np.isfinite(high)
    assert (low[finite] >= 840.0).all()
    assert (low[finite] <= high[finite]).all()
    assert np.array_equal(finite, np.isfinite(low))


def test_who_should_have_called_by_now_never_calls(truth: Truth) -> None:
    day, booking = of_calls(truth)
    calls = CallTimes(truth)
    assert np.isinf(calls.at(day, booking, np.full(len(day), 1_300.0), np.full(len(day), 0.5))).all()
