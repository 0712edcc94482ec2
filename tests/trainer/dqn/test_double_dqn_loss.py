"""The loss against values computed by hand."""

from __future__ import annotations

import pytest
import torch

from qdispatch_trainer.dqn.double_dqn_loss import best_feasible, double_dqn_target, huber_loss

# Two situations: 0 has actions at 0, 2, 3; 1 has actions at 1, 4.
SITUATION = torch.tensor([0, 1, 0, 0, 1])
ONLINE = torch.tensor([1.0, 5.0, 9.0, 3.0, 2.0])
TARGET = torch.tensor([10.0, 50.0, 90.0, 30.0, 20.0])
ALL = torch.ones(5, dtype=torch.bool)


def target(mask: torch.Tensor, **changes: torch.Tensor) -> list[float]:
    arguments = {
        "reward_G": torch.tensor([-1.0, -2.0]),
        "discount_G": torch.tensor([1.0, 0.5]),
        "terminated_G": torch.tensor([False, False]),
        "next_online_A": ONLINE,
        "next_target_A": TARGET,
        "next_mask_A": mask,
        "next_situation_A": SITUATION,
    } | changes
    return double_dqn_target(**arguments).tolist()


def test_the_online_network_chooses_and_the_target_network_values() -> None:
    # online picks action 2 (9.0) and action 1 (5.0); the target values them 90 and 50
    assert target(ALL) == [-1.0 + 90.0, -2.0 + 0.5 * 50.0]
    # where the target network would choose otherwise, the online choice still holds
    assert target(ALL, next_target_A=torch.tensor([100.0, 1.0, 7.0, 0.0, 99.0])) == [-1.0 + 7.0, -2.0 + 0.5 * 1.0]


def test_an_infeasible_action_never_reaches_the_target() -> None:
    mask = torch.tensor([True, False, False, True, True])
    assert target(mask) == [-1.0 + 30.0, -2.0 + 0.5 * 20.0]


def test_a_terminated_day_has_no_bootstrap_and_a_truncated_one_has() -> None:
    assert target(ALL, terminated_G=torch.tensor([True, False])) == [-1.0, -2.0 + 25.0]


def test_nothing_feasible_means_no_future_and_no_nan() -> None:
    mask = torch.tensor([False, True, False, False, True])
    assert target(mask) == [-1.0, -2.0 + 25.0]
    best = best_feasible(ONLINE, mask, SITUATION, 2)
    assert best.index_G.tolist() == [-1, 1]
    assert best.value_G.tolist() == [0.0, 5.0]


def test_ties_go_to_the_first_action() -> None:
    best = best_feasible(torch.zeros(5), torch.tensor([False, True, True, True, True]), SITUATION, 2)
    assert best.index_G.tolist() == [2, 1]


def test_huber_by_hand() -> None:
    error = torch.tensor([0.5, -3.0])
    # width 2: 0.5 * 0.25 / 2 = 0.0625; 3 - 1 = 2
    assert huber_loss(error, torch.ones(2), 2.0).item() == pytest.approx((0.0625 + 2.0) / 2)
    assert huber_loss(error, torch.tensor([1.0, 0.5]), 2.0).item() == pytest.approx((0.0625 + 1.0) / 2)


def test_huber_is_smooth_at_its_width() -> None:
    for width in (0.5, 1.0, 3.0):
        error = torch.tensor([width], requires_grad=True)
        (slope,) = torch.autograd.grad(huber_loss(error, torch.ones(1), width), error)
        assert slope.item() == pytest.approx(1.0)
