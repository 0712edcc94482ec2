"""What the network should have done, as pure functions: commit now or not, and whom, as the teacher did.

With l = (Q(pair) - Q(wait)) / unit, three terms per state, each a mean so that a large fleet's state weighs what a
small one's does:
* commit: binary cross-entropy of l against "the teacher commits this pair now", summed over a booking's pairs, mean
  over the bookings;
* driver: cross-entropy of the softmax of l over a booking's pairs against the pair the teacher ranks first, over the
  bookings it commits, and with `plan_weight` over the others;
* forced: while bookings must be decided, cross-entropy of the softmax over their pairs against those the teacher
  commits: the decoder then takes the best of them, whatever Q(wait) says.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from qdispatch_trainer.imitation.reading import Values


@dataclass(frozen=True, slots=True)
class Labels:
    """The teacher's word on P pairs, each [P] bool."""

    commit: Tensor
    preferred: Tensor
    must: Tensor


@dataclass(frozen=True, slots=True)
class ImitationTerms:
    """The three terms, each a mean over the states of the batch."""

    commit: Tensor
    driver: Tensor
    forced: Tensor


def imitation_terms(values: Values, labels: Labels, unit_min: float, plan_weight: float) -> ImitationTerms:
    """The terms of the loss; `unit_min` minutes-equivalent of advantage are one unit of the logit."""
    size = values.q_wait.shape[0]
    logit = (values.q_pair - values.q_wait[values.state]) / unit_min
    commit = labels.commit.to(logit.dtype)
    state_of_booking = torch.zeros(values.bookings, dtype=torch.int64)
    state_of_booking[values.booking] = values.state

    bce = torch.nn.functional.binary_cross_entropy_with_logits(logit, commit, reduction="none")
    present = torch.zeros(values.bookings)
    present[values.booking] = 1.0
    bookings = torch.zeros(size).index_add_(0, state_of_booking, present).clamp(min=1.0)
    of_state = torch.zeros(size).index_add_(0, values.state, bce)

    per_booking = group_log_softmax(logit, values.booking, values.bookings)
    committed = torch.zeros(values.bookings).index_add_(0, values.booking, commit).clamp(max=1.0)
    weight = committed + plan_weight * (present - committed)
    preferred = labels.preferred.to(logit.dtype)
    wrong = torch.zeros(size).index_add_(0, values.state, -per_booking * preferred * weight[values.booking])
    total = torch.zeros(size).index_add_(0, state_of_booking, weight).clamp(min=1.0)

    return ImitationTerms(
        commit=(of_state / bookings).mean(),
        driver=(wrong / total).mean(),
        forced=_forced(logit, commit, labels.must, values.state, size),
    )


def _forced(logit: Tensor, commit: Tensor, must: Tensor, state: Tensor, size: int) -> Tensor:
    """Cross-entropy against an even share for each pair that the teacher commits among those that must be decided."""
    rows = torch.nonzero(must).flatten()
    of_state = state[rows]
    wanted = commit[rows]
    total = torch.zeros(size).index_add_(0, of_state, wanted)
    log_p = group_log_softmax(logit[rows], of_state, size)
    share = wanted / total.clamp(min=1.0)[of_state]
    return -(share * log_p).sum() / size


def group_log_softmax(logit: Tensor, group: Tensor, groups: int) -> Tensor:
    """log softmax [P] of the logits within each group."""
    top = torch.full((groups,), -torch.inf).scatter_reduce(0, group, logit.detach(), reduce="amax")
    shifted = logit - top[group]
    total = torch.zeros(groups).index_add_(0, group, shifted.exp())
    return shifted - torch.log(total)[group]
