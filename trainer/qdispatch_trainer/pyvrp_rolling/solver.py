"""Solve a day's problem with PyVRP in a limited time."""

from __future__ import annotations

import time
from collections.abc import Sequence

from pyvrp import ProblemData, Route, Solution, solve


class ProcessorTime:
    """Stops when this thread has computed until `until` (`time.thread_time`, seconds), at most `iterations` rounds.

    The wall clock would leave PyVRP a tenth of its budget on a machine with busy neighbours.
    """

    def __init__(self, until: float, iterations: int | None = None) -> None:
        self._until = until
        self._left = iterations

    def __call__(self, best_cost: int) -> bool:
        """Whether the time is over; the cost does not matter."""
        del best_cost
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                return True
        return time.thread_time() >= self._until


def vehicles_of_clients(
    data: ProblemData, start: Sequence[Sequence[int]], until: float, seed: int, iterations: int | None = None
) -> dict[int, int]:
    """The vehicle type of every client that PyVRP plans; `start` holds the clients of each vehicle type, in order.

    The search starts there: PyVRP's own start, a local search from a random plan, takes longer than a decision may on
    large fleets. If no plan meets every window, the best one is whatever PyVRP ends with; the caller checks it anyway.
    """
    routes = [Route(data, list(clients), vehicle) for vehicle, clients in enumerate(start) if clients]
    result = solve(
        data,
        ProcessorTime(until, iterations),
        seed=seed,
        collect_stats=False,
        display=False,
        initial_solution=Solution(data, routes),
    )
    return {
        stop.idx: route.vehicle_type()
        for route in result.best.routes()
        for stop in route.schedule()
        if stop.is_client()
    }
