"""The policy: re-plan with PyVRP when the bookings change, polish on the true cost, commit what has to leave soon."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qdispatch_domain.compiled.day_problem import Days
from qdispatch_domain.compiled.local_search import Search
from qdispatch_domain.compiled.plan import plan_days
from qdispatch_domain.events import next_event
from qdispatch_domain.fleet import EPS
from qdispatch_domain.observation import Scores
from qdispatch_domain.planner import days_of_fleet, lifted
from qdispatch_domain.situation import Situation
from qdispatch_trainer.pyvrp_rolling.horizon import DayView, day_views
from qdispatch_trainer.pyvrp_rolling.memory import KeptPlan, Key, keys_of, outdated
from qdispatch_trainer.pyvrp_rolling.problem import build
from qdispatch_trainer.pyvrp_rolling.solver import vehicles_of_clients

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RollingPyvrp:
    """PyVRP over the bookings of the next hours, `milliseconds` of processor time a decision, the polish included.

    "A decision" is a re-plan. A day is solved anew when a booking comes into the horizon (new, called for, or soon
    enough), when one has expired, and when one must be decided that the kept plan gives to nobody. In between the kept
    plan, booking -> driver, is timed and polished anew. A day whose clock went backwards is another day.

    The polish is the domain's planner on the true cost, noise and all. It plans twice: PyVRP's drivers at no price and
    any other at `firm_price`, which times PyVRP's plan and gives homes to the bookings it left out; and any other at
    `soft_price` with `polish_moves`, which corrects what PyVRP does not see (lateness, spread, breaks). Whichever costs
    less without the prices is followed. What is committed is decided as by `Planner`.

    Holds a memory of the days it plays: build one for each batch of days, or play one batch after the other.
    """

    milliseconds: float = 100.0
    polish_ms: float = 10.0  # of these, kept for the polish
    seed: int = 1  # of PyVRP
    horizon_min: float = 150.0  # as the planner's
    tasks_per_driver: float = 3.0
    lead_min: float = 5.0
    late_room_min: float = 2.0  # minutes that a pickup may be late in PyVRP's plan
    spread_share: float = 0.5  # of the growth of the spread, counted per trip
    polish_moves: int = 300
    firm_price: float = 200.0  # minutes-equivalent; above any detour, below an unserved booking
    soft_price: float = 8.0

    def __post_init__(self) -> None:
        """Raises ValueError for a budget that leaves PyVRP no time."""
        if not 0.0 <= self.polish_ms < self.milliseconds:
            raise ValueError(f"expected 0 <= polish_ms < milliseconds, got {self.polish_ms} and {self.milliseconds}")
        object.__setattr__(self, "_kept", {})  # no field: it is no parameter

    @property
    def kept(self) -> dict[int, KeptPlan]:
        """The plans in memory by day index."""
        plans: dict[int, KeptPlan] = self.__dict__["_kept"]
        return plans

    def score(self, situation: Situation) -> Scores:
        """Minus the cost of each pair, planned pairs first, and the pairs to commit now."""
        fleet, table = situation.fleet, situation.table
        days = days_of_fleet(fleet, table)
        other = np.zeros(len(table.rank), dtype=np.bool_)  # pairs of another driver than PyVRP's
        for view in day_views(situation, self.horizon_min, self.tasks_per_driver):
            chosen = self._drivers(situation, days, view)
            mine = view.pairs
            wanted = chosen[table.insertion.booking[mine]]
            other[mine] = (wanted >= 0) & (wanted != table.insertion.driver[mine])
        planned, depart = self._polish(situation, days, other)
        until = np.maximum(fleet.now + self.lead_min, next_event(fleet, table))
        day, booking = table.insertion.day, table.insertion.booking
        due: Bool = depart[day, booking] <= until[day] + EPS
        q_pair = lifted(situation, -table.total, planned)
        return Scores(q_pair=q_pair, q_wait=np.full(fleet.days, np.nan), commit=planned & due)

    def _drivers(self, situation: Situation, days: Days, view: DayView) -> I64:
        """Per booking of the day [B] the driver that PyVRP gives it, -1 where it is free to choose."""
        keys = keys_of(situation, view)
        kept = self.kept.get(view.day)
        if kept is None or outdated(kept, situation, view, keys):
            started = time.thread_time()
            kept = KeptPlan(float(situation.fleet.now[view.day]), self._solve(situation, days, view, keys, started))
            self.kept[view.day] = kept
        kept.now, kept.known = float(situation.fleet.now[view.day]), set(keys)
        table = situation.table.insertion
        paired = set(zip(table.booking[view.pairs].tolist(), table.driver[view.pairs].tolist(), strict=True))
        chosen = np.full(situation.fleet.open.shape[1], -1)
        for b, key in zip(view.bookings.tolist(), keys, strict=True):
            driver = kept.driver.get(key, -1)
            if (b, driver) in paired:  # else that driver cannot, or is not a candidate, any more
                chosen[b] = driver
        return chosen

    def _solve(
        self, situation: Situation, days: Days, view: DayView, keys: list[Key], started: float
    ) -> dict[Key, int]:
        data = build(situation, view, self.late_room_min, self.spread_share)
        table = situation.table.insertion
        day, driver_of, booking = (a[view.pairs] for a in (table.day, table.driver, table.booking))
        planned, depart, _ = plan_days(days, day, driver_of, booking, np.zeros(len(view.pairs)), self._search(0))
        first, when = planned[view.day, view.bookings], depart[view.day, view.bookings]
        start = []
        for driver in view.drivers:
            clients = np.flatnonzero(first == driver)
            start.append(clients[np.argsort(when[clients], kind="stable")].tolist())
        until = started + (self.milliseconds - self.polish_ms) / 1e3
        found = vehicles_of_clients(data, start, until, self.seed)
        return {keys[client]: int(view.drivers[vehicle]) for client, vehicle in found.items()}

    def _polish(self, situation: Situation, days: Days, other: Bool) -> tuple[Bool, F64]:
        """Which pairs [P] the better plan of each day uses, and the departures of its bookings [N, B]."""
        pairs = situation.table.insertion
        best_planned, best_depart, best_cost = None, None, None
        for price in (self.firm_price, self.soft_price):
            prices = np.where(other, price, 0.0)
            driver, depart, cost = plan_days(
                days, pairs.day, pairs.driver, pairs.booking, prices, self._search(self.polish_moves)
            )
            planned: Bool = driver[pairs.day, pairs.booking] == pairs.driver
            cost = cost - np.bincount(pairs.day, weights=prices * planned, minlength=situation.fleet.days)
            if best_planned is None or best_depart is None or best_cost is None:
                best_planned, best_depart, best_cost = planned, depart, cost
                continue
            better = cost < best_cost - EPS
            best_planned = np.where(better[pairs.day], planned, best_planned)
            best_depart = np.where(better[:, None], depart, best_depart)
        if best_planned is None or best_depart is None:
            raise AssertionError("two plans were made")
        return best_planned, best_depart

    def _search(self, moves: int) -> Search:
        return Search(moves=moves, horizon_min=self.horizon_min, tasks_per_driver=self.tasks_per_driver)
