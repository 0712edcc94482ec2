"""The compiled plan against brute force over all plans of small situations, and the rules it has to keep."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="install the extra [search]: the planner is compiled by numba")

from qdispatch_domain.compiled.local_search import Search
from qdispatch_domain.compiled.plan import plan_days
from qdispatch_domain.cost import committed_cost, unserved_cost
from qdispatch_domain.fleet import Fleet, commit
from qdispatch_domain.insertion import insertions
from qdispatch_domain.packing import pack
from qdispatch_domain.planner import Planner, days_of_fleet, plan
from qdispatch_domain.schedule import schedules
from qdispatch_domain.situation import Situation
from qdispatch_domain.snapshot import DriverKind
from qdispatch_domain.weights import RULES, WEIGHTS
from tests.domain.random_snapshots import random_snapshot
from tests.domain.situations import booking, driver, snapshot

EXACT = Search(moves=3000, travel_sd=0.0, service_sd=0.0, horizon_min=1e9, tasks_per_driver=1e9)


def _no_price(situation: Situation) -> np.ndarray:
    return np.zeros(len(situation.table.rank))


def _objective(situation: Situation, search: Search) -> float:
    pairs = situation.table.insertion
    _, _, objective = plan_days(
        days_of_fleet(situation.fleet, situation.table),
        pairs.day,
        pairs.driver,
        pairs.booking,
        _no_price(situation),
        search,
    )
    return float(objective[0])


def _permitted(situation: Situation) -> dict[int, list[int]]:
    pairs = situation.table.insertion
    out: dict[int, list[int]] = {}
    for b, d in zip(pairs.booking.tolist(), pairs.driver.tolist(), strict=True):
        out.setdefault(b, []).append(d)
    return out


def _brute_force(fleet: Fleet, permitted: dict[int, list[int]], left: tuple[int, ...], extra: float) -> float:
    """Cheapest plan by trying every driver and position for every booking, through the domain's own kernel."""
    if not left:
        worked = (fleet.trips_done > 0) | fleet.locked | (fleet.n_trips > 0)
        idle_home = np.zeros(1)
        day, who = np.nonzero(fleet.usable & ~worked)
        if len(day):  # a driver who has not worked does not drive home
            idle_home = WEIGHTS.deadhead_per_min * schedules(fleet, day, who).home_deadhead.sum(keepdims=True)
        return float(committed_cost(fleet)[0] - idle_home[0]) + extra
    b, rest = left[0], left[1:]
    best = _brute_force(fleet, permitted, rest, extra + float(unserved_cost(fleet.urgent[0, b])))
    day, who = np.nonzero(fleet.usable)
    s = schedules(fleet, day, who)
    for row in np.flatnonzero(np.isin(who, permitted[b])):
        for position in range(int(s.count[row]) + 1):
            if not len(insertions(fleet, s, *(np.array([v]) for v in (row, b, position))).row):
                continue
            after = fleet.select(np.array([0]))
            promised = fleet.scheduled[0, b] + RULES.latest_insertion_min - fleet.tolerance[0, b]
            where = [np.array([v]) for v in (0, who[row], b, position)]
            commit(after, where[0], where[1], where[2], where[3], np.array([promised]))
            change = WEIGHTS.driver_change if fleet.current_driver[0, b] not in (-1, who[row]) else 0.0
            best = min(best, _brute_force(after, permitted, rest, extra + change))
    return best


@pytest.mark.parametrize("seed", range(40))
def test_the_search_finds_the_cheapest_plan_of_a_small_situation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    while True:
        situation = Situation(pack([random_snapshot(rng)]))
        permitted = _permitted(situation)
        if 1 <= len(permitted) <= 3 and sum(map(len, permitted.values())) <= 7:
            break
    # every order of insertion may be needed to build the cheapest plan, so that every order is tried
    orders = [tuple(permitted), tuple(reversed(permitted))]
    best = min(_brute_force(situation.fleet, permitted, order, 0.0) for order in orders)
    assert _objective(situation, EXACT) == pytest.approx(best, abs=1e-6)


def test_more_moves_never_make_the_objective_worse_than_the_construction() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        situation = Situation(pack([random_snapshot(rng)]))
        if len(situation.table.rank):
            built = _objective(situation, EXACT._replace(moves=0))
            assert _objective(situation, EXACT) <= built + 1e-9


def test_the_same_situation_has_the_same_plan_in_any_batch() -> None:
    rng = np.random.default_rng(6)
    shots = [random_snapshot(rng) for _ in range(12)]
    shots = [s for s in shots if s.matrix is None][:5]
    together = Situation(pack(shots))
    scores = Planner().score(together)
    assert scores.commit is not None
    for n, shot in enumerate(shots):
        alone = Planner().score(Situation(pack([shot])))
        mine = together.table.insertion.day == n
        np.testing.assert_array_equal(scores.commit[mine], alone.commit)


def test_nobody_waits_for_a_departure_that_no_event_announces() -> None:
    # alone, ready at once, 60 minutes ahead: the departure lies before the next event, which is decide_by
    situation = Situation(pack([snapshot([driver("a")], [booking("b", 5.0, 10.0, 660.0)])]))
    scores = Planner(lead_min=0.0).score(situation)
    assert scores.commit is not None
    assert scores.commit.all()


def test_noise_keeps_a_tight_chain_apart() -> None:
    """Two drivers, two bookings that one driver could just do one after the other: predicted on time, in truth late."""
    drivers = [driver("near", 0.0), driver("far", -4.0)]
    bookings = [booking("first", 0.0, 5.0, 610.0), booking("second", 5.0, 9.0, 635.0)]
    situation = Situation(pack([snapshot(drivers, bookings)]))
    pairs = situation.table.insertion

    def drivers_used(search: Search) -> set[int]:
        chosen, _, _ = plan_days(
            days_of_fleet(situation.fleet, situation.table),
            pairs.day,
            pairs.driver,
            pairs.booking,
            _no_price(situation),
            search,
        )
        return set(chosen[0].tolist())

    free = WEIGHTS.spread  # two trips apart are fair: take the spread out of the comparison
    assert free > 0
    assert len(drivers_used(Search(moves=500))) == 2


def test_a_price_moves_a_booking_to_another_driver() -> None:
    drivers = [driver("near", 0.0), driver("far", -2.0)]
    situation = Situation(pack([snapshot(drivers, [booking("b", 0.0, 5.0, 630.0)])]))
    assert situation.table.insertion.driver.tolist() == [0, 1]

    for price, used in (([0.0, 0.0], [True, False]), ([50.0, 0.0], [False, True])):
        planned, due = plan(situation, np.array(price), Search(), 60.0)
        assert planned.tolist() == used
        assert due.tolist() == [True, True]


def test_only_permitted_drivers_are_planned() -> None:
    reserve = driver("reserve", 0.0, kind=DriverKind.EMERGENCY)
    regular = driver("regular", -3.0)
    situation = Situation(pack([snapshot([regular, reserve], [booking("b", 0.0, 5.0, 640.0)])]))
    commit_now = Planner(lead_min=90.0).score(situation).commit
    assert commit_now is not None
    assert situation.table.insertion.driver[commit_now].tolist() == [0]
