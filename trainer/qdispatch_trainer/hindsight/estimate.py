"""The estimate: what a day costs when everything is known from its start; the better of two solvers on the true cost.

One is long annealing. The other, where the extra [pyvrp] is installed, is PyVRP, which plans what it can express
(`shared_objective.py`); its routes are taken over where the rules allow it and polished by annealing from a lower
temperature on.

Known are all bookings and the day's own travel and service times. Nobody moves before the shift starts, and the hard
rules hold (vehicle, breaks, latest pickup, end of shift); EMERGENCY drivers may be used freely at their price instead
of by their rule (relaxed). An estimate from above, not a bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from qdispatch_domain.schedule import Work, serve
from qdispatch_domain.weights import RULES, WEIGHTS
from qdispatch_trainer.day import F64, I64, Day
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.hindsight.annealing import anneal
from qdispatch_trainer.hindsight.problem import problem_of, related, truth_of
from qdispatch_trainer.hindsight.routes import Problem, Routes, new_routes
from qdispatch_trainer.hindsight.shared_objective import shared_objective
from qdispatch_trainer.hindsight.take_over import take_over
from qdispatch_trainer.scenarios import Scenario
from qdispatch_trainer.simulator.live_fleet import TRIP_ROOM, live_fleet
from qdispatch_trainer.simulator.truth import Truth


@dataclass(frozen=True, slots=True)
class Effort:
    """How long both solvers look. The same effort finds the same routes on any machine."""

    runs: int = 2
    moves_per_booking: int = 1_500
    most_moves: int = 400_000
    start_temperature: float = 20.0  # minutes-equivalent
    end_temperature: float = 0.3
    pyvrp_iterations: int = 500
    late_room_min: float = 2.0  # minutes beyond the tolerance that a pickup may be late in PyVRP's plan
    polish_temperature: float = 8.0  # minutes-equivalent; where the polish begins

    def __post_init__(self) -> None:
        if self.runs < 1:
            raise ValueError(f"Expected at least one run, got {self.runs}.")
        if self.pyvrp_iterations < 1:
            raise ValueError(f"Expected at least one iteration, got {self.pyvrp_iterations}.")

    def moves(self, bookings: int) -> int:
        """Moves of one annealing of a day of so many bookings."""
        return min(self.moves_per_booking * bookings, self.most_moves)

    def identity(self) -> dict[str, int | float | str]:
        """What an estimate depends on: the effort, and whether PyVRP took part."""
        return {**asdict(self), "pyvrp": "polished" if pyvrp_installed() else "absent"}


EFFORT = Effort()


class Source(StrEnum):
    """Where routes come from."""

    ANNEALING = "annealing"
    PYVRP = "PyVRP, polished"


def pyvrp_installed() -> bool:
    """Whether the extra [pyvrp] is there."""
    return find_spec("pyvrp") is not None


@dataclass(frozen=True, slots=True)
class Hindsight:
    """The routes of one day (bookings in driving order per driver) and their cost by term, minutes-equivalent."""

    routes: tuple[tuple[int, ...], ...]
    deadhead: float
    lateness: float
    emergency: float
    unserved: float
    spread: float

    @property
    def cost(self) -> float:
        """C(end)."""
        return self.deadhead + self.lateness + self.emergency + self.unserved + self.spread


def hindsight_costs(
    scenario: Scenario, seeds: Sequence[int], effort: Effort = EFFORT
) -> dict[str, npt.NDArray[np.float64]]:
    """Cost and its terms under the names of `DayKpi`, each [N], in the order of the seeds."""
    found = [hindsight(generate_day(scenario, seed), effort) for seed in seeds]
    terms = ("deadhead", "lateness", "emergency", "unserved", "spread")
    return {
        "cost": np.array([day.cost for day in found]),
        **{f"cost_{term}": np.array([getattr(day, term) for day in found]) for term in terms},
    }


def hindsight(day: Day, effort: Effort = EFFORT) -> Hindsight:
    """The cheaper of the solvers' routes of one day; without PyVRP, those of the annealing."""
    return min(attempts(day, effort).values(), key=lambda found: found.cost)


def attempts(day: Day, effort: Effort = EFFORT) -> dict[Source, Hindsight]:
    """What each solver that is installed makes of one day."""
    truth = truth_of(day)
    problem = problem_of(truth)
    neighbours = related(problem)
    found = {Source.ANNEALING: evaluate(truth, rows_of(annealed(problem, neighbours, effort)))}
    if pyvrp_installed():
        found[Source.PYVRP] = evaluate(truth, rows_of(_polished_pyvrp(problem, neighbours, effort)))
    return found


def annealed(problem: Problem, neighbours: I64, effort: Effort) -> Routes:
    """The cheapest of the annealings from nothing."""
    moves = effort.moves(len(problem.booking))
    tries: list[tuple[float, Routes]] = []
    for run in range(1, effort.runs + 1):
        routes = new_routes(problem, TRIP_ROOM)
        cost = anneal(problem, routes, neighbours, moves, effort.start_temperature, effort.end_temperature, run)
        tries.append((cost, routes))
    return min(tries, key=lambda tried: tried[0])[1]


def _polished_pyvrp(problem: Problem, neighbours: I64, effort: Effort) -> Routes:
    from qdispatch_trainer.hindsight.static_pyvrp import pyvrp_routes  # needs the extra [pyvrp]

    planned = pyvrp_routes(shared_objective(problem, effort.late_room_min), effort.pyvrp_iterations, seed=1)
    task = np.full((len(planned), max(1, *map(len, planned))), -1)
    for d, row in enumerate(planned):
        task[d, : len(row)] = row
    routes = new_routes(problem, TRIP_ROOM)
    take_over(problem, routes, task, np.array([len(row) for row in planned]))
    moves = effort.moves(len(problem.booking))
    anneal(problem, routes, neighbours, moves, effort.polish_temperature, effort.end_temperature, 1)
    return routes


def rows_of(routes: Routes) -> list[list[int]]:
    """The bookings of every driver in driving order."""
    return [row[:n].tolist() for row, n in zip(routes.task, routes.length, strict=True)]


def evaluate(truth: Truth, routes: Sequence[Sequence[int]]) -> Hindsight:
    """The cost of routes on the only day of `truth`, trip by trip through the domain's own timing.

    Independent of the annealing's prices. Raises ValueError when a hard rule is broken.
    """
    fleet, travel = live_fleet(truth), truth.travel
    deadhead = lateness = emergency = 0.0
    served: set[int] = set()
    load = np.zeros(len(routes))
    for d, route in enumerate(routes):
        free = float(max(fleet.shift_start[0, d], truth.start[0]))
        place = truth.start_place[0, d]
        for b in route:
            approach = travel.free_flow(place, truth.pickup[0, b]) * truth.deadhead_factor[0, b]
            work = _work(truth, fleet.break_start[0, d], fleet.break_end[0, d], b)
            timing = serve(travel, np.array([free]), np.array([approach]), work)
            pickup = float(timing.pickup[0])
            _check(truth, fleet.wheelchair_access[0, d], int(fleet.seats[0, d]), b, pickup)
            deadhead += WEIGHTS.deadhead_per_min * float(timing.deadhead[0])
            rate = WEIGHTS.return_lateness_per_min if truth.is_return[0, b] else WEIGHTS.outbound_lateness_per_min
            lateness += rate * max(pickup - truth.scheduled[0, b] - truth.tolerance[0, b], 0.0)
            emergency += 0.0 if truth.regular[0, d] else WEIGHTS.emergency_trip
            free, place = float(timing.end[0]), truth.dropoff[0, b]
        if route and truth.has_home[0, d]:
            away = travel.free_flow(place, truth.home[0, d]) * truth.homeward_factor[0, d]
            home = float(travel.arrive(np.array(free), np.array(away)))
            deadhead += WEIGHTS.deadhead_per_min * (home - free)
            free = home
        if route and free > fleet.shift_end[0, d] + 1e-6:
            raise ValueError(f"driver {d} ends at {free:.1f}, after the shift")
        served.update(route)
        load[d] = len(route) / fleet.contract_share[0, d] if truth.regular[0, d] else np.nan
    if sum(map(len, routes)) != len(served):
        raise ValueError("Expected every booking at most once.")
    counted = load[truth.regular[0, : len(routes)]]
    spread = float(np.sqrt(max(len(counted) * np.square(counted).sum() - counted.sum() ** 2, 0.0)))
    left: I64 = np.setdiff1d(np.flatnonzero(truth.booking_real[0]), list(served))
    unserved = np.where(truth.urgent[0, left], WEIGHTS.unserved_urgent, WEIGHTS.unserved).sum()
    routed = tuple(tuple(route) for route in routes)
    return Hindsight(routed, deadhead, lateness, emergency, float(unserved), WEIGHTS.spread * spread)


def _work(truth: Truth, break_start: F64, break_end: F64, b: int) -> Work:
    return Work(
        scheduled=truth.scheduled[0, b : b + 1],
        pickup_service=truth.pickup_service[0, b : b + 1],
        dropoff_service=truth.dropoff_service[0, b : b + 1],
        loaded=truth.loaded[0, b : b + 1] * truth.loaded_factor[0, b : b + 1],
        break_start=break_start[None, :],
        break_end=break_end[None, :],
    )


def _check(truth: Truth, access: bool, seats: int, b: int, pickup: float) -> None:
    if truth.wheelchair[0, b] and not access:
        raise ValueError(f"booking {b} needs wheelchair access")
    if truth.passengers[0, b] > seats:
        raise ValueError(f"booking {b} needs {truth.passengers[0, b]} seats")
    if pickup > truth.scheduled[0, b] + RULES.latest_insertion_min + 1e-6:
        raise ValueError(f"booking {b} is picked up at {pickup:.1f}, too late")
