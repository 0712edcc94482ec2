"""What has become of the bookings and the drivers so far: the part of the state that changes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np

from qdispatch_trainer.day import F64, I64
from qdispatch_trainer.simulator.truth import Truth

IDLE = -1


class Fate(IntEnum):
    """What has become of a booking. OPEN covers unknown, NOT_READY and open ones: their times say which."""

    OPEN = 0
    COMMITTED = 1
    RUNNING = 2  # EN_ROUTE until `picked_up_at`, then ONBOARD
    DONE = 3
    UNSERVED = 4
    PADDING = 5


@dataclass(slots=True, eq=False)
class Progress:
    """State of N days. A RUNNING trip's realised times stand here in full; whoever shows them cuts at `now`."""

    now: F64  # [N]
    over: np.ndarray[tuple[int], np.dtype[np.bool_]]  # [N]
    # bookings, [N, B]; NaN until the trip departs
    fate: I64
    driver: I64  # -1 until it is inserted
    promised: F64
    decided_at: F64
    approach: F64  # free-flow minutes from where the driver left to the pickup
    departed_at: F64
    arrived_at: F64
    picked_up_at: F64
    left_pickup_at: F64
    reached_dropoff_at: F64
    done_at: F64
    came_from: I64  # booking at whose dropoff the driver left, -1: the driver's start
    # drivers, [N, D]
    running: I64  # booking, or IDLE
    last_done: I64  # booking, or IDLE
    free_since: F64  # end of the last trip; minus infinity before the first

    def take(self, rows: I64) -> Progress:
        """Copies of the state of days `rows` [M], in that order."""
        return Progress(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def begin(truth: Truth) -> Progress:
    """The state as the days start."""
    bookings, drivers = truth.booking_real.shape, truth.driver_real.shape

    def unknown() -> F64:
        return np.full(bookings, np.nan)

    return Progress(
        now=truth.start.copy(),
        over=np.zeros(len(truth.days), dtype=np.bool_),
        fate=np.where(truth.booking_real, np.int64(Fate.OPEN), np.int64(Fate.PADDING)),
        driver=np.full(bookings, -1, dtype=np.int64),
        promised=unknown(),
        decided_at=unknown(),
        approach=unknown(),
        departed_at=unknown(),
        arrived_at=unknown(),
        picked_up_at=unknown(),
        left_pickup_at=unknown(),
        reached_dropoff_at=unknown(),
        done_at=unknown(),
        came_from=np.full(bookings, -1, dtype=np.int64),
        running=np.full(drivers, IDLE, dtype=np.int64),
        last_done=np.full(drivers, IDLE, dtype=np.int64),
        free_since=np.full(drivers, -np.inf),
    )
