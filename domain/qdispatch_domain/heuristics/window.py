"""The look-ahead window all heuristics share: pairs of bookings that are due soon compete, the others wait."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Situation

F64 = npt.NDArray[np.float64]

DEFAULT_WINDOW_MIN = 60.0


def windowed(situation: Situation, priority: F64, window_min: float) -> Scores:
    """Scores that commit a booking's best pair when its `decide_by` is at most `window_min` minutes away, else wait.

    `priority` [P] ranks the pairs, higher is better. Only the best pair of a booking competes: where its driver goes to
    another booking first, the booking is looked at again with the schedules as changed, not given to the next best.
    Ties, to the sixth decimal, go to the pair that comes first: the rounding of sums must not choose.
    """
    priority = np.round(priority, 6)
    fleet, pairs = situation.fleet, situation.table.insertion
    due = situation.table.decide_by[pairs.day, pairs.booking] - fleet.now[pairs.day]
    place = pairs.day * fleet.open.shape[1] + pairs.booking
    order = np.lexsort((-priority, place))
    best = np.zeros(len(place), dtype=np.bool_)
    best[order[np.diff(place[order], prepend=-1) != 0]] = True
    return Scores(q_pair=priority, q_wait=np.full(fleet.days, np.nan), commit=best & (due <= window_min))
