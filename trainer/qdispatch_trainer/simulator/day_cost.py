"""The cost C of a running or finished day, term by term. Predicted parts come from the domain's own cost model."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from qdispatch_domain.cost import committed_cost, lateness_cost, loads, unserved_cost
from qdispatch_domain.fleet import Fleet
from qdispatch_domain.schedule import Schedules
from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.day import F64, I64
from qdispatch_trainer.simulator.live_fleet import predicted_pickup
from qdispatch_trainer.simulator.progress import IDLE, Fate, Progress
from qdispatch_trainer.simulator.truth import Truth


@dataclass(frozen=True, slots=True)
class CostTerms:
    """The terms of C, minutes-equivalent, each [N]."""

    deadhead: F64
    lateness: F64
    emergency: F64
    driver_change: F64
    unserved: F64
    spread: F64

    @property
    def total(self) -> F64:
        """C, [N]."""
        total: F64 = self.deadhead + self.lateness + self.emergency + self.driver_change + self.unserved + self.spread
        return total

    def of_day(self, n: int) -> dict[str, float]:
        """The terms of day `n` by name."""
        return {field.name: float(getattr(self, field.name)[n]) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class HomeDrives:
    """Realised drives to the end location after the last trip, [M]: of drivers who have one and drove a trip."""

    day: I64
    driver: I64
    departed_at: F64
    arrived_at: F64
    kilometers: F64


def started_cost(truth: Truth, progress: Progress) -> CostTerms:
    """Cost of the trips that run or are done and of the UNSERVED bookings; the spread is left at 0."""
    days = len(truth.days)
    n, b = np.nonzero((progress.fate == Fate.RUNNING) | (progress.fate == Fate.DONE))
    now = progress.now[n]
    arrived, departed = progress.arrived_at[n, b], progress.departed_at[n, b]
    expected = np.maximum(truth.travel.arrive(departed, progress.approach[n, b]), now)
    deadhead = WEIGHTS.deadhead_per_min * (np.where(arrived <= now, arrived, expected) - departed)
    pickup = predicted_pickup(truth, progress, n, b)
    late = lateness_cost(pickup, truth.scheduled[n, b], truth.tolerance[n, b], ~truth.is_return[n, b])
    reserve = np.where(truth.regular[n, progress.driver[n, b]], 0.0, WEIGHTS.emergency_trip)
    given_up = np.where(progress.fate == Fate.UNSERVED, unserved_cost(truth.urgent), 0.0)
    zero = np.zeros(days)
    return CostTerms(
        deadhead=_per_day(n, deadhead, days),
        lateness=_per_day(n, late, days),
        emergency=_per_day(n, reserve, days),
        driver_change=zero,  # the generator plans no drivers, so none is changed
        unserved=given_up.sum(axis=1),
        spread=zero,
    )


def live_cost(truth: Truth, progress: Progress, fleet: Fleet, schedules: Schedules) -> F64:
    """C(s) of every day [N]: realised where it has happened, predicted where not. `schedules` of the fleet as it is."""
    return started_cost(truth, progress).total + committed_cost(fleet, schedules)


def home_drives(truth: Truth, progress: Progress) -> HomeDrives:
    """The drives home, each at once after the driver's last trip. Only meaningful once all trips are done."""
    n, d = np.nonzero(truth.has_home & (progress.last_done != IDLE))
    last = progress.last_done[n, d]
    place = truth.dropoff[n, last]
    away = truth.travel.free_flow(place, truth.home[n, d])
    departed = progress.done_at[n, last]
    kilometers = truth.travel.kilometers(place, truth.home[n, d])
    if kilometers is None:
        raise TypeError("distances on the sphere are always known")
    return HomeDrives(n, d, departed, truth.travel.arrive(departed, away * truth.homeward_factor[n, d]), kilometers)


def final_cost(truth: Truth, progress: Progress, fleet: Fleet) -> CostTerms:
    """C(end) of every day [N], realised only. Meaningful for days whose trips are all done; `driver_real` as it was."""
    started = started_cost(truth, progress)
    homeward = home_drives(truth, progress)
    minutes = _per_day(homeward.day, homeward.arrived_at - homeward.departed_at, len(truth.days))
    return CostTerms(
        deadhead=started.deadhead + WEIGHTS.deadhead_per_min * minutes,
        lateness=started.lateness,
        emergency=started.emergency,
        driver_change=started.driver_change,
        unserved=started.unserved,
        spread=WEIGHTS.spread * loads(fleet).spread,
    )


def _per_day(day: I64, value: F64, days: int) -> F64:
    """Sums of `value` [M] by day, [days]; in order, so that they do not depend on how the arrays are padded."""
    return np.asarray(np.bincount(day, value, days), dtype=np.float64)
