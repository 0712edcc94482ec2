"""The rolling-horizon planner: at every decision plan the open bookings anew, commit what has to leave soon.

Needs numba (extra [search] or [trainer]). A plan depends on the situation alone, so the same snapshot has the same
answer in simulator and server.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from qdispatch_domain.candidates import CandidateTable
from qdispatch_domain.compiled.local_search import Search
from qdispatch_domain.compiled.plan import Days, plan_days
from qdispatch_domain.events import next_event
from qdispatch_domain.fleet import EPS, Fleet
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Situation

PLANNED = 1e6  # lifts a planned pair above every other one of its booking, minutes-equivalent
_NO_MATRIX = np.zeros((0, 0))
_DERIVED = ("usable", "counts", "seconds")


@dataclass(frozen=True, slots=True)
class Planner:
    """Commits the planned pairs whose departure is at most `lead_min` minutes away or before the next known event.

    Between two events nobody decides: a departure that is left to the next one would be missed. See `Scorer`.
    """

    search: Search = field(default_factory=Search)
    lead_min: float = 10.0

    def score(self, situation: Situation) -> Scores:
        """Minus the cost of each pair, planned pairs first, and the pairs to commit now."""
        fleet, table = situation.fleet, situation.table
        pairs = table.insertion
        planned, depart, _ = plan_days(days_of_fleet(fleet, table), pairs.day, pairs.driver, pairs.booking, self.search)
        mine = planned[pairs.day, pairs.booking] == pairs.driver
        until = np.maximum(fleet.now + self.lead_min, next_event(fleet, table))
        due = depart[pairs.day, pairs.booking] <= until[pairs.day] + EPS
        priority: npt.NDArray[np.float64] = np.where(mine, PLANNED, 0.0) - table.total
        return Scores(q_pair=priority, q_wait=np.full(fleet.days, np.nan), commit=mine & due)


def days_of_fleet(fleet: Fleet, table: CandidateTable) -> Days:
    """The fleet's arrays as the compiled search wants them; no copies."""
    matrix = fleet.travel.matrix
    arrays = {name: getattr(fleet, name) for name in Days._fields if name not in _DERIVED}
    return Days(
        **arrays,
        usable=fleet.usable,
        counts=table.loads.counts,
        seconds=_NO_MATRIX if matrix is None else matrix.seconds,
    )
