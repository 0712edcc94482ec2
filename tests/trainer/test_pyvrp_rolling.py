"""Rolling PyVRP: its plans on tiny situations, what it remembers, and whole days by the independent validator."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

pytest.importorskip("pyvrp", reason="install the extra [pyvrp]: the comparator asks that solver")

from qdispatch_domain.heuristics import RandomFeasible
from qdispatch_domain.packing import pack
from qdispatch_domain.situation import Situation
from qdispatch_domain.snapshot import Booking, Break, Driver, DriverKind
from qdispatch_domain.validator import validate_day
from qdispatch_trainer.comparators import PYVRP, PYVRP_MS, Kind, comparator
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.pyvrp_rolling import RollingPyvrp
from qdispatch_trainer.pyvrp_rolling import policy as policy_module
from qdispatch_trainer.pyvrp_rolling.horizon import day_views
from qdispatch_trainer.pyvrp_rolling.problem import FORBIDDEN, build
from qdispatch_trainer.pyvrp_rolling.solver import vehicles_of_clients
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.simulator.day_log import DayLog, day_record
from qdispatch_trainer.simulator.kpi import day_kpis
from qdispatch_trainer.simulator.play import play
from qdispatch_trainer.windows.frozen import tuned_window
from tests.domain.situations import at, booking, driver, snapshot, trip

DAYS = [generate_day(scenario_named("clinic-day"), seed) for seed in range(3)]


def quick(lead_min: float = 5.0) -> RollingPyvrp:
    """The policy with little time for PyVRP."""
    return RollingPyvrp(milliseconds=15.0, polish_ms=5.0, lead_min=lead_min)


def situation_of(drivers: list[Driver], bookings: list[Booking], now: float = 600.0) -> Situation:
    return Situation(pack([snapshot(drivers, bookings, now)]))


def choice(situation: Situation) -> dict[int, int]:
    """Booking -> driver, by PyVRP alone: no start given, no polish."""
    (view,) = day_views(situation, 150.0, 3.0)
    data = build(situation, view, 2.0, 0.5)
    found = vehicles_of_clients(data, [[] for _ in view.drivers], 1e9, 1, iterations=200)
    return {int(view.bookings[client]): int(view.drivers[vehicle]) for client, vehicle in found.items()}


def test_days_keep_every_rule_and_cost_less_than_chance() -> None:
    log = DayLog()
    batch = play(DAYS, quick(), log)
    for n in range(len(DAYS)):
        record = day_record(batch, n, log)
        assert len(record.trips) + len(record.unserved) == len(record.bookings)
        assert [str(violation) for violation in validate_day(record)] == []
    own = day_kpis(batch)
    chance = day_kpis(play(DAYS, RandomFeasible(5)))
    assert np.mean([day.cost for day in own]) < np.mean([day.cost for day in chance])
    assert np.mean([day.served_percent for day in own]) > 90.0


def test_the_near_driver_is_chosen() -> None:
    situation = situation_of([driver("far", -20.0), driver("near", 1.0)], [booking("b", 2.0, 6.0, 660.0)])
    assert choice(situation) == {0: 1}
    scores = quick(lead_min=90.0).score(situation)
    assert scores.commit is not None
    assert situation.table.insertion.driver[scores.commit].tolist() == [1]


def test_two_bookings_at_once_go_to_two_drivers() -> None:
    bookings = [booking("a", 1.0, 9.0, 640.0), booking("b", 2.0, 9.0, 640.0)]
    assert choice(situation_of([driver("x"), driver("y")], bookings)) in ({0: 0, 1: 1}, {0: 1, 1: 0})


def test_a_drive_home_is_weighed() -> None:
    # nobody has a way to the pickup; one would have a long way home
    distant = driver("distant", end_location=at(-30.0))
    assert choice(situation_of([distant, driver("stays")], [booking("b", 0.0, 5.0, 640.0)])) == {0: 1}


def test_committed_trips_are_the_start_of_a_vehicle() -> None:
    # the trip of "busy" ends at kilometre 10 at 660: the booking there is next to it
    busy = driver("busy", trips=(trip("t", 0.0, 10.0, 620.0),))
    situation = situation_of([busy, driver("free", -5.0)], [booking("b", 10.0, 12.0, 690.0)])
    (view,) = day_views(situation, 150.0, 3.0)
    data = build(situation, view, 2.0, 0.0)
    assert data.vehicle_type(0).tw_early == round(10 * float(situation.table.schedules.free_time[0, 1]))
    assert data.vehicle_type(0).tw_early > 6500
    assert data.vehicle_type(1).tw_early == 6000
    assert data.distance_matrix(0)[0, data.client(0).location] == 0
    assert choice(situation) == {0: 0}


def test_who_may_not_is_endlessly_far() -> None:
    van = driver("van", -10.0)
    car = driver("car", 0.0, wheelchair_access=False)
    reserve = driver("reserve", 0.0, kind=DriverKind.EMERGENCY)
    pause = driver("pause", 0.0, breaks=(Break(630.0, 660.0),))
    situation = situation_of([van, car, reserve, pause], [booking("b", 1.0, 5.0, 640.0, wheelchair=True)])
    (view,) = day_views(situation, 150.0, 3.0)
    data = build(situation, view, 2.0, 0.0)
    to = data.client(0).location
    far = [
        int(data.distance_matrix(data.vehicle_type(v).profile)[v, to]) == FORBIDDEN for v in range(len(view.drivers))
    ]
    assert far == [False, True, True, True]
    assert choice(situation) == {0: 0}


def test_large_fleets_share_profiles() -> None:
    drivers = [driver(f"d{k}", 0.1 * k, wheelchair_access=k % 2 == 0) for k in range(40)]
    bookings = [booking("w", 1.0, 5.0, 640.0, wheelchair=True), booking("b", 2.0, 5.0, 640.0)]
    situation = situation_of(drivers, bookings)
    (view,) = day_views(situation, 150.0, 3.0)
    data = build(situation, view, 2.0, 0.5)
    assert data.num_profiles == 2
    found = choice(situation)
    assert set(found) == {0, 1}
    assert found[0] % 2 == 0


class Asked:
    """Counts how often PyVRP is asked; answers as it does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times = 0

        def counted(*arguments: object) -> dict[int, int]:
            self.times += 1
            return vehicles_of_clients(*arguments)  # type: ignore[arg-type]  # handed on as they came

        monkeypatch.setattr(policy_module, "vehicles_of_clients", counted)


def test_pyvrp_is_asked_when_the_bookings_change(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, scorer = Asked(monkeypatch), quick()
    early, late = booking("early", 1.0, 5.0, 700.0), booking("late", 2.0, 6.0, 720.0)
    far_off = booking("far off", 2.0, 6.0, 800.0)
    number = {"early": 0, "late": 1, "far off": 2}

    def look(bookings: list[Booking], now: float) -> int:
        situation = situation_of([driver("x", now=now), driver("y", 3.0, now=now)], bookings, now)
        situation.fleet.booking_code[0, : len(bookings)] = [number[b.id] for b in bookings]
        before = asked.times
        scorer.score(situation)
        return asked.times - before

    assert look([early], 540.0) == 0  # nothing within the horizon
    assert look([early], 560.0) == 1
    assert look([early], 560.0) == 0  # the same again
    assert look([early, far_off], 570.0) == 0  # new, but beyond the horizon
    assert look([early, late, far_off], 580.0) == 1
    assert look([early, late, far_off], 651.0) == 1  # has come into the horizon
    assert look([late, far_off], 655.0) == 0  # one was committed
    assert look([late, far_off], 600.0) == 1  # the clock went back: another day


def test_parameters_are_plain_values() -> None:
    policy = comparator(PYVRP, scenario_named("clinic-day"))
    assert policy.kind is Kind.SOLVER
    assert policy.parameters["milliseconds"] == PYVRP_MS
    assert policy.parameters["lead_min"] == tuned_window("clinic-day", "planner")
    json.dumps(dict(policy.parameters), allow_nan=False)
    scorer = policy.build()
    assert isinstance(scorer, RollingPyvrp)
    assert asdict(scorer) == policy.parameters
    scorer.score(situation_of([driver("x")], [booking("b", 1.0, 5.0, 660.0)]))
    assert scorer.kept
    assert not policy.build().kept  # type: ignore[attr-defined]  # a RollingPyvrp, as above


def test_a_budget_without_time_for_pyvrp_is_refused() -> None:
    with pytest.raises(ValueError, match="polish_ms < milliseconds"):
        RollingPyvrp(milliseconds=5.0)
