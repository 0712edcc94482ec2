"""How good are the plans that the search makes of what is known, by its moves and temperatures?

    python experiments/annealing.py --scenario fleet-10x60 --days 20 --every 13

Snapshots of the shipped network with its search, on validation seeds. Every row is the mean cost of a plan from the
network's choice of drivers, above that of the plan with two hundred thousand moves, and the time it takes.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from qdispatch_domain.compiled.local_search import Search
from qdispatch_domain.compiled.plan import plan_days
from qdispatch_domain.futures_search import FuturesSearch, drivers_by_value
from qdispatch_domain.observation import Scores
from qdispatch_domain.planner import days_of_fleet
from qdispatch_domain.situation import Scorer, Situation
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.loaded_policy import load_policy
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose, seed_range
from qdispatch_trainer.simulator.play import play

HARD = Search(moves=200_000, start_temperature=100.0, end_temperature=1.0)
MOVES = (500, 2000, 8000)
TEMPERATURES = ((6.0, 0.3), (15.0, 1.0), (30.0, 1.0), (100.0, 1.0))


class Planning:
    """Plays as `searching` does, and plans every so many situations with every search of `ways`."""

    def __init__(self, network: Scorer, every: int, ways: list[Search]) -> None:
        self._searching, self._network, self._every, self._ways = FuturesSearch(network), network, every, ways
        self._met = 0
        self.objective: list[list[float]] = []
        self.seconds = np.zeros(len(ways))

    def score(self, situation: Situation) -> Scores:
        """Those of the search."""
        for n in range(situation.fleet.days):
            alone = Situation(situation.fleet.select(np.array([n])))
            if len(alone.table.insertion.day) and self._met % self._every == 0:
                self._plan(alone)
            self._met += 1
        return self._searching.score(situation)

    def _plan(self, situation: Situation) -> None:
        pairs = situation.table.insertion
        first = drivers_by_value(situation, self._network.score(situation).q_pair)
        known = days_of_fleet(situation.fleet, situation.table)._replace(first_driver=first)
        found = []
        for i, how in enumerate(self._ways):
            started = time.perf_counter()
            _, _, objective = plan_days(known, pairs.day, pairs.driver, pairs.booking, np.zeros(len(pairs.day)), how)
            self.seconds[i] += time.perf_counter() - started
            found.append(float(objective[0]))
        self.objective.append(found)


def main() -> None:
    """Print one row per search."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", default="fleet-10x60")
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--every", type=int, default=13, help="plan every so many situations")
    parser.add_argument("--model", type=Path, default=Path("models/default"))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    network, _ = load_policy(asked.model)
    ways = [Search(moves=m, start_temperature=s, end_temperature=e) for m in MOVES for s, e in TEMPERATURES]
    planning = Planning(network, asked.every, [Search(moves=0), HARD, *ways])
    seeds = seed_range(SeedPurpose.VALIDATION, asked.days)
    play([generate_day(scenario_named(asked.scenario), seed) for seed in seeds], planning)
    objective = np.array(planning.objective)
    above = objective - objective[:, 1:2]
    half = 1.96 * above.std(axis=0, ddof=1) / np.sqrt(len(above))
    milliseconds = 1e3 * planning.seconds / len(above)
    print(f"{asked.scenario}, {len(above)} situations, {HARD.moves:,} moves: {objective[:, 1].mean():.1f}")
    for i, how in enumerate([Search(moves=0), *ways]):
        column = i if i == 0 else i + 1
        name = f"{how.moves:6,} moves, {how.start_temperature:g} to {how.end_temperature:g}"
        print(f"{name:28s} +{above[:, column].mean():.1f} +- {half[column]:.1f}, {milliseconds[column]:.2f} ms")


if __name__ == "__main__":
    main()
