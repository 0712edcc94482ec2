"""How far ahead a policy looks best on a scenario, by playing every choice on the same validation days.

A heuristic has a look-ahead window, the planner and the model a lead time before a departure: all of them say when a
booking is committed, the model's what it commits besides its own choice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from qdispatch_domain.committing_ahead import committing_ahead
from qdispatch_domain.heuristics.window import DEFAULT_WINDOW_MIN
from qdispatch_domain.situation import Scorer
from qdispatch_trainer.closed_loop import kpis_of
from qdispatch_trainer.loaded_policy import load_policy
from qdispatch_trainer.paired_difference import Interval, paired_difference
from qdispatch_trainer.planner_effort import planner_moves
from qdispatch_trainer.policies import HEURISTICS, MODEL
from qdispatch_trainer.scenarios import Scenario
from qdispatch_trainer.seeds import SeedPurpose, seed_range

WINDOWS_MIN = (20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 120.0, 180.0, 240.0, 480.0)  # the last: all at once
LEADS_MIN = (0.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0)
DEFAULT_LEAD_MIN = 5.0
PLANNER = "planner"
PLANNER_BUDGET_MS = 1.0  # the effort it is tuned with; the lead holds for every effort
DAYS: Mapping[str, tuple[int, int]] = MappingProxyType(  # of the strong comparators, of the WEAK ones
    {
        "clinic-day": (200, 200),
        "fleet-10x60": (200, 200),
        "fleet-30x200": (40, 10),
        "fleet-60x300": (16, 4),
        "fleet-100x700": (6, 2),
        "urgent-heavy": (200, 200),
        "classic-10x20": (200, 200),
    }
)
WEAK = ("random feasible", "nearest driver", "earliest deadline", "fair-nearest")  # far behind with any window


def tuning_days(scenario: str, comparator: str) -> int:
    """On how many validation days a policy's window is chosen."""
    strong, weak = DAYS[scenario]
    return weak if comparator in WEAK else strong


@dataclass(frozen=True, slots=True)
class Tunable:
    """A policy with one number of minutes to choose."""

    build: Callable[[Scenario, float], Scorer]
    grid: Sequence[float]  # minutes, `default` among them
    default: float
    digest: str | None = None  # of a network: another one is tuned anew


@dataclass(frozen=True, slots=True)
class WindowCosts:
    """One policy on one scenario: mean cost a day (minutes-equivalent) for every choice of the grid (minutes)."""

    costs: Mapping[float, float]
    default: float
    default_minus_best: Interval  # of the default's cost over the best one's, paired by day

    @property
    def best(self) -> float:
        """The choice of the least mean cost; the shorter one of equals."""
        return min(self.costs, key=lambda window: (self.costs[window], window))


def _planner(scenario: Scenario, lead_min: float) -> Scorer:
    from qdispatch_domain.compiled.local_search import Search  # needs numba
    from qdispatch_domain.planner import Planner

    return Planner(Search(moves=planner_moves(scenario.name, PLANNER_BUDGET_MS)), lead_min)


def _heuristic(name: str) -> Tunable:
    return Tunable(lambda _, window: HEURISTICS[name](window), WINDOWS_MIN, DEFAULT_WINDOW_MIN)


TUNABLES: Mapping[str, Tunable] = MappingProxyType(
    {
        **{name: _heuristic(name) for name in HEURISTICS},
        PLANNER: Tunable(_planner, LEADS_MIN, DEFAULT_LEAD_MIN),
    }
)
NAMES = (*TUNABLES, MODEL)


def tunables(model: Path | None) -> Mapping[str, Tunable]:
    """What can be tuned: the comparators, and the model when its bundle or checkpoint is given.

    Raises what `load_policy` raises.
    """
    if model is None:
        return TUNABLES
    policy, about = load_policy(model)
    ahead = Tunable(lambda _, minutes: committing_ahead(policy, minutes), LEADS_MIN, 0.0, str(about["digest"]))
    return {**TUNABLES, MODEL: ahead}


def tune(scenario: Scenario, tunable: Tunable, days: int) -> WindowCosts:
    """Play every choice on the first `days` validation days. ValueError if the default is not in the grid."""
    if tunable.default not in tunable.grid:
        raise ValueError(f"Expected the default of {tunable.default:g} min in the grid.")
    seeds = seed_range(SeedPurpose.VALIDATION, days)
    played = {
        window: np.array([day.cost for day in kpis_of(scenario, seeds, tunable.build(scenario, window))])
        for window in tunable.grid
    }
    means = {window: float(costs.mean()) for window, costs in played.items()}
    best = min(means, key=lambda window: (means[window], window))
    return WindowCosts(means, tunable.default, paired_difference(played[tunable.default], played[best]))
