"""Which of a booking's pairs a policy ranks first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qdispatch_domain.situation import Situation

F64 = npt.NDArray[np.float64]


def best_of_booking(situation: Situation, value: F64) -> F64:
    """The largest `value` [P] among the pairs of the same booking, [P]."""
    pairs = situation.table.insertion
    best = np.full(situation.fleet.open.shape, -np.inf)
    np.maximum.at(best, (pairs.day, pairs.booking), value)
    out: F64 = best[pairs.day, pairs.booking]
    return out
