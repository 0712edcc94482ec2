"""Does a plan for sampled futures beat a plan for what is known?

    python experiments/sampled_futures.py --scenario clinic-day --days 400

Every row changes one thing about how the futures are used; differences to the rolling planner without futures are
paired by day, on validation seeds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping

from qdispatch_domain.compiled.local_search import Search
from qdispatch_domain.planner import Planner
from qdispatch_trainer.futures import FuturesPlanner, Looking
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.paired_difference import paired_difference
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose, seed_range
from qdispatch_trainer.simulator.play import play

SEED = (7,)
WITHOUT = Planner(Search(moves=400))
LOOKING: Mapping[str, Looking] = {
    "8 futures, 400 moves each": Looking(),
    "16 futures, 60 moves": Looking(futures=16, search=Search(moves=60)),
    "16 futures, 150 moves": Looking(futures=16, search=Search(moves=150)),
    "16 futures, 150 moves, 45 minutes ahead": Looking(futures=16, ahead_min=45.0, search=Search(moves=150)),
    "12 futures, 60 moves from a plan of 400": Looking(futures=12, search=Search(moves=60), known_moves=400),
    "8 futures, 60 moves": Looking(search=Search(moves=60)),
    "8 futures, 100 moves from a plan of 1,500": Looking(search=Search(moves=100), known_moves=1500),
    "8 futures, 800 moves": Looking(search=Search(moves=800)),
    "nothing ahead, 60 moves": Looking(futures=1, ahead_min=0.0, search=Search(moves=60)),
}


def main() -> None:
    """Print one row per way of looking."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", default="clinic-day")
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of the rows, from 0; default: all")
    asked = parser.parse_args()
    scenario = scenario_named(asked.scenario)
    days = [generate_day(scenario, seed) for seed in seed_range(SeedPurpose.VALIDATION, asked.days)]
    plain = play(days, WITHOUT).cost()
    print(f"{asked.scenario}, {asked.days} validation days, no futures: {plain.mean():.1f}", flush=True)
    for number, (name, looking) in enumerate(LOOKING.items()):
        if asked.only is not None and number not in asked.only:
            continue
        started = time.perf_counter()
        found = play(days, FuturesPlanner(days, looking, SEED)).cost()
        gain = paired_difference(found, plain)
        seconds = (time.perf_counter() - started) / len(days)
        print(
            f"{name}: {found.mean():.1f}, difference {gain.mean:+.1f} +- {gain.half_width:.1f}, {seconds:.2f} s a day",
            flush=True,
        )


if __name__ == "__main__":
    main()
