"""The rolling-horizon planner: at every decision plan the open bookings anew, commit what has to leave soon.

Needs numba (extra [search] or [trainer]). A plan depends on the situation alone, so the same snapshot has the same
answer in simulator and server.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from qdispatch_domain.candidates import CandidateTable
from qdispatch_domain.compiled.day_problem import Days
from qdispatch_domain.compiled.local_search import Search
from qdispatch_domain.compiled.plan import plan_days
from qdispatch_domain.events import next_event
from qdispatch_domain.fleet import EPS, Fleet
from qdispatch_domain.observation import Scores
from qdispatch_domain.ranking import best_of_booking
from qdispatch_domain.situation import Situation

F64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

_NO_MATRIX = np.zeros((0, 0))
_DERIVED = ("usable", "counts", "seconds", "first_driver")
_LIFT = 1.0  # puts a planned pair above every other one of its booking, minutes-equivalent


@dataclass(frozen=True, slots=True)
class Planner:
    """Commits the planned pairs whose departure is at most `lead_min` minutes away or before the next known event.

    Between two events nobody decides: a departure that is left to the next one would be missed. See `Scorer`.
    """

    search: Search = field(default_factory=Search)
    lead_min: float = 5.0

    def score(self, situation: Situation) -> Scores:
        """Minus the cost of each pair, planned pairs first, and the pairs to commit now."""
        planned, due = plan(situation, np.zeros(len(situation.table.rank)), self.search, self.lead_min)
        q_pair = lifted(situation, -situation.table.total, planned)
        return Scores(q_pair=q_pair, q_wait=np.full(situation.fleet.days, np.nan), commit=planned & due)


def plan(situation: Situation, price: F64, search: Search, lead_min: float) -> tuple[Bool, Bool]:
    """Which pairs [P] the plan uses, and which of a booking's pairs [P] would have to leave before the next event."""
    fleet, table = situation.fleet, situation.table
    pairs = table.insertion
    driver, depart, _ = plan_days(days_of_fleet(fleet, table), pairs.day, pairs.driver, pairs.booking, price, search)
    until = np.maximum(fleet.now + lead_min, next_event(fleet, table))
    due: Bool = depart[pairs.day, pairs.booking] <= until[pairs.day] + EPS
    planned: Bool = driver[pairs.day, pairs.booking] == pairs.driver
    return planned, due


def lifted(situation: Situation, value: F64, planned: Bool) -> F64:
    """`value` [P] with the planned pairs just above the best of their booking."""
    return np.where(planned, best_of_booking(situation, value) + _LIFT, value)


def days_of_fleet(fleet: Fleet, table: CandidateTable) -> Days:
    """The fleet's arrays as the compiled search wants them; no copies."""
    matrix = fleet.travel.matrix
    arrays = {name: getattr(fleet, name) for name in Days._fields if name not in _DERIVED}
    return Days(
        **arrays,
        usable=fleet.usable,
        counts=table.loads.counts,
        first_driver=np.full(fleet.open.shape, -1),
        seconds=_NO_MATRIX if matrix is None else matrix.seconds,
    )
