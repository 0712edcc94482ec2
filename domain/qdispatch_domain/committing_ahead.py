"""A learned policy that commits what leaves soon, besides what it commits by itself.

The network waits until a driver has to leave. Where many bookings share many drivers, an early choice that is kept
beats a late one that is made anew every minute (`docs/experiments/07-committing-ahead.md`): how far ahead pays differs
by scenario, as the windows of the heuristics do.
"""

from __future__ import annotations

from dataclasses import dataclass

from qdispatch_domain.fleet import EPS
from qdispatch_domain.observation import Scores
from qdispatch_domain.ranking import best_of_booking
from qdispatch_domain.situation import Scorer, Situation, days_of


@dataclass(frozen=True, slots=True)
class CommittingAhead:
    """`policy`, and every booking whose best pair leaves at most `minutes` from now. See `Scorer`."""

    policy: Scorer
    minutes: float

    def score(self, situation: Situation) -> Scores:
        """The policy's values and the pairs to commit now."""
        own = self.policy.score(situation)
        pairs, fleet = situation.table.insertion, situation.fleet
        wait = days_of(own, fleet.days)
        commits = own.q_pair > wait[pairs.day] if own.commit is None else own.commit
        leaves_soon = pairs.depart <= fleet.now[pairs.day] + self.minutes + EPS
        first = own.q_pair >= best_of_booking(situation, own.q_pair)
        return Scores(q_pair=own.q_pair, q_wait=wait, commit=commits | (first & leaves_soon))


def committing_ahead(policy: Scorer, minutes: float) -> Scorer:
    """The policy itself when `minutes` is 0: it then commits only what it would by itself."""
    return CommittingAhead(policy, minutes) if minutes > 0.0 else policy
