"""Would a large fleet do better to commit further ahead than the network, which waits until a driver has to leave?

    python experiments/committing_ahead.py --scenario fleet-100x700 --days 12
    python experiments/committing_ahead.py --scenario drawn --days 24

Every row commits, besides what the network commits, each booking whose best pair by the network leaves within so many
minutes; differences to the network alone are paired by day and in percent of its cost. `drawn`: every day is of a
scenario of its own with 40 to 100 REGULAR drivers, all else drawn as for training days. Validation seeds that chose
nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from qdispatch_domain.fleet import EPS
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Scorer, Situation, days_of
from qdispatch_trainer.closed_loop import returns_on
from qdispatch_trainer.day import Day
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.imitation.labelled_play import preferred_pairs
from qdispatch_trainer.imitation.training_mix import drawn_scenario
from qdispatch_trainer.loaded_policy import load_policy
from qdispatch_trainer.paired_difference import paired_difference
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose, seed_range

FIRST_DAY = 500_000
DRAWN = "drawn"
DRIVERS = (40, 100)
STREAM = 7_002  # of random numbers that draw scenarios
DAYS_AT_ONCE = 8


class Ahead:
    """The network, and what its best pairs would have to do within `minutes`."""

    def __init__(self, network: Scorer, minutes: float) -> None:
        self._network, self._minutes = network, minutes

    def score(self, situation: Situation) -> Scores:
        """See `Scorer`."""
        own, pairs, fleet = self._network.score(situation), situation.table.insertion, situation.fleet
        best = preferred_pairs(pairs.day * fleet.open.shape[1] + pairs.booking, own)
        soon = best & (pairs.depart <= fleet.now[pairs.day] + self._minutes + EPS)
        waits = days_of(own, fleet.days)
        return Scores(q_pair=own.q_pair, q_wait=waits, commit=soon | (own.q_pair > waits[pairs.day]))


def days_asked(scenario: str, count: int) -> list[Day]:
    """So many validation days."""
    seeds = seed_range(SeedPurpose.VALIDATION, count, FIRST_DAY)
    if scenario != DRAWN:
        return [generate_day(scenario_named(scenario), seed) for seed in seeds]
    return [
        generate_day(drawn_scenario(f"large-{seed}", DRIVERS, np.random.default_rng((STREAM, seed))), seed)
        for seed in seeds
    ]


def main() -> None:
    """Print one row per time ahead."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", default="fleet-100x700")
    parser.add_argument("--days", type=int, default=12)
    parser.add_argument("--ahead", type=float, nargs="*", default=[15.0, 30.0, 45.0])
    parser.add_argument("--model", type=Path, default=Path("models/default"))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    network, _ = load_policy(asked.model)
    days = days_asked(asked.scenario, asked.days)

    def costs(policy: Scorer) -> np.ndarray:
        parts = [days[first : first + DAYS_AT_ONCE] for first in range(0, len(days), DAYS_AT_ONCE)]
        return np.concatenate([-returns_on(part, policy) for part in parts])

    plain = costs(network)
    print(f"{asked.scenario}, {asked.days} validation days, network: {plain.mean():.0f}", flush=True)
    for minutes in asked.ahead:
        found = paired_difference(100.0 * costs(Ahead(network, minutes)) / plain.mean(), 100.0 * plain / plain.mean())
        print(f"{minutes:g} min ahead: {found.mean:+.1f} +- {found.half_width:.1f} %", flush=True)


if __name__ == "__main__":
    main()
