"""Do two solvers that share no code agree on a day? Both minimise the shared objective, one judge prices the routes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qdispatch_trainer.day import Day
from qdispatch_trainer.hindsight.estimate import Effort, annealed, rows_of
from qdispatch_trainer.hindsight.problem import problem_of, related, truth_of
from qdispatch_trainer.hindsight.routes import Problem
from qdispatch_trainer.hindsight.shared_cost import shared_cost
from qdispatch_trainer.hindsight.shared_objective import shared_objective
from qdispatch_trainer.hindsight.static_pyvrp import pyvrp_routes
from qdispatch_trainer.hindsight.time_order import in_order_of_time


@dataclass(frozen=True, slots=True)
class Judged:
    """A solver's routes of a day: their cost, minutes-equivalent, and how many bookings they leave out."""

    cost: float
    left_out: int


LONG = Effort(runs=2, moves_per_booking=5_000)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How long each solver looks before they are compared; the best of its runs counts."""

    annealing: Effort = LONG
    pyvrp_runs: int = 3
    pyvrp_iterations: int = 1_500


def agreement(day: Day, late_room_min: float, comparison: Comparison) -> tuple[Judged, Judged]:
    """(annealing, PyVRP) on the shared objective of one day."""
    problem = shared_objective(problem_of(truth_of(day)), late_room_min)
    ours = judged(problem, rows_of(annealed(problem, related(problem), comparison.annealing)))
    return ours, _pyvrp(problem, problem, comparison)


def pyvrp_in_order(day: Day, late_room_min: float, comparison: Comparison) -> Judged:
    """PyVRP on the same objective, bound to the order of the scheduled times."""
    problem = shared_objective(problem_of(truth_of(day)), late_room_min)
    return _pyvrp(problem, in_order_of_time(problem), comparison)


def _pyvrp(problem: Problem, given: Problem, comparison: Comparison) -> Judged:
    """The best of PyVRP's runs on `given`, judged on `problem`."""
    runs = range(1, comparison.pyvrp_runs + 1)
    found = [judged(problem, pyvrp_routes(given, comparison.pyvrp_iterations, run)) for run in runs]
    return min(found, key=lambda one: one.cost)


def judged(problem: Problem, routes: Sequence[Sequence[int]]) -> Judged:
    """The routes by the common judge, who refuses a broken rule with ValueError."""
    return Judged(shared_cost(problem, routes), len(problem.booking) - sum(map(len, routes)))
