"""A few bookings and drivers of a generated day, and the cheapest way to drive them, by trying everything."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

import numpy as np

from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.hindsight.problem import problem_of, truth_of
from qdispatch_trainer.hindsight.routes import Problem
from qdispatch_trainer.hindsight.shared_cost import shared_cost
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose


def known_day(scenario: str, number: int) -> Problem:
    """A validation day with full knowledge."""
    return problem_of(truth_of(generate_day(scenario_named(scenario), SeedPurpose.VALIDATION.first_seed + number)))


def cut(p: Problem, bookings: int, drivers: int) -> Problem:
    """The first `bookings` in order of time and the first `drivers`."""
    kept = np.argsort(p.booking[:, 0], kind="stable")[:bookings]
    rows = np.concatenate([kept, len(p.booking) + np.arange(drivers)])
    return p._replace(
        booking=p.booking[kept],
        driver=p.driver[:drivers].copy(),
        breaks=p.breaks[:, :drivers].copy(),
        permitted=p.permitted[kept, :drivers].copy(),
        approach=p.approach[:, rows][:, :, kept].copy(),
        home=p.home[:, kept, :drivers].copy(),
        load_size=float(drivers),
    )


def cheapest_by_trying(p: Problem) -> float:
    """The least shared cost over all routes: everybody to any driver or nobody, in any order."""
    best = np.inf
    drivers = len(p.driver)
    for owner in product(range(drivers + 1), repeat=len(p.booking)):
        mine = [[k for k, d in enumerate(owner) if d == driver] for driver in range(drivers)]
        if all(p.permitted[k, d] for d, row in enumerate(mine) for k in row):
            best = min([best, *_prices(p, mine)])
    return float(best)


def _prices(p: Problem, mine: list[list[int]]) -> Iterator[float]:
    for routes in product(*(list(permutations(row)) for row in mine)):
        try:
            yield shared_cost(p, routes)
        except ValueError:
            continue
