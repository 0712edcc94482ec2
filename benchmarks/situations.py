"""Real moments to measure on: days of a scenario, played by cheapest insertion, written as snapshots on the way."""

from __future__ import annotations

from collections.abc import Sequence

from qdispatch_domain.heuristics import CheapestInsertion
from qdispatch_domain.snapshot import Snapshot
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.play import play_round

HOURS = (8.0, 9.5, 13.0)


def moments(scenario: str, days: int, hours: Sequence[float] = HOURS) -> list[Snapshot]:
    """The first decision of so many validation days, and their first decisions at or after each of `hours`.

    Moments with nothing to decide fall out.
    """
    found: list[Snapshot] = []
    for number in range(days):
        day = generate_day(scenario_named(scenario), SeedPurpose.VALIDATION.first_seed + number)
        batch = DayBatch([day])
        wanted = [0.0, *(60.0 * hour for hour in hours)]
        policy = CheapestInsertion()
        while wanted and not batch.over[0]:
            if batch.now[0] >= wanted[0] and batch.decidable()[0]:
                found.append(batch.snapshot(0))
                wanted = [hour for hour in wanted if hour > batch.now[0]]
            play_round(batch, policy)
    return found
