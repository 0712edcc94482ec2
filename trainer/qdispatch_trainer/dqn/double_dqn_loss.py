"""The Double DQN loss as pure functions over flat action lists (see `ActionValues`), so that both networks share it.

Shape letters: G transitions; A all actions of all G situations together; `situation_A` names each action's row.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class BestActions:
    """Per situation the feasible action of highest value; ties go to the lowest index."""

    index_G: Tensor  # [G] int64 into A; -1 where nothing is feasible
    value_G: Tensor  # [G] float32; 0 where nothing is feasible


def best_feasible(q_A: Tensor, mask_A: Tensor, situation_A: Tensor, size: int) -> BestActions:
    """Masked argmax per situation. A situation with nothing feasible gets index -1 and value 0."""
    n_action = q_A.shape[0]
    masked_A = torch.where(mask_A, q_A, torch.full_like(q_A, -torch.inf))
    top_G = torch.full((size,), -torch.inf, dtype=q_A.dtype)
    top_G = torch.scatter_reduce(top_G, 0, situation_A, masked_A, reduce="amax", include_self=True)
    is_top_A = mask_A & (masked_A == top_G[situation_A])
    position_A = torch.where(is_top_A, torch.arange(n_action), torch.full((n_action,), n_action))
    index_G = torch.full((size,), n_action, dtype=torch.int64)
    index_G = torch.scatter_reduce(index_G, 0, situation_A, position_A, reduce="amin", include_self=True)
    found_G = index_G < n_action
    return BestActions(
        index_G=torch.where(found_G, index_G, torch.full_like(index_G, -1)),
        value_G=torch.where(found_G, top_G, torch.zeros_like(top_G)),
    )


def double_dqn_target(
    reward_G: Tensor,
    discount_G: Tensor,
    terminated_G: Tensor,
    next_online_A: Tensor,
    next_target_A: Tensor,
    next_mask_A: Tensor,
    next_situation_A: Tensor,
) -> Tensor:
    """[G] targets y = r + discount x Q_target(s', argmax over feasible a of Q_online(s', a)).

    van Hasselt et al. 2016, eq. 4; the mask holds in the argmax, and with it in the value taken from the target
    network. `reward_G` is the (n-step) sum, `discount_G` what the bootstrap is multiplied by. A terminated day has
    no bootstrap; a truncated one (pass terminated False) has. A next situation with nothing feasible has no future
    that a decision can change: its bootstrap is 0.
    """
    size = reward_G.shape[0]
    best = best_feasible(next_online_A, next_mask_A, next_situation_A, size)
    value_G = next_target_A[best.index_G.clamp(min=0)]
    no_future_G = terminated_G | (best.index_G < 0)
    bootstrap_G = torch.where(no_future_G, torch.zeros_like(value_G), value_G)
    return reward_G + discount_G * bootstrap_G


def huber_loss(error_G: Tensor, weight_G: Tensor, width: float) -> Tensor:
    """Weighted mean Huber loss, quadratic up to |error| = `width` (Huber 1964, eq. 3.1; divided by width)."""
    absolute_G = error_G.abs()
    loss_G = torch.where(absolute_G <= width, 0.5 * error_G.square() / width, absolute_G - 0.5 * width)
    return (weight_G * loss_G).mean()
