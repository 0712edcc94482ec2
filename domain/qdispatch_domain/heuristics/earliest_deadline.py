"""Earliest deadline first, then the nearest driver."""

from __future__ import annotations

from dataclasses import dataclass

from qdispatch_domain.heuristics.window import DEFAULT_WINDOW_MIN, windowed
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Situation

_DEADLINE_FIRST = 1e5  # a minute of deadline outweighs any deadhead


@dataclass(frozen=True, slots=True)
class EarliestDeadlineNearest:
    """Ranks pairs by the booking's scheduled time + tolerance, then by added deadhead, within the window (minutes)."""

    window_min: float = DEFAULT_WINDOW_MIN

    def score(self, situation: Situation) -> Scores:
        """Scores of the pairs, see `Scorer`."""
        fleet, pairs = situation.fleet, situation.table.insertion
        deadline = fleet.scheduled + fleet.tolerance
        priority = -_DEADLINE_FIRST * deadline[pairs.day, pairs.booking] - pairs.deadhead
        return windowed(situation, priority, self.window_min)
