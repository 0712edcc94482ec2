"""Guided exploration: on some training days a heuristic acts, so that the memory holds good days from the start.

Q-learning is off-policy: what a guide did is as good to learn from as what the network did (Hester et al. 2018 fill
the memory with demonstrations in the same way; here without a margin loss). Without it a new network waits until
every booking is forced, and learns for long only what ruined days are worth.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qdispatch_domain.heuristics import RegretInsertion
from qdispatch_domain.situation import Situation

I64 = npt.NDArray[np.int64]

NO_PAIR = -1


class Guide:
    """Regret-2 insertion as a policy of single decisions: one pair or waiting."""

    def __init__(self, window_min: float) -> None:
        self._rule = RegretInsertion(window_min)

    def choices(self, situation: Situation) -> I64:
        """The pair of the candidate table chosen on each day, NO_PAIR for waiting, [N].

        A booking that can wait no longer goes first; else the best pair within the window.
        """
        scores = self._rule.score(situation)
        pairs, must = situation.table.insertion, situation.table.must
        forced = np.asarray(must.any(axis=1))[pairs.day]
        allowed = np.where(forced, must[pairs.day, pairs.booking], np.asarray(scores.commit))
        index = np.flatnonzero(allowed)
        order = index[np.lexsort((index, -scores.q_pair[index], pairs.day[index]))]
        first = order[np.diff(pairs.day[order], prepend=-1) != 0]
        chosen = np.full(situation.fleet.days, NO_PAIR, dtype=np.int64)
        chosen[pairs.day[first]] = first
        return chosen
