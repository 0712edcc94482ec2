"""Results made by hand: figures a reader can check in the head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.comparators import JOINT_MATCHING, PLANNER_WITH_RESERVE, PYVRP, Kind, planner_name
from qdispatch_trainer.planner_effort import BUDGETS_MS
from qdispatch_trainer.policies import HEURISTICS
from qdispatch_trainer.quality.measure import LARGE
from qdispatch_trainer.quality.result import Agreement, Result, Validated, slug
from qdispatch_trainer.quality.targets import HINDSIGHT, SCENARIOS, SUBJECT
from qdispatch_trainer.quality.timing import DecisionTime
from qdispatch_trainer.scenarios import scenario_named

FIRST = 2_000_000
DAYS = 200


def wave(mean: float, days: int = DAYS) -> npt.NDArray[np.float64]:
    """Days around `mean`: every policy has the same good and bad days, so that differences are exact."""
    return mean + 100.0 * np.sin(np.arange(days))


def time_of(scored_ms: float) -> DecisionTime:
    whole = 1.5 * scored_ms
    return DecisionTime(10, 11.0, 14.0, whole, whole, 2.0 * whole, scored_ms, 2.0 * scored_ms, whole, 0.1)


def result(scenario: str, policy: str, cost: float, **changes: Any) -> Result:
    """A result of 200 days whose mean cost is `cost` (but for the wave)."""
    days = changes.pop("days", DAYS)
    kpis = {
        "cost": wave(cost, days),
        "served_percent": wave(changes.pop("served", 99.0), days) / 1.0,
        "late_outbound_percent": wave(changes.pop("late", 20.0), days) / 1.0,
    }
    values: dict[str, Any] = {
        "scenario": scenario,
        "policy": policy,
        "kind": Kind.MODEL,
        "parameters": {"digest": "00"},
        "scenario_digest": scenario_named(scenario).digest(),
        "weights_digest": WEIGHTS.digest(),
        "first_seed": FIRST,
        "kpis": kpis,
        "agreement": Agreement(1000, 700, 500, 400),
        "validated": Validated(DAYS, 0),
        "revision": "0123456789ab",
        "machine": {"processor": "a machine", "logical_cores": 2, "python": "3.11"},
        "versions": {},
        "play_seconds": 1.0,
        "timing": {"day": time_of(1.0), LARGE: time_of(4.0)},
    }
    return Result(**(values | changes))


def all_results(**model: Any) -> dict[str, dict[str, Result]]:
    """Every policy on every scenario of the targets; the model costs 850 against joint matching's 1,000."""
    out: dict[str, dict[str, Result]] = {}
    for scenario in SCENARIOS:
        rows = {
            name: result(scenario, name, 1100.0, kind=Kind.HEURISTIC, parameters={"window_min": 60.0})
            for name in HEURISTICS
        }
        rows[JOINT_MATCHING] = result(
            scenario, JOINT_MATCHING, 1000.0, kind=Kind.HEURISTIC, parameters={"window_min": 60.0}
        )
        for name in (*map(planner_name, BUDGETS_MS), PLANNER_WITH_RESERVE):
            rows[name] = result(scenario, name, 860.0, kind=Kind.PLANNER, parameters={"moves": 100, "lead_min": 5.0})
        rows[PYVRP] = result(scenario, PYVRP, 870.0, kind=Kind.SOLVER, parameters={"lead_min": 5.0})
        rows[HINDSIGHT] = result(
            scenario, HINDSIGHT, 750.0, kind=Kind.HINDSIGHT, timing={}, agreement=None, validated=Validated()
        )
        changes: Mapping[str, Any] = {"cost": 850.0, **model}
        rows[SUBJECT] = result(scenario, SUBJECT, **changes)
        out[scenario] = {slug(name): row for name, row in rows.items()}
    return out
