"""The alarm rings for each of its three signs and stays silent otherwise."""

from __future__ import annotations

import math

import pytest

from qdispatch_trainer.dqn.divergence_alarm import Diverged, DivergenceAlarm


def test_silent_while_errors_shrink() -> None:
    alarm = DivergenceAlarm(value_limit_min=1_000, grace_updates=10)
    for update in range(500):
        alarm.check(loss=1.0, mean_abs_error_min=100.0 / (1 + update), largest_q_min=500.0)
    assert alarm.updates == 500


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_not_finite(loss: float) -> None:
    with pytest.raises(Diverged, match="loss"):
        DivergenceAlarm(value_limit_min=1_000).check(loss, 1.0, 1.0)


def test_values_beyond_any_day() -> None:
    with pytest.raises(Diverged, match="no day can cost"):
        DivergenceAlarm(value_limit_min=1_000).check(1.0, 1.0, 1_001.0)


def test_errors_that_keep_growing() -> None:
    alarm = DivergenceAlarm(value_limit_min=1e9, grace_updates=10, smoothing=0.1)

    def grow() -> None:
        for update in range(200):
            alarm.check(1.0, 1.1**update, 1.0)

    with pytest.raises(Diverged, match="TD error grew"):
        grow()
