"""What `decide` answers: per booking the best drivers with their cost, or the proved reasons why nobody can.

What an answer holds by the hundred is a NamedTuple: made in a fraction of the time of a frozen dataclass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from qdispatch_domain.reasons import BookingGap, DriverGap, Refusal


class CostDelta(NamedTuple):
    """Growth of the day's cost by one insertion, minutes-equivalent, term by term (`weights.py`)."""

    deadhead: float
    lateness: float  # of the inserted booking
    downstream_lateness: float  # of the trips behind it
    emergency: float
    driver_change: float
    spread: float

    @property
    def total(self) -> float:
        """Sum of all terms, minutes-equivalent."""
        return (
            self.deadhead + self.lateness + self.downstream_lateness + self.emergency + self.driver_change + self.spread
        )


class Candidate(NamedTuple):
    """One feasible driver for one booking, at the best position in that driver's schedule."""

    driver: int  # index into snapshot.drivers
    position: int  # index among the driver's COMMITTED trips before which the booking goes
    pickup_time: float  # predicted start of the pickup, service-day minutes
    lateness_min: float  # predicted pickup minus scheduled time, minutes, >= 0
    added_deadhead_min: float
    added_deadhead_km: float | None  # None when the caller's matrix carries no meters
    slack_min: float  # by how many minutes the trip behind, or the end of work, may still slip
    cost: CostDelta
    resulting_trips: int  # done today + committed, with this one
    resulting_gap: float  # max - min of trips per contract share over the drivers of the spread S, with this one
    on_time: bool  # within the booking's tolerance
    score: float  # ranks; higher is better
    q_value: float | None  # set only when the model's values are calibrated
    advantage_min: float | None  # Q(pair) - Q(wait); set only when calibrated
    recommended: bool


class BookingAdvice(NamedTuple):
    """The answer for one booking, in the order of snapshot.bookings."""

    booking: int  # index into snapshot.bookings
    gap: BookingGap
    candidates: tuple[Candidate, ...]  # best first
    decide_by: float | None  # last instant at which a permitted insertion still meets the tolerance
    assign_now: bool
    refusals: Mapping[Refusal, int]  # counted over all drivers, only when nobody can


@dataclass(frozen=True, slots=True)
class Pick:
    """One recommended insertion; the picks of a decision are free of conflict, in the order they were made."""

    booking: int
    driver: int
    position: int  # index among the driver's COMMITTED trips, after the picks before it
    pickup_time: float
    promised_pickup_time: float  # what the patient is told; the committed trip keeps it


@dataclass(frozen=True, slots=True)
class Decision:
    """The whole answer."""

    bookings: tuple[BookingAdvice, ...]
    picks: tuple[Pick, ...]
    driver_gaps: tuple[DriverGap, ...]  # per driver
    reevaluate_at: float | None  # the next event the snapshot knows of, service-day minutes; None when there is none
