"""Every comparator is built from what is frozen, and names it."""

from __future__ import annotations

import pytest

from qdispatch_trainer.comparators import COMPARATORS, JOINT_MATCHING, Kind, comparator
from qdispatch_trainer.matching import JointMatching
from qdispatch_trainer.planner_effort import BUDGETS_MS, calibrate_moves, planner_moves
from qdispatch_trainer.policies import HEURISTICS
from qdispatch_trainer.quality.moments import moments_of_the_day
from qdispatch_trainer.scenarios import SCENARIOS, scenario_named
from qdispatch_trainer.windows.frozen import tuned_window

CLINIC = scenario_named("clinic-day")


@pytest.mark.parametrize("name", list(HEURISTICS))
@pytest.mark.parametrize("scenario", list(SCENARIOS))
def test_a_heuristic_looks_as_far_ahead_as_was_tuned(name: str, scenario: str) -> None:
    policy = comparator(name, scenario_named(scenario))
    window = tuned_window(scenario, name)
    assert policy.kind is Kind.HEURISTIC
    assert policy.parameters["window_min"] == window
    assert policy.build().window_min == window  # type: ignore[attr-defined]  # heuristics have it


def test_every_build_is_a_new_scorer() -> None:
    policy = comparator("random feasible", CLINIC)
    assert policy.build() is not policy.build()
    assert comparator(JOINT_MATCHING, CLINIC).build() == JointMatching(tuned_window("clinic-day", JOINT_MATCHING))


@pytest.mark.parametrize("scenario", list(SCENARIOS))
def test_the_planner_has_more_moves_for_more_time(scenario: str) -> None:
    from qdispatch_domain.planner import Planner

    policies = [comparator(f"planner {budget:g} ms", scenario_named(scenario)) for budget in BUDGETS_MS]
    moves = [planner_moves(scenario, budget) for budget in BUDGETS_MS]
    assert moves == sorted(set(moves))
    for policy, count in zip(policies, moves, strict=True):
        scorer = policy.build()
        assert isinstance(scorer, Planner)
        assert scorer.search.moves == policy.parameters["moves"] == count
        assert scorer.lead_min == policy.parameters["lead_min"] == tuned_window(scenario, "planner")


def test_the_planner_with_the_reserve_is_the_planner_otherwise() -> None:
    from qdispatch_domain.reserve_planner import ReservePlanner

    plain, policy = (comparator(name, CLINIC) for name in ("planner 5 ms", "planner 5 ms with reserve"))
    scorer = policy.build()
    assert isinstance(scorer, ReservePlanner)
    assert policy.parameters == {**plain.parameters, "reserve": True}
    assert scorer.search.moves == policy.parameters["moves"] == planner_moves("clinic-day", 5.0)
    assert scorer.lead_min == policy.parameters["lead_min"]


def test_moves_grow_with_the_budget_when_measured() -> None:
    found = calibrate_moves(moments_of_the_day("clinic-day", 4, 1))
    assert list(found) == [f"{budget:g}" for budget in BUDGETS_MS]
    assert list(found.values()) == sorted(found.values())
    assert found["5"] > 0


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown policy 'oracle'"):
        comparator("oracle", CLINIC)
    with pytest.raises(ValueError, match="no planner moves for 3 ms"):
        planner_moves("clinic-day", 3.0)
    assert set(HEURISTICS) < set(COMPARATORS)
