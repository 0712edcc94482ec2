"""Does holding scarce drivers in reserve pay? Prices on using them, added to the rolling planner's options.

    python experiments/reserve_price.py --scenario clinic-day --days 400

Every row adds one price (minutes-equivalent) to the pairs it names; the plan then keeps those drivers for bookings that
need them more. Differences to the planner without prices are paired by day, on validation seeds.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from qdispatch_domain.compiled.local_search import Search
from qdispatch_domain.observation import Scores
from qdispatch_domain.planner import lifted, plan
from qdispatch_domain.reasons import BookingGap
from qdispatch_domain.situation import Situation
from qdispatch_trainer.closed_loop import kpis_of
from qdispatch_trainer.paired_difference import paired_difference
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose, seed_range

F64 = npt.NDArray[np.float64]
END_OF_SHIFT_MIN = 60.0


def emergency(s: Situation) -> F64:
    """1 for an EMERGENCY driver."""
    pairs = s.table.insertion
    return (~s.fleet.regular[pairs.day, pairs.driver]).astype(np.float64)


def wheelchair(s: Situation) -> F64:
    """1 for a wheelchair vehicle that the booking does not need."""
    fleet, pairs = s.fleet, s.table.insertion
    wasted = fleet.wheelchair_access[pairs.day, pairs.driver] & ~fleet.wheelchair[pairs.day, pairs.booking]
    return wasted.astype(np.float64)


def calls_to_come(s: Situation) -> F64:
    """Returns that have not called yet, per usable driver."""
    waiting = ((s.fleet.booking_gap == BookingGap.NOT_READY) & s.fleet.booking_real).sum(axis=1)
    per_driver: F64 = waiting / np.maximum(s.fleet.usable.sum(axis=1), 1)
    return per_driver[s.table.insertion.day]


def end_of_shift(s: Situation) -> F64:
    """Hours by which the trip ends within the last hour of the shift."""
    pairs = s.table.insertion
    over: F64 = pairs.end - s.fleet.shift_end[pairs.day, pairs.driver] + END_OF_SHIFT_MIN
    return np.maximum(over, 0.0) / 60.0


PRICES: Mapping[str, Callable[[Situation], F64]] = {
    "30 for an EMERGENCY driver": lambda s: 30.0 * emergency(s),
    "100 for an EMERGENCY driver": lambda s: 100.0 * emergency(s),
    "50 x calls to come for an EMERGENCY driver": lambda s: 50.0 * emergency(s) * calls_to_come(s),
    "5 for a wheelchair vehicle that is not needed": lambda s: 5.0 * wheelchair(s),
    "15 for a wheelchair vehicle that is not needed": lambda s: 15.0 * wheelchair(s),
    "10 x calls to come for such a vehicle": lambda s: 10.0 * wheelchair(s) * calls_to_come(s),
    "20 an hour in the last hour of the shift": lambda s: 20.0 * end_of_shift(s),
    "10 x exp(-slack / 10 min)": lambda s: 10.0 * np.exp(-s.table.insertion.slack / 10.0),
}


class PricedPlanner:
    """The rolling planner with a price on its options."""

    def __init__(self, price: Callable[[Situation], F64], search: Search, lead_min: float = 5.0) -> None:
        self._price = price
        self._search = search
        self._lead_min = lead_min

    def score(self, situation: Situation) -> Scores:
        """See `Scorer`."""
        price = self._price(situation)
        planned, due = plan(situation, price, self._search, self._lead_min)
        q_pair = lifted(situation, -situation.table.total - price, planned)
        return Scores(q_pair=q_pair, q_wait=np.full(situation.fleet.days, np.nan), commit=planned & due)


def main() -> None:
    """Print one row per price."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", default="clinic-day")
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument("--moves", type=int, default=150)
    asked = parser.parse_args()
    scenario = scenario_named(asked.scenario)
    seeds = seed_range(SeedPurpose.VALIDATION, asked.days)

    def costs(price: Callable[[Situation], F64]) -> F64:
        played = kpis_of(scenario, seeds, PricedPlanner(price, Search(moves=asked.moves)))
        return np.array([day.cost for day in played])

    free = costs(lambda s: np.zeros(len(s.table.rank)))
    print(f"{asked.scenario}, {asked.days} validation days, no price: {free.mean():.1f}", flush=True)
    for name, price in PRICES.items():
        priced = costs(price)
        gain = paired_difference(priced, free)
        print(f"{name}: {priced.mean():.1f}, difference {gain.mean:+.1f} +- {gain.half_width:.1f}", flush=True)


if __name__ == "__main__":
    main()
