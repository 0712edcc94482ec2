"""A generated day: everything that will happen, drawn before it starts, so that two policies meet the same day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qdispatch_domain.snapshot import Driver
from qdispatch_trainer.scenarios import Scenario

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
BOOL = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class DayBookings:
    """The B bookings of a day, one row each, with what policies must not see yet. Times are service-day minutes.

    A factor multiplies a free-flow driving time or a service time when it is realised; 1 is as predicted.
    """

    ids: tuple[str, ...]
    pickup_latitude: F64  # [B] degrees
    pickup_longitude: F64  # [B] degrees
    dropoff_latitude: F64  # [B] degrees
    dropoff_longitude: F64  # [B] degrees
    is_return: BOOL  # [B]
    urgent: BOOL  # [B]
    wheelchair: BOOL  # [B]
    passengers: I64  # [B]
    scheduled_time: F64  # [B] wanted pickup; of a call-when-ready return, the moment of the call
    call_when_ready: BOOL  # [B]
    known_since: F64  # [B] when the dispatcher first hears of it
    ready_at: F64  # [B] when it can be assigned: the call of a call-when-ready return, else known_since
    linked: I64  # [B] row of the other leg of a pair, -1 if there is none
    deadhead_factor: F64  # [B] of the drive to its pickup
    loaded_factor: F64  # [B] of the drive to its dropoff
    pickup_service_factor: F64  # [B]
    dropoff_service_factor: F64  # [B]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """One day of `scenario`, exactly replayable from `seed`."""

    scenario: Scenario
    seed: int
    drivers: tuple[Driver, ...]  # D rows before any trip; REGULAR first, then EMERGENCY
    homeward_factor: F64  # [D] of the drive to the end location after the last trip
    bookings: DayBookings

    @property
    def start(self) -> float:
        """When the day starts, service-day minutes; what is known at the start is known then."""
        return self.scenario.day_start
