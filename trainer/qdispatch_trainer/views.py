"""How a network sees the running days: its observation of each day, the permitted actions, and the pair behind each.

While a booking can wait no longer, only its own pairs are permitted in training: the decoder, too, commits other
bookings then only if their pairs are above Q(wait), and it asks again at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Protocol

import numpy as np
import numpy.typing as npt

from qdispatch_domain.classic import UNSEEN, classic_view
from qdispatch_domain.observation import Observation
from qdispatch_domain.situation import Situation
from qdispatch_trainer.replay.day_trace import ObservationT

I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class DayView(Generic[ObservationT]):
    """One day at one decision. `pair_of_action[a]` is the row of the candidate table, -1 for waiting (a = 0)."""

    observation: ObservationT
    mask: Bool  # [n actions]
    pair_of_action: I64  # [n actions]


class Views(Protocol[ObservationT]):
    """Makes the views of one kind of network."""

    def views(self, situation: Situation, days: I64) -> list[DayView[ObservationT]]:
        """Views of the named days; a day without any pair that the network sees has only waiting."""


def _permitted(situation: Situation) -> tuple[Bool, Bool]:
    """Which pairs [P] may be chosen, and on which days [N] waiting may be."""
    pairs, must = situation.table.insertion, situation.table.must
    forced: Bool = np.asarray(must.any(axis=1))
    return ~forced[pairs.day] | must[pairs.day, pairs.booking], ~forced


class SparseViews:
    """Sparse observations for the set network."""

    def views(self, situation: Situation, days: I64) -> list[DayView[Observation]]:
        """See `Views.views`. Arrays are copies: a view would keep the whole batch alive in the replay memory."""
        allowed, may_wait = _permitted(situation)
        day_of_pair = situation.table.insertion.day
        first, last = np.searchsorted(day_of_pair, days), np.searchsorted(day_of_pair, days, side="right")
        out = []
        for day, a, b in zip(days.tolist(), first.tolist(), last.tolist(), strict=True):
            one = situation.observations.one(day)
            observation = Observation(**{name: getattr(one, name).copy() for name in Observation.__slots__})
            mask = np.concatenate([may_wait[day : day + 1], allowed[a:b]])
            out.append(DayView(observation, mask, np.concatenate([[-1], np.arange(a, b)])))
        return out


class ClassicViews:
    """State vectors for the flat network."""

    def views(self, situation: Situation, days: I64) -> list[DayView[npt.NDArray[np.float32]]]:
        """See `Views.views`. A forced booking beyond the 20th slot cannot be chosen: then any seen pair may be."""
        view = classic_view(situation)
        allowed, may_wait = _permitted(situation)
        n_action = view.mask(situation).shape[1]
        day_of_pair = situation.table.insertion.day
        out = []
        for day in days.tolist():
            seen = np.flatnonzero((day_of_pair == day) & (view.pair_action != UNSEEN))
            pair_of_action = np.full(n_action, -1, dtype=np.int64)
            pair_of_action[view.pair_action[seen]] = seen
            mask = np.zeros(n_action, dtype=np.bool_)
            chosen = seen[allowed[seen]] if allowed[seen].any() else seen
            mask[view.pair_action[chosen]] = True
            mask[0] = may_wait[day] or not mask.any()
            out.append(DayView(view.state[day].copy(), mask, pair_of_action))
        return out


def views_for(kind: str) -> Views[Any]:
    """Views for a network kind, `set` or `flat`."""
    return SparseViews() if kind == "set" else ClassicViews()
