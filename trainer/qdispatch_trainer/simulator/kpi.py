"""Key figures of finished days, beside the cost. Computed from what was really driven."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qdispatch_domain.fleet import EPS
from qdispatch_domain.travel import FREE_FLOW_KM_PER_MIN
from qdispatch_domain.weights import RULES
from qdispatch_trainer.day import BOOL, F64
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.day_cost import CostTerms, home_drives
from qdispatch_trainer.simulator.progress import Fate


@dataclass(frozen=True, slots=True)
class DayKpi:
    """One finished day. NaN where a share or a mean has nothing to count."""

    scenario: str
    seed: int
    bookings: int
    unserved: int
    emergency_trips: int
    served_percent: float
    late_outbound_percent: float  # of the served outbound legs, picked up later than their tolerance
    late_return_percent: float  # of the served return legs
    mean_lateness_min: float  # pickup minus scheduled time, >= 0, over the served legs
    deadhead_km: float  # drives home included
    km_per_trip: float  # all kilometres per served leg
    gap_trips: float  # max - min of legs per contract share (docs/dispatch-rules.md, "KPI")
    gap_driving_min: float  # max - min of driving minutes per contract share, same drivers
    same_driver_percent: float  # of the pairs with both legs served: one driver out and back
    cost: float  # C(end), minutes-equivalent
    cost_deadhead: float
    cost_lateness: float
    cost_emergency: float
    cost_driver_change: float
    cost_unserved: float
    cost_spread: float


def day_kpis(batch: DayBatch) -> list[DayKpi]:
    """The key figures of every day of a finished batch. ValueError while a day still runs."""
    terms = batch.final_terms()
    eligible = _could_take_a_leg(batch)
    homeward = home_drives(batch.truth, batch.progress)
    home_km = np.bincount(homeward.day, homeward.kilometers, len(batch))
    home_min = np.zeros(batch.truth.driver_real.shape)
    home_min[homeward.day, homeward.driver] = homeward.arrived_at - homeward.departed_at
    return [_of_day(batch, n, terms, eligible[n], float(home_km[n]), home_min[n]) for n in range(len(batch))]


def _of_day(batch: DayBatch, n: int, terms: CostTerms, eligible: BOOL, home_km: float, home_min: F64) -> DayKpi:
    truth, progress = batch.truth, batch.progress
    served = progress.fate[n] == Fate.DONE
    late = np.maximum(progress.picked_up_at[n] - truth.scheduled[n], 0.0)
    too_late = late > truth.tolerance[n] + EPS
    outbound, back = served & ~truth.is_return[n], served & truth.is_return[n]
    driver = progress.driver[n]
    deadhead_km = FREE_FLOW_KM_PER_MIN * float(progress.approach[n, served].sum()) + home_km
    loaded_km = FREE_FLOW_KM_PER_MIN * float(truth.loaded[n, served].sum())
    legs = np.bincount(driver[served], minlength=truth.driver_real.shape[1])
    minutes = batch.fleet.minutes_driven[n] + home_min
    share = batch.fleet.contract_share[n]
    first = np.flatnonzero(outbound & (truth.linked[n] >= 0))
    first = first[served[truth.linked[n, first]]]
    return DayKpi(
        scenario=truth.days[n].scenario.name,
        seed=truth.days[n].seed,
        bookings=int(truth.booking_real[n].sum()),
        unserved=int((progress.fate[n] == Fate.UNSERVED).sum()),
        emergency_trips=int((~truth.regular[n, driver[served]]).sum()),
        served_percent=_percent(served[truth.booking_real[n]]),
        late_outbound_percent=_percent(too_late[outbound]),
        late_return_percent=_percent(too_late[back]),
        mean_lateness_min=float(late[served].mean()) if served.any() else float("nan"),
        deadhead_km=deadhead_km,
        km_per_trip=(deadhead_km + loaded_km) / int(served.sum()) if served.any() else float("nan"),
        gap_trips=_gap((legs / share)[eligible]),
        gap_driving_min=_gap((minutes / share)[eligible]),
        same_driver_percent=_percent(driver[first] == driver[truth.linked[n, first]]),
        cost=float(terms.total[n]),
        **{f"cost_{name}": value for name, value in terms.of_day(n).items()},
    )


def _percent(flags: BOOL) -> float:
    return 100.0 * float(flags.mean()) if flags.size else float("nan")


def _gap(values: F64) -> float:
    return float(values.max() - values.min()) if values.size else float("nan")


def _could_take_a_leg(batch: DayBatch) -> BOOL:
    """REGULAR drivers [N, D] whose vehicle, seats and shift suit at least one leg of the day.

    The shift has to touch the time from the leg's scheduled pickup to the latest at which it may be inserted.
    """
    truth, fleet = batch.truth, batch.fleet
    suits = fleet.wheelchair_access[:, :, None] | ~truth.wheelchair[:, None, :]
    suits &= fleet.seats[:, :, None] >= truth.passengers[:, None, :]
    suits &= fleet.shift_start[:, :, None] <= truth.scheduled[:, None, :] + RULES.latest_insertion_min
    suits &= fleet.shift_end[:, :, None] >= truth.scheduled[:, None, :]
    suits &= truth.booking_real[:, None, :]
    return truth.driver_real & truth.regular & suits.any(axis=2)
