"""Does a short search behind the shipped network pay?

    python experiments/guided_search.py --scenario clinic-day --days 400

Every row is a policy; differences to the rolling planner with 400 moves are paired by day, on validation seeds that
chose nothing.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from qdispatch_domain.compiled.local_search import Search
from qdispatch_domain.fleet import NEVER
from qdispatch_domain.observation import Scores
from qdispatch_domain.planner import Planner, lifted, plan
from qdispatch_domain.ranking import best_of_booking
from qdispatch_domain.situation import Scorer, Situation, days_of
from qdispatch_trainer.closed_loop import returns_of
from qdispatch_trainer.loaded_policy import load_policy
from qdispatch_trainer.paired_difference import paired_difference
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose, seed_range

FIRST_DAY = 400_000
PRICE_LIMIT_MIN = 60.0


@dataclass(frozen=True, slots=True)
class GuidedSearch:
    """The network's values price the options of a plan for what is known.

    A pair costs `price_share` x its learned disadvantage against the booking's best pair, the part of Q that the growth
    of the day's cost does not explain, at most PRICE_LIMIT_MIN.
    """

    policy: Scorer
    search: Search
    price_share: float
    lead_min: float = 5.0

    def score(self, situation: Situation) -> Scores:
        """The policy's values, planned pairs first among those of their booking, and the pairs to commit now."""
        scores = self.policy.score(situation)
        learned = scores.q_pair + situation.table.total
        behind = best_of_booking(situation, learned) - learned
        price = np.minimum(self.price_share * np.nan_to_num(behind, posinf=NEVER), PRICE_LIMIT_MIN)
        planned, due = plan(situation, price, self.search, self.lead_min)
        wait = days_of(scores, situation.fleet.days)
        return Scores(q_pair=lifted(situation, scores.q_pair, planned), q_wait=wait, commit=planned & due)


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
