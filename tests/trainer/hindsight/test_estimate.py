"""Hindsight's cost is what the domain's timing makes of its routes, and no policy is cheaper."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from qdispatch_trainer.closed_loop import kpis_of
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.hindsight import estimate
from qdispatch_trainer.hindsight.annealing import anneal
from qdispatch_trainer.hindsight.estimate import (
    EFFORT,
    Effort,
    Source,
    attempts,
    evaluate,
    hindsight,
    hindsight_costs,
)
from qdispatch_trainer.hindsight.problem import problem_of, related, truth_of
from qdispatch_trainer.hindsight.routes import new_routes
from qdispatch_trainer.policies import HEURISTICS
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose, seed_range

CLINIC = scenario_named("clinic-day")
SEEDS = seed_range(SeedPurpose.VALIDATION, 12, 500)


@pytest.mark.parametrize("name", ["clinic-day", "fleet-10x60", "urgent-heavy"])
def test_the_annealings_price_is_the_domains_cost(name: str) -> None:
    for seed in seed_range(SeedPurpose.VALIDATION, 4, 800):
        truth = truth_of(generate_day(scenario_named(name), seed))
        problem = problem_of(truth)
        routes = new_routes(problem, 24)
        priced = anneal(problem, routes, related(problem), 4_000, 20.0, 0.3, 1)
        rows = [routes.task[d, : routes.length[d]].tolist() for d in range(len(routes.length))]
        assert evaluate(truth, rows).cost == pytest.approx(priced, abs=1e-6)


@pytest.fixture(scope="module")
def known() -> npt.NDArray[np.float64]:
    """Hindsight's costs of the days of SEEDS."""
    return hindsight_costs(CLINIC, SEEDS)["cost"]


@pytest.mark.parametrize("policy", sorted(HEURISTICS))
def test_no_heuristic_is_cheaper_than_hindsight(policy: str, known: npt.NDArray[np.float64]) -> None:
    played = np.array([day.cost for day in kpis_of(CLINIC, SEEDS, HEURISTICS[policy](60.0))])
    assert (known <= played + 1e-6).all()


def test_terms_add_up_and_more_search_never_costs_more() -> None:
    found = hindsight_costs(CLINIC, SEEDS[:3])
    total = sum(values for name, values in found.items() if name != "cost")
    np.testing.assert_allclose(total, found["cost"])
    day = generate_day(CLINIC, SEEDS[0])
    assert hindsight(day, Effort(runs=2)).cost <= hindsight(day, Effort(runs=1)).cost + 1e-9


def test_the_estimate_is_the_better_of_both_solvers() -> None:
    pytest.importorskip("pyvrp", reason="install the extra [pyvrp]: the second solver is PyVRP")
    cheaper = set()
    for number in range(4):
        day = generate_day(scenario_named("fleet-10x60"), SEEDS[number])
        effort = Effort(runs=1, moves_per_booking=200, pyvrp_iterations=100)
        found = attempts(day, effort)
        assert hindsight(day, effort).cost == min(one.cost for one in found.values())
        cheaper.add(min(found, key=lambda source: found[source].cost))
    assert cheaper == {Source.ANNEALING, Source.PYVRP}


def test_without_pyvrp_the_annealing_stands_alone_and_the_identity_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    day = generate_day(CLINIC, SEEDS[0])
    monkeypatch.setattr(estimate, "find_spec", lambda name: object())
    assert EFFORT.identity()["pyvrp"] == "polished"
    monkeypatch.setattr(estimate, "find_spec", lambda name: None)
    assert list(attempts(day)) == [Source.ANNEALING]
    assert hindsight(day).cost == attempts(day)[Source.ANNEALING].cost
    assert EFFORT.identity()["pyvrp"] == "absent"


def test_broken_rules_are_refused() -> None:
    truth = truth_of(generate_day(CLINIC, SEEDS[0]))
    bookings = int(truth.booking_real[0].sum())
    everything = [list(range(bookings))] + [[] for _ in range(int(truth.driver_real[0].sum()) - 1)]
    with pytest.raises(ValueError, match=r"too late|wheelchair|seats|after the shift"):
        evaluate(truth, everything)
