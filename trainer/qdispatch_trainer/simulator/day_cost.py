"""The cost C of a running or finished day, term by term. Predicted parts come from the domain's own cost model."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from qdispatch_domain.compiled.jit import kernel
from qdispatch_domain.compiled.roads import flow, unflow
from qdispatch_domain.cost import loads
from qdispatch_domain.fleet import Fleet
from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.day import F64, I64
from qdispatch_trainer.simulator.live_fleet import predicted_pickup
from qdispatch_trainer.simulator.progress import IDLE, Fate, Progress
from qdispatch_trainer.simulator.state_arrays import ProgressArrays, TruthArrays, progress_arrays, truth_arrays
from qdispatch_trainer.simulator.truth import Truth

RUNNING, DONE, UNSERVED = int(Fate.RUNNING), int(Fate.DONE), int(Fate.UNSERVED)
DEADHEAD_PRICE, EMERGENCY_PRICE = WEIGHTS.deadhead_per_min, WEIGHTS.emergency_trip
OUTBOUND_RATE, RETURN_RATE = WEIGHTS.outbound_lateness_per_min, WEIGHTS.return_lateness_per_min
UNSERVED_PRICE, UNSERVED_URGENT_PRICE = WEIGHTS.unserved, WEIGHTS.unserved_urgent


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


def started_cost(truth: Truth, progress: Progress) -> F64:
    """Cost of the trips that run or are done and of the UNSERVED bookings, [N] minutes-equivalent."""
    return np.asarray(_started(truth_arrays(truth), progress_arrays(progress)).sum(axis=0))


@kernel
def _started(t: TruthArrays, p: ProgressArrays) -> F64:
    """By term: deadhead, lateness, EMERGENCY trips, UNSERVED bookings, [4, N].

    The generator plans no drivers, so none is changed.
    """
    terms = np.zeros((4, p.now.shape[0]))
    for n in range(p.now.shape[0]):
        now = p.now[n]
        for b in range(p.fate.shape[1]):
            if p.fate[n, b] == UNSERVED:
                terms[3, n] += UNSERVED_URGENT_PRICE if t.urgent[n, b] else UNSERVED_PRICE
            if p.fate[n, b] != RUNNING and p.fate[n, b] != DONE:
                continue
            departed, arrived = p.departed_at[n, b], p.arrived_at[n, b]
            if arrived > now:
                arrived = max(unflow(flow(departed, False) + p.approach[n, b], False), now)
            terms[0, n] += DEADHEAD_PRICE * (arrived - departed)
            pickup = predicted_pickup(now, departed, p.approach[n, b], t.scheduled[n, b], p.picked_up_at[n, b])
            rate = RETURN_RATE if t.is_return[n, b] else OUTBOUND_RATE
            terms[1, n] += rate * max(pickup - t.scheduled[n, b] - t.tolerance[n, b], 0.0)
            if not t.regular[n, p.driver[n, b]]:
                terms[2, n] += EMERGENCY_PRICE
    return terms


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
    deadhead, lateness, emergency, unserved = _started(truth_arrays(truth), progress_arrays(progress))
    homeward = home_drives(truth, progress)
    minutes = np.bincount(homeward.day, homeward.arrived_at - homeward.departed_at, len(truth.days))
    return CostTerms(
        deadhead=deadhead + WEIGHTS.deadhead_per_min * minutes,
        lateness=lateness,
        emergency=emergency,
        driver_change=np.zeros(len(truth.days)),
        unserved=unserved,
        spread=WEIGHTS.spread * loads(fleet).spread,
    )
