"""A day on which every driver takes the bookings in the order of their scheduled times."""

from __future__ import annotations

import numpy as np

from qdispatch_trainer.hindsight.routes import SCHEDULED, Problem

NEVER_MIN = 10_000.0  # minutes; past every window


def in_order_of_time(p: Problem) -> Problem:
    """The problem without the drives from a booking to one that is scheduled before it: they never arrive."""
    scheduled = p.booking[:, SCHEDULED]
    approach = p.approach.copy()
    approach[:, : len(scheduled)] += np.where(scheduled[:, None] > scheduled[None, :], NEVER_MIN, 0.0)
    return p._replace(approach=approach)
