"""The look-ahead window all heuristics share: pairs of bookings that are due soon compete, the others wait."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Situation

F64 = npt.NDArray[np.float64]

DEFAULT_WINDOW_MIN = 60.0


def windowed(situation: Situation, priority: F64, window_min: float) -> Scores:
    """Scores that commit a pair when its booking's `decide_by` is at most `window_min` minutes away, else wait.

    `priority` [P] ranks the pairs, higher is better.
    """
    fleet, pairs = situation.fleet, situation.table.insertion
    due = situation.table.decide_by[pairs.day, pairs.booking] - fleet.now[pairs.day]
    return Scores(q_pair=priority, q_wait=np.full(fleet.days, np.nan), commit=due <= window_min)
