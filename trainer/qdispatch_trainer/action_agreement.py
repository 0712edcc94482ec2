"""How often a policy's first choice is that of another one, on the situations it meets itself.

A learned policy that always agrees with the greedy rule has learned nothing, whatever its cost.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Scorer, Situation, days_of

WAITS = -1


def first_choice(situation: Situation, scores: Scores) -> npt.NDArray[np.int64]:
    """The best committed pair of each day, WAITS for none, [N]; a booking that cannot wait is always committed."""
    table = situation.table
    pairs, days = table.insertion, situation.fleet.days
    committed = scores.q_pair > days_of(scores, days)[pairs.day] if scores.commit is None else scores.commit
    has_commit = np.bincount(pairs.day[committed], minlength=days) > 0
    allowed = np.where(has_commit[pairs.day], committed, table.must[pairs.day, pairs.booking])
    index = np.flatnonzero(allowed)
    order = index[np.lexsort((index, -scores.q_pair[index], pairs.day[index]))]
    best = order[np.diff(pairs.day[order], prepend=-1) != 0]
    chosen = np.full(days, WAITS, dtype=np.int64)
    chosen[pairs.day[best]] = best
    return chosen


class AgreementCounter:
    """A scorer that acts as `policy` and counts on how many decisions `other` would have chosen the same first."""

    def __init__(self, policy: Scorer, other: Scorer) -> None:
        self._policy = policy
        self._other = other
        self.decisions = 0
        self.agreed = 0
        self.both_act = 0  # decisions at which both commit a pair now
        self.same_pair = 0  # of these: the same one

    @property
    def share(self) -> float | None:
        """Share of agreeing decisions in [0, 1]; None before the first."""
        return self.agreed / self.decisions if self.decisions else None

    def score(self, situation: Situation) -> Scores:
        """The policy's scores; days without any pair are no decisions."""
        scores = self._policy.score(situation)
        if len(scores.q_pair):
            days = np.unique(situation.table.insertion.day)
            mine = first_choice(situation, scores)[days]
            theirs = first_choice(situation, self._other.score(situation))[days]
            self.decisions += len(days)
            self.agreed += int((mine == theirs).sum())
            both = (mine != WAITS) & (theirs != WAITS)
            self.both_act += int(both.sum())
            self.same_pair += int((mine == theirs)[both].sum())
        return scores
