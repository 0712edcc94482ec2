"""What the network should have done, as pure functions: hold a booking or commit it now, and to whom, as the teacher.

With l = (Q(pair) - Q(wait)) / unit, three terms per state, each a mean so that a large fleet's state weighs what a
small one's does:
* commit: cross-entropy of the softmax over {hold, the booking's pairs} with logits {0, l} against what the teacher does
  with the booking now, mean over the bookings. A pair is then above Q(wait) when it is likelier than holding: with a
  sigmoid per pair, a booking whose driver is in doubt between two would be held though it surely has to go;
* driver: cross-entropy of the softmax of l over a booking's pairs against the pair the teacher ranks first, over the
  bookings it does not commit yet: its plan, which labels every booking of every state;
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


def imitation_terms(values: Values, labels: Labels, unit_min: float) -> ImitationTerms:
    """The terms of the loss; `unit_min` minutes-equivalent of advantage are one unit of the logit."""
    size = values.q_wait.shape[0]
    logit = (values.q_pair - values.q_wait[values.state]) / unit_min
    commit, preferred = labels.commit.to(logit.dtype), labels.preferred.to(logit.dtype)
    state_of_booking = torch.zeros(values.bookings, dtype=torch.int64)
    state_of_booking[values.booking] = values.state
    present = torch.zeros(values.bookings)
    present[values.booking] = 1.0
    committed = torch.zeros(values.bookings).index_add_(0, values.booking, commit).clamp(max=1.0)
    held = present - committed

    def mean_of_states(of_pair: Tensor, of_booking: Tensor, counted: Tensor) -> Tensor:
        total = torch.zeros(size).index_add_(0, values.state, of_pair).index_add_(0, state_of_booking, of_booking)
        count = torch.zeros(size).index_add_(0, state_of_booking, counted).clamp(min=1.0)
        return (total / count).mean()

    log_pair, log_hold = log_softmax_with_hold(logit, values.booking, values.bookings)
    log_driver = group_log_softmax(logit, values.booking, values.bookings)
    planned = preferred * held[values.booking]
    return ImitationTerms(
        commit=mean_of_states(-log_pair * commit, -log_hold * held, present),
        driver=mean_of_states(-log_driver * planned, torch.zeros_like(held), held),
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


def log_softmax_with_hold(logit: Tensor, group: Tensor, groups: int) -> tuple[Tensor, Tensor]:
    """log softmax over {0, the logits} of each group: of the logits [P], and of the 0, which is to hold, [groups]."""
    top = torch.zeros(groups).scatter_reduce(0, group, logit.detach(), reduce="amax")
    shifted = logit - top[group]
    total = torch.exp(-top).index_add(0, group, shifted.exp())
    return shifted - torch.log(total)[group], -top - torch.log(total)
