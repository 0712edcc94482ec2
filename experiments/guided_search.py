"""Does a short search behind the shipped network pay?

    python experiments/guided_search.py --scenario clinic-day --days 400

Every row is a policy; differences to the rolling planner with 400 moves are paired by day, on validation seeds that
chose nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from qdispatch_domain.compiled.local_search import Search
from qdispatch_domain.planner import GuidedSearch, Planner
from qdispatch_domain.situation import Scorer
from qdispatch_trainer.closed_loop import returns_of
from qdispatch_trainer.loaded_policy import load_policy
from qdispatch_trainer.paired_difference import paired_difference
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose, seed_range

FIRST_DAY = 400_000


def main() -> None:
    """Print one row per policy."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", default="clinic-day")
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument("--model", type=Path, default=Path("models/default"))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    network, _ = load_policy(asked.model)
    policies: dict[str, Scorer] = {
        "planner, 2,000 moves": Planner(Search(moves=2000)),
        "network alone": network,
        **{
            f"network + {moves} moves, share {share:g}": GuidedSearch(network, Search(moves=moves), price_share=share)
            for moves, share in ((150, 0.3), (150, 1.0), (150, 3.0), (400, 1.0))
        },
    }
    scenario, seeds = scenario_named(asked.scenario), seed_range(SeedPurpose.VALIDATION, asked.days, FIRST_DAY)

    def costs(policy: Scorer) -> np.ndarray:
        return -returns_of(scenario, seeds, policy)

    plain = costs(Planner(Search(moves=400)))
    print(f"{asked.scenario}, {asked.days} validation days, planner, 400 moves: {plain.mean():.1f}", flush=True)
    for name, policy in policies.items():
        found = paired_difference(costs(policy), plain)
        print(f"{name}: {found.mean:+.1f} +- {found.half_width:.1f}", flush=True)


if __name__ == "__main__":
    main()
