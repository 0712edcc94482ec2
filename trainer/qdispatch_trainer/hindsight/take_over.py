"""Routes that somebody else planned, taken over as far as the hard rules of a problem allow; compiled."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.compiled.jit import kernel
from qdispatch_trainer.hindsight.routes import INFEASIBLE, Problem, Routes, price, time_route


@kernel
def take_over(p: Problem, r: Routes, task: np.ndarray, length: np.ndarray) -> int:
    """Fill the empty routes `r` with those of `task` [D, R] and `length` [D]; the number of bookings left out.

    Every route is built from its start; a booking that would break a rule there stays with nobody.
    """
    left = 0
    trips = np.empty(task.shape[1] + 1, np.int64)
    for d in range(task.shape[0]):
        time_route(p, r, d, 0)
        for i in range(length[d]):
            k, n = task[d, i], r.length[d]
            trips[:n] = r.task[d, :n]
            trips[n] = k
            if n >= r.task.shape[1] or price(p, r, d, n, trips, n + 1, n + 2, n + 1) >= INFEASIBLE:
                left += 1
                continue
            r.task[d, n], r.driver[k] = k, d
            r.length[d] = n + 1
            time_route(p, r, d, n)
    return left
