"""Every policy a model is compared with: how it is built for a scenario, and what its results depend on.

All of them are `Scorer`s and act through the same candidate table, decoder and hard rules as the model. Hindsight is no
policy and stands in `quality/hindsight.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from enum import StrEnum
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any

from qdispatch_domain.situation import Scorer
from qdispatch_trainer.planner_effort import BUDGETS_MS, planner_moves
from qdispatch_trainer.policies import HEURISTICS, RANDOM_POLICY_SEED
from qdispatch_trainer.scenarios import Scenario
from qdispatch_trainer.windows.frozen import tuned_window

JOINT_MATCHING = "joint matching"
PLANNER_MS = 5.0  # that the model is compared with
PLANNER_WITH_RESERVE = f"planner {PLANNER_MS:g} ms with reserve"
PYVRP = "PyVRP 100 ms"
PYVRP_MS = 100.0
# The planner's best leads there before its moves took a tenth of the time. What is measured of PyVRP is with these: an
# hour or two a fleet would be needed to choose and measure it anew.
PYVRP_LEAD_MIN: Mapping[str, float] = MappingProxyType({"fleet-60x300": 30.0, "fleet-100x700": 45.0})


class Kind(StrEnum):
    """What a policy is; the page and the figure group by it."""

    HEURISTIC = "heuristic"
    PLANNER = "planner"
    SOLVER = "solver"
    MODEL = "model"
    HINDSIGHT = "hindsight"


class ExtraMissing(Exception):
    """A comparator needs a package that is not installed; the message names the extra."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy on one scenario. `parameters` (plain values) are its identity: other parameters, other results."""

    name: str
    kind: Kind
    parameters: Mapping[str, Any]
    build: Callable[[], Scorer]  # a fresh one, with no memory of days played before


def planner_name(budget_ms: float) -> str:
    """What the planner with so many milliseconds a decision is called."""
    return f"planner {budget_ms:g} ms"


def _heuristic(name: str) -> Callable[[Scenario], Policy]:
    def policy(scenario: Scenario) -> Policy:
        window = tuned_window(scenario.name, name)
        scorer: object = HEURISTICS[name](window)
        parameters: dict[str, Any] = {"window_min": window}
        if is_dataclass(scorer) and not isinstance(scorer, type):
            parameters |= asdict(scorer)
        else:
            parameters["seed"] = RANDOM_POLICY_SEED
        return Policy(name, Kind.HEURISTIC, parameters, lambda: HEURISTICS[name](window))

    return policy


def _reserve_planner(scenario: Scenario) -> Policy:
    plain = _planner(PLANNER_MS)(scenario)
    from qdispatch_domain.compiled.local_search import Search  # needs numba
    from qdispatch_domain.reserve_planner import ReservePlanner

    search, lead = Search(moves=plain.parameters["moves"]), plain.parameters["lead_min"]
    parameters = {**plain.parameters, "reserve": True}
    return Policy(PLANNER_WITH_RESERVE, Kind.PLANNER, parameters, lambda: ReservePlanner(search, lead))


def _planner(budget_ms: float) -> Callable[[Scenario], Policy]:
    def policy(scenario: Scenario) -> Policy:
        _require("numba", "trainer")
        from qdispatch_domain.compiled.local_search import Search  # needs numba
        from qdispatch_domain.planner import Planner

        search = Search(moves=planner_moves(scenario.name, budget_ms))
        lead = tuned_window(scenario.name, "planner")
        parameters = {"budget_ms": budget_ms, "lead_min": lead, **search._asdict()}
        return Policy(planner_name(budget_ms), Kind.PLANNER, parameters, lambda: Planner(search, lead))

    return policy


def _pyvrp(scenario: Scenario) -> Policy:
    _require("pyvrp", "pyvrp")
    from qdispatch_trainer.pyvrp_rolling import RollingPyvrp  # needs the extra

    lead = PYVRP_LEAD_MIN.get(scenario.name, tuned_window(scenario.name, "planner"))  # it commits by the planner's rule
    parameters = asdict(RollingPyvrp(milliseconds=PYVRP_MS, lead_min=lead))
    return Policy(PYVRP, Kind.SOLVER, parameters, lambda: RollingPyvrp(milliseconds=PYVRP_MS, lead_min=lead))


COMPARATORS: Mapping[str, Callable[[Scenario], Policy]] = MappingProxyType(
    {
        **{name: _heuristic(name) for name in HEURISTICS},
        **{planner_name(budget): _planner(budget) for budget in BUDGETS_MS},
        PLANNER_WITH_RESERVE: _reserve_planner,
        PYVRP: _pyvrp,
    }
)


def comparator(name: str, scenario: Scenario) -> Policy:
    """The comparator of that name. Raises ValueError for an unknown one, ExtraMissing without its packages."""
    if name not in COMPARATORS:
        raise ValueError(f"unknown policy {name!r}; expected one of {', '.join(COMPARATORS)}")
    return COMPARATORS[name](scenario)


def _require(module: str, extra: str) -> None:
    if find_spec(module) is None:
        raise ExtraMissing(f"this comparator needs {module}: install the extra [{extra}]")
