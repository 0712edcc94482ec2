"""The Q stage's losses, as pure functions: advantages and values regressed on what rollouts returned."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from qdispatch_trainer.imitation.reading import Values


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What the branches of G states returned; minutes-equivalent."""

    tried: Tensor  # [P] bool
    gain: Tensor  # [P] cost of holding minus cost of committing this pair
    remaining: Tensor  # [G] cost still to come when the booking is held


def advantage_loss(values: Values, outcomes: Outcomes, unit_min: float, clip_min: float) -> Tensor:
    """Mean Huber loss of Q(pair) - Q(wait) against the gains of the tried pairs, in units of `unit_min`.

    A gain is clipped to +-`clip_min`: one booking unserved (1,000) in one copy by chance would drown everything else.
    """
    rows = torch.nonzero(outcomes.tried).flatten()
    advantage = values.q_pair[rows] - values.q_wait[values.state[rows]]
    target = outcomes.gain[rows].clamp(-clip_min, clip_min)
    return torch.nn.functional.huber_loss(advantage / unit_min, target / unit_min, reduction="sum") / max(len(rows), 1)


def value_loss(values: Values, outcomes: Outcomes, unit_min: float) -> Tensor:
    """Mean Huber loss of Q(wait) against minus the remaining cost, in units of `unit_min`."""
    return torch.nn.functional.huber_loss(values.q_wait / unit_min, -outcomes.remaining / unit_min)
