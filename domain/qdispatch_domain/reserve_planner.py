"""The rolling-horizon planner with plans that count on the reserve: what the search behind a model gains by that alone.

Needs numba (extra [search] or [trainer]).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from qdispatch_domain.calls import call_table
from qdispatch_domain.compiled.future_plans import Looking, plan_futures
from qdispatch_domain.compiled.local_search import Search
from qdispatch_domain.events import next_event
from qdispatch_domain.futures_search import LEAD_MIN, waiting_of
from qdispatch_domain.observation import Scores
from qdispatch_domain.planner import days_of_fleet, lifted
from qdispatch_domain.situation import Situation


@dataclass(frozen=True, slots=True)
class ReservePlanner:
    """The `Planner`, whose plans may also use EMERGENCY drivers who are not permitted yet. See `Scorer`.

    What it commits is chosen among the permitted pairs, as ever. `search.moves`: at least 1.
    """

    search: Search = field(default_factory=Search)
    lead_min: float = LEAD_MIN

    def score(self, situation: Situation) -> Scores:
        """Minus the cost of each pair, planned pairs first, and the pairs to commit now."""
        fleet, table = situation.fleet, situation.table
        pairs = table.insertion
        planned, due, _ = plan_futures(
            days_of_fleet(fleet, table),
            waiting_of(fleet),
            call_table(),
            pairs.day,
            pairs.driver,
            pairs.booking,
            np.maximum(fleet.now + self.lead_min, next_event(fleet, table)),
            Looking(
                futures=0,
                known_moves=self.search.moves,
                known_start_temperature=self.search.start_temperature,
                known_end_temperature=self.search.end_temperature,
            ),
            self.search,
        )
        q_pair = lifted(situation, -table.total, planned > 0)
        return Scores(q_pair=q_pair, q_wait=np.full(fleet.days, np.nan), commit=due > 0)
