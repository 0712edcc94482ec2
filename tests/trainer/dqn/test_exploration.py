"""Epsilon-greedy and its schedule."""

from __future__ import annotations

import numpy as np
import pytest

from qdispatch_trainer.dqn.exploration import EpsilonSchedule, explore


def test_linear_then_constant() -> None:
    schedule = EpsilonSchedule(start=0.5, end=0.1, decay_share=0.5)
    assert [schedule.at(step) for step in (0.0, 0.25, 0.5, 1.0)] == pytest.approx([0.5, 0.3, 0.1, 0.1])


@pytest.mark.parametrize("bad", [(0.1, 0.5, 0.5), (1.1, 0.0, 0.5), (0.5, -0.1, 0.5), (0.5, 0.1, 0.0), (0.5, 0.1, 1.5)])
def test_schedule_is_checked_when_built(bad: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        EpsilonSchedule(*bad)


def test_only_feasible_actions_are_explored_and_all_of_them() -> None:
    rng = np.random.default_rng(0)
    mask = np.array([False, True, False, True, True])
    assert {explore(3, mask, 1.0, rng) for _ in range(200)} == {1, 3, 4}
    assert {explore(3, mask, 0.0, rng) for _ in range(50)} == {3}
