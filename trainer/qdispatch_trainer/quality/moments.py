"""Real moments to time decisions on: snapshots of a scenario's validation days with something to decide.

The days are played by the server's fallback, so that every policy is timed on the same moments.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import numpy.typing as npt

from qdispatch_domain.heuristics import CheapestInsertion
from qdispatch_domain.snapshot import Snapshot
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose, seed_at
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.play import play_round

I64 = npt.NDArray[np.int64]

FIRST_DAY = 900_000  # of the validation seeds: days on which nothing is chosen
CLOSE = 0.15  # of the wanted number of open bookings


@cache
def moments_of_the_day(scenario: str, count: int, days: int) -> tuple[Snapshot, ...]:
    """`count` snapshots, evenly spread over all instants of `days` days. ValueError when there are fewer instants."""
    per_day = -(-count // days)
    found: list[Snapshot] = []
    for number in range(days):
        instants = np.arange(len(_open_counts(scenario, number)))
        found += _written(scenario, number, _spread(instants, per_day))
    return _enough(scenario, found, count)


@cache
def moments_of_size(scenario: str, open_bookings: int, count: int, days: int) -> tuple[Snapshot, ...]:
    """`count` snapshots with about so many open bookings (CLOSE). ValueError when `days` days have fewer of them."""
    per_day = -(-count // days)
    found: list[Snapshot] = []
    for number in range(days):
        opened = np.array(_open_counts(scenario, number))
        near = np.flatnonzero(np.abs(opened - open_bookings) <= CLOSE * open_bookings)
        found += _written(scenario, number, _spread(near, per_day))
    return _enough(scenario, found, count)


def _spread(instants: I64, count: int) -> I64:
    """`count` of the instants, evenly spread; all of them when there are fewer."""
    if len(instants) <= count:
        return instants
    return instants[np.linspace(0, len(instants) - 1, count).round().astype(np.int64)]


def _enough(scenario: str, found: list[Snapshot], count: int) -> tuple[Snapshot, ...]:
    if len(found) < count:
        raise ValueError(f"{scenario}: expected {count} moments, found {len(found)}; play more days")
    return tuple(found[:count])


def _decidable(scenario: str, number: int) -> Iterator[DayBatch]:
    """The day at each instant with a pair, in order."""
    seed = seed_at(SeedPurpose.VALIDATION, FIRST_DAY + number)
    batch, policy = DayBatch([generate_day(scenario_named(scenario), seed)]), CheapestInsertion()
    while not batch.over[0]:
        if batch.decidable()[0]:
            yield batch
        play_round(batch, policy)


@cache
def _open_counts(scenario: str, number: int) -> tuple[int, ...]:
    return tuple(int(batch.fleet.open.sum()) for batch in _decidable(scenario, number))


def _written(scenario: str, number: int, wanted: I64) -> list[Snapshot]:
    chosen = set(wanted.tolist())
    return [batch.snapshot(0) for index, batch in enumerate(_decidable(scenario, number)) if index in chosen]
