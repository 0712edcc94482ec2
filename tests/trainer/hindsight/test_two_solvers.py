"""PyVRP on a known day: tiny days that can be solved by trying everything, whole days against the annealing."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pyvrp", reason="install the extra [pyvrp]: the second solver is PyVRP")

from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.hindsight.agreement import Comparison, agreement, pyvrp_in_order
from qdispatch_trainer.hindsight.estimate import Effort, annealed, rows_of
from qdispatch_trainer.hindsight.problem import related
from qdispatch_trainer.hindsight.routes import SCHEDULED, TRIP_COST, new_routes
from qdispatch_trainer.hindsight.shared_cost import shared_cost
from qdispatch_trainer.hindsight.shared_objective import shared_objective
from qdispatch_trainer.hindsight.static_pyvrp import pyvrp_routes
from qdispatch_trainer.hindsight.take_over import take_over
from qdispatch_trainer.hindsight.time_order import in_order_of_time
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose
from tests.trainer.hindsight.tiny_days import cheapest_by_trying, cut, known_day

QUICK = Effort(runs=1, moves_per_booking=500)


@pytest.mark.parametrize("late_room_min", [2.0, 60.0])
@pytest.mark.parametrize("number", range(3))
def test_both_find_the_cheapest_routes_of_a_tiny_day(number: int, late_room_min: float) -> None:
    p = shared_objective(cut(known_day("clinic-day", number), 4, 2), late_room_min)
    best = cheapest_by_trying(p)
    assert shared_cost(p, pyvrp_routes(p, 100, 1)) == pytest.approx(best, abs=0.05)
    assert shared_cost(p, rows_of(annealed(p, related(p), QUICK))) == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("number", range(3, 6))
def test_both_agree_within_two_percent_on_a_clinic_day(number: int) -> None:
    day = generate_day(scenario_named("clinic-day"), SeedPurpose.VALIDATION.first_seed + number)
    comparison = Comparison(annealing=Effort(runs=1), pyvrp_runs=1, pyvrp_iterations=500)
    ours, theirs = agreement(day, 2.0, comparison)
    assert theirs.cost == pytest.approx(ours.cost, rel=0.02)
    assert ours.left_out == theirs.left_out
    assert pyvrp_in_order(day, 2.0, comparison).cost >= theirs.cost - 0.5


def test_a_dearer_driver_is_left_at_home() -> None:
    p = shared_objective(cut(known_day("clinic-day", 1), 1, 2), 60.0)
    p.permitted[:] = True
    p.approach[:] = 5.0
    p.home[:] = 0.0
    p.driver[:] = p.driver[0]
    for dear in (0, 1):
        p.driver[:, TRIP_COST] = 0.0
        p.driver[dear, TRIP_COST] = 30.0
        assert pyvrp_routes(p, 20, 1)[1 - dear] == [0]


def test_nobody_gets_what_the_driver_may_not_have() -> None:
    p = shared_objective(known_day("fleet-10x60", 2), 2.0)
    p.permitted[::3] = False
    routes = pyvrp_routes(p, 100, 1)
    assert all(k % 3 for row in routes for k in row)
    assert sum(map(len, routes)) > 20
    shared_cost(p, routes)


def test_the_order_of_time_binds() -> None:
    p = shared_objective(known_day("fleet-10x60", 2), 60.0)
    free, bound = pyvrp_routes(p, 300, 1), pyvrp_routes(in_order_of_time(p), 300, 1)
    assert any((np.diff(p.booking[row, SCHEDULED]) < 0.0).any() for row in free)
    assert all((np.diff(p.booking[row, SCHEDULED]) >= 0.0).all() for row in bound)


def test_a_problem_pyvrp_cannot_express_is_refused() -> None:
    with pytest.raises(ValueError, match="hours, breaks or spread"):
        pyvrp_routes(known_day("clinic-day", 0), 10, 1)


def test_routes_are_taken_over_without_what_breaks_a_rule() -> None:
    p = cut(known_day("clinic-day", 0), 4, 2)
    p.permitted[:] = True
    p.permitted[1, 0] = False
    routes = new_routes(p, 24)
    # at home all day: only the permissions can be broken
    p.approach[:], p.home[:], p.breaks[:] = 0.0, 0.0, 1e9
    p.booking[:, SCHEDULED] = [600.0, 700.0, 800.0, 900.0]
    p.booking[:, 3] = p.booking[:, SCHEDULED] + 60.0
    p.driver[:, 0], p.driver[:, 1] = 540.0, 1440.0
    task = np.array([[0, 1, 2], [3, -1, -1]])
    assert take_over(p, routes, task, np.array([3, 1])) == 1
    assert rows_of(routes) == [[0, 2], [3]]
    assert routes.driver.tolist() == [0, -1, 0, 1]
