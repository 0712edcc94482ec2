"""When to look again: the next event a situation knows of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qdispatch_domain.candidates import CandidateTable
from qdispatch_domain.fleet import EPS, NEVER, Fleet
from qdispatch_domain.weights import RULES

F64 = npt.NDArray[np.float64]


def next_event(fleet: Fleet, table: CandidateTable) -> F64:
    """The next instant after `now` at which the situation changes by itself, [N]; NEVER when there is none.

    A trip ends (by prediction), a shift starts or ends, a break ends, the cheapest driver of a booking must leave, a
    `decide_by`, a booking expires. A new booking or a patient's call is the caller's event.
    """
    return next_event_numpy(fleet, table) if table.next_event is None else table.next_event


def next_event_numpy(fleet: Fleet, table: CandidateTable) -> F64:
    """`next_event` from the fleet and the table."""
    s = table.schedules
    first_end = np.where(s.count > 0, s.end[:, 0], NEVER)
    predicted = np.full(fleet.driver_real.shape, NEVER)
    predicted[s.day, s.driver] = np.where(fleet.locked[s.day, s.driver], fleet.anchor_time[s.day, s.driver], first_end)
    usable = fleet.usable
    of_drivers = [predicted, fleet.shift_start, fleet.shift_end]
    of_drivers += [fleet.break_end[:, :, k] for k in range(fleet.break_end.shape[2])]
    of_bookings = [table.best_expiry, table.decide_by, fleet.scheduled + RULES.latest_insertion_min]
    soonest = np.full(fleet.days, NEVER)
    for times, counts in [(t, usable) for t in of_drivers] + [(t, fleet.open) for t in of_bookings]:
        if times.shape[1] == 0:
            continue
        later = np.where(counts & (times > fleet.now[:, None] + EPS), times, NEVER)
        soonest = np.minimum(soonest, later.min(axis=1))
    return soonest
