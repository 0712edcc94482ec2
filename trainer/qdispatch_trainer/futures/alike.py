"""Other days of the same kind: what a dispatcher who knows the company expects, never the day itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qdispatch_trainer.day import Day
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.seeds import SEEDS_PER_PURPOSE, SeedPurpose, seed_at
from qdispatch_trainer.simulator.truth import Truth, stack

_TRIES = 40  # of a day with as many REGULAR drivers; then the nearest one met is taken


def days_alike(days: Sequence[Day], count: int, seed: Sequence[int]) -> Truth:
    """`count` train-seed days per day [len(days) * count], of its scenario and with as many REGULAR drivers.

    A day's own seed is never drawn.
    """
    drawn = [day for n, day in enumerate(days) for day in _alike(day, count, np.random.default_rng((*seed, n)))]
    return stack(drawn)


def _alike(day: Day, count: int, rng: np.random.Generator) -> list[Day]:
    if len(day.scenario.driver_counts) == 1:
        return [generate_day(day.scenario, _other_seed(day, rng)) for _ in range(count)]
    return [_nearest(day, rng) for _ in range(count)]


def _nearest(day: Day, rng: np.random.Generator) -> Day:
    best = generate_day(day.scenario, _other_seed(day, rng))
    for _ in range(_TRIES):
        if len(best.drivers) == len(day.drivers):
            break
        other = generate_day(day.scenario, _other_seed(day, rng))
        if abs(len(other.drivers) - len(day.drivers)) < abs(len(best.drivers) - len(day.drivers)):
            best = other
    return best


def _other_seed(day: Day, rng: np.random.Generator) -> int:
    while True:
        seed = seed_at(SeedPurpose.TRAIN, int(rng.integers(SEEDS_PER_PURPOSE)))
        if seed != day.seed:
            return seed
