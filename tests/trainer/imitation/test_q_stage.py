"""The Q stage: rollouts measure what they say, and its losses are the numbers worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from qdispatch_domain.heuristics import CheapestInsertion
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Situation
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.imitation.advantage_loss import Outcomes, advantage_loss, value_loss
from qdispatch_trainer.imitation.q_stage import QStageConfig, mean_gain
from qdispatch_trainer.imitation.reading import PAIR, SetReading, Values
from qdispatch_trainer.imitation.rollout_play import Remembered, Sampling, play_rollouts, sampled_decisions
from qdispatch_trainer.imitation.states import STATE
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.play import play_round

CLINIC = scenario_named("clinic-day")
DAYS = [generate_day(CLINIC, seed) for seed in range(6)]
OFTEN = Sampling(rate=1.0, floor=0.2)


class Priced:
    """A policy with values: minus the cost of a pair, `wait_min` minutes for waiting."""

    def __init__(self, wait_min: float) -> None:
        self.wait_min, self.asked = wait_min, 0

    def score(self, situation: Situation) -> Scores:
        self.asked += 1
        return Scores(-situation.table.total, np.full(situation.fleet.days, self.wait_min))


def test_losses_by_hand() -> None:
    values = Values(
        q_pair=torch.tensor([5.0, -2.0, 0.0]),
        q_wait=torch.tensor([1.0, 4.0]),
        state=torch.tensor([0, 0, 1]),
        booking=torch.tensor([0, 0, 1]),
        bookings=2,
    )
    outcomes = Outcomes(torch.tensor([True, False, True]), torch.tensor([9.0, 7.0, -500.0]), torch.tensor([19.0, 4.0]))
    # advantages 4 and -4 against 9 and -100 (clipped), in units of 10
    expected = (0.5 * 0.5**2 + (9.6 - 0.5)) / 2
    assert advantage_loss(values, outcomes, 10.0, 100.0).item() == pytest.approx(expected)
    # values 1 and 4 against -19 and -4, in units of 10
    assert value_loss(values, outcomes, 10.0).item() == pytest.approx(((2.0 - 0.5) + 0.5 * 0.8**2) / 2)


def test_nothing_tried_is_no_loss() -> None:
    values = Values(
        torch.ones(1), torch.ones(1), torch.zeros(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64), 1
    )
    nothing = Outcomes(torch.tensor([False]), torch.tensor([9.0]), torch.tensor([0.0]))
    assert advantage_loss(values, nothing, 10.0, 100.0).item() == 0.0


def test_decisions_are_of_one_booking_a_day_best_first_and_never_forced() -> None:
    batch, policy, rng = DayBatch(DAYS), Priced(-20.0), np.random.default_rng(0)
    found = 0
    while not batch.over.all():
        situation = batch.situation()
        if len(situation.table.rank):
            scores = policy.score(situation)
            decisions = sampled_decisions(situation, scores, OFTEN, rng)
            pairs = situation.table.insertion
            assert len({int(pairs.day[tried[0]]) for tried in decisions}) == len(decisions)
            for tried in decisions:
                same = (pairs.day == pairs.day[tried[0]]) & (pairs.booking == pairs.booking[tried[0]])
                assert not situation.table.must[pairs.day[tried[0]], pairs.booking[tried[0]]]
                assert np.all(same[tried])
                assert len(tried) == min(2, int(same.sum()))
                best = np.sort(scores.q_pair[same])[::-1][: len(tried)]
                np.testing.assert_array_equal(scores.q_pair[tried], best)
                found += 1
        play_round(batch, CheapestInsertion())
    assert found > 50


def test_gains_and_remaining_costs_are_the_branches_differences() -> None:
    states = play_rollouts(DAYS, CheapestInsertion(), SetReading(), OFTEN, (0,))
    pairs, own = states.columns[PAIR], states.columns[STATE]
    assert set(own) == {"context", "remaining"}
    tried = pairs["tried"].astype(bool)
    per_state = np.bincount(states.rows_of(PAIR)[tried], minlength=len(states))
    assert len(states) > 20
    assert set(per_state.tolist()) <= {1, 2}
    assert np.all(pairs["gain"][~tried] == 0.0)
    assert np.any(pairs["gain"][tried] != 0.0)
    assert np.all(own["remaining"].astype(float) > 0.0)
    assert mean_gain(states) == pytest.approx(float(pairs["gain"][tried].astype(float).mean()))
    again = play_rollouts(DAYS, CheapestInsertion(), SetReading(), OFTEN, (0,))
    np.testing.assert_array_equal(again.columns[PAIR]["gain"], pairs["gain"])


def test_nothing_tried_has_the_same_layout() -> None:
    none = play_rollouts(DAYS[:1], CheapestInsertion(), SetReading(), Sampling(rate=1e-9, floor=1e-9), (0,))
    some = play_rollouts(DAYS[:1], CheapestInsertion(), SetReading(), OFTEN, (0,))
    assert len(none) == 0
    assert {g: set(c) for g, c in none.columns.items()} == {g: set(c) for g, c in some.columns.items()}


def test_a_situation_is_scored_once() -> None:
    policy = Priced(0.0)
    remembered = Remembered(policy)
    batch = DayBatch(DAYS)
    for _ in range(3):
        remembered.score(batch.situation())
    assert policy.asked == 1
    batch.wait(np.ones(6, dtype=bool) & ~batch.must_decide())
    remembered.score(batch.situation())
    assert policy.asked == 2


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rounds": -1}, "rounds"),
        ({"batch_size": 0}, "batch_size"),
        ({"days_per_round": {}}, "days_per_round"),
        ({"learning_rate": 1e-6}, "final_learning_rate"),
        ({"anchor_weight": -1.0}, "anchor_weight"),
        ({"clip_min": 0.0}, "clip_min"),
        ({"sampling": {"rate": 0.0}}, "rate"),
        ({"sampling": {"drivers": 0}}, "drivers"),
    ],
)
def test_settings_are_checked(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        QStageConfig.from_dict(wrong)
