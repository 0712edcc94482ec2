"""Do plans for sampled calls behind the shipped network pay, up to which fleet, and should they count on the reserve?

    python experiments/futures_behind_network.py --scenario fleet-10x60 --days 200
    python experiments/futures_behind_network.py --drivers 6 10 --days 120

Every row is a policy; differences to the network alone (`--against`: to another row) are paired by day and in percent
of its cost, on validation seeds. `--drivers`: every day is of a scenario of its own with so many REGULAR drivers, drawn
as for training days.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from qdispatch_domain.committing_ahead import committing_ahead
from qdispatch_domain.compiled.future_plans import Looking
from qdispatch_domain.compiled.local_search import Search
from qdispatch_domain.futures_search import LEAD_MIN, Effort, FuturesSearch
from qdispatch_domain.planner import Planner
from qdispatch_domain.reserve_planner import ReservePlanner
from qdispatch_domain.situation import Scorer
from qdispatch_trainer.closed_loop import returns_on
from qdispatch_trainer.day import Day
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.imitation.training_mix import drawn_scenario
from qdispatch_trainer.loaded_policy import load_policy
from qdispatch_trainer.paired_difference import paired_difference
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose, seed_range

FIRST_DRAWN_DAY = 510_000
STREAM = 7_003  # of random numbers that draw scenarios
DAYS_AT_ONCE = 20
ANY = 1_000  # drivers: the search follows in every fleet


def policies(network: Scorer) -> Mapping[str, Scorer]:
    """What is compared with the network alone."""
    near = Looking(futures=8, ahead_min=90.0, known_moves=1000, reserve=False)
    far = near._replace(ahead_min=150.0)
    sixteen, eight = far._replace(futures=16, known_moves=2000), far._replace(known_moves=3000)
    four, known = far._replace(futures=4, known_moves=4000), far._replace(futures=0)
    return {
        "network, committing 20 min ahead": committing_ahead(network, 20.0),
        "planner, 2,000 moves": Planner(Search(moves=2000)),
        "what is known, 4,000 moves": searching(network, known._replace(known_moves=4000), 0),
        "90 min ahead: 1,000 moves, 8 futures of 150": searching(network, near, 150),
        "90 min ahead: 2,000 moves, 16 futures of 500": searching(
            network, near._replace(futures=16, known_moves=2000), 500
        ),
        "150 min ahead: 2,000 moves, 16 futures of 500": searching(network, sixteen, 500),
        "the same, only what leaves before the next event": searching(network, sixteen, 500, 0.0),
        "150 min ahead: 4,000 moves, 16 futures of 1,000": searching(network, sixteen._replace(known_moves=4000), 1000),
        "240 min ahead: 4,000 moves, 16 futures of 1,000": FuturesSearch(
            network,
            (
                Effort(
                    ANY,
                    sixteen._replace(ahead_min=240.0, known_moves=4000),
                    Search(moves=1000, horizon_min=240.0, tasks_per_driver=6.0),
                ),
            ),
        ),
        "150 min ahead: 3,000 moves, 8 futures of 500": searching(network, eight, 500),
        "150 min ahead: 4,000 moves, 4 futures of 1,000": searching(network, four, 1000),
        "the same, committing 20 min ahead": searching(network, four, 1000, 20.0),
        "the same, 35 min": searching(network, four, 1000, 35.0),
        "counting on the reserve: 2,000 moves, 16 futures of 500": searching(network, counting(sixteen), 500),
        "counting on the reserve: 3,000 moves, 8 futures of 500": searching(network, counting(eight), 500),
        "counting on the reserve: 8,000 moves, 8 futures of 1,500": searching(
            network, counting(eight._replace(known_moves=8000)), 1500
        ),
        "counting on the reserve: 4,000 moves, 4 futures of 1,000": searching(network, counting(four), 1000),
        "counting on the reserve, committing 20 min ahead": searching(network, counting(four), 1000, 20.0),
        "what is known, 6,500 moves": searching(network, known._replace(known_moves=6500), 0),
        "what is known, 6,500 moves, counting on the reserve": searching(
            network, counting(known._replace(known_moves=6500)), 0
        ),
        "counting on the reserve: 2,000 moves from 30, 16 futures of 500": searching(
            network, annealed(counting(sixteen), 30.0), 500
        ),
        "counting on the reserve: 8,000 moves from 15, 8 futures of 1,500": searching(
            network, annealed(counting(eight._replace(known_moves=8000)), 15.0), 1500
        ),
        "counting on the reserve: 8,000 moves from 100, 8 futures of 1,500": searching(
            network, annealed(counting(eight._replace(known_moves=8000)), 100.0), 1500
        ),
        "planner with reserve, 33,000 moves, 10 min ahead": ReservePlanner(Search(moves=33000), 10.0),
        "planner with reserve, 33,000 moves from 30, 10 min ahead": ReservePlanner(
            Search(moves=33000, start_temperature=30.0, end_temperature=1.0), 10.0
        ),
    }


def counting(looking: Looking) -> Looking:
    """The same with plans that count on EMERGENCY drivers who are not permitted yet."""
    return looking._replace(reserve=True)


def annealed(looking: Looking, start: float) -> Looking:
    """The same with a plan of what is known annealed from `start` to 1 minutes-equivalent."""
    return looking._replace(known_start_temperature=start, known_end_temperature=1.0)


def searching(network: Scorer, looking: Looking, moves: int, lead_min: float = LEAD_MIN) -> Scorer:
    """The search in every fleet."""
    return FuturesSearch(network, (Effort(ANY, looking, Search(moves=moves)),), lead_min)


def days_asked(scenario: str, drivers: tuple[int, int] | None, count: int, first: int) -> list[Day]:
    """So many validation days, from the `first` on."""
    if drivers is None:
        return [
            generate_day(scenario_named(scenario), seed) for seed in seed_range(SeedPurpose.VALIDATION, count, first)
        ]
    return [
        generate_day(drawn_scenario(f"drawn-{seed}", drivers, np.random.default_rng((STREAM, seed))), seed)
        for seed in seed_range(SeedPurpose.VALIDATION, count, FIRST_DRAWN_DAY + first)
    ]


def main() -> None:
    """Print one row per policy."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", default="clinic-day")
    parser.add_argument("--drivers", type=int, nargs=2)
    parser.add_argument("--days", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="so many validation days are left out")
    parser.add_argument("--only", type=int, nargs="*", help="numbers of the rows, from 0; default: all")
    parser.add_argument("--against", type=int, help="number of the row to compare with; default: the network alone")
    parser.add_argument("--model", type=Path, default=Path("models/default"))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    network, _ = load_policy(asked.model)
    days = days_asked(asked.scenario, asked.drivers and tuple(asked.drivers), asked.days, asked.first)

    def costs(policy: Scorer) -> np.ndarray:
        parts = [days[first : first + DAYS_AT_ONCE] for first in range(0, len(days), DAYS_AT_ONCE)]
        return np.concatenate([-returns_on(part, policy) for part in parts])

    rows = policies(network)
    name, reference = ("network", network) if asked.against is None else list(rows.items())[asked.against]
    plain = costs(reference)
    what = asked.scenario if asked.drivers is None else f"{asked.drivers[0]} to {asked.drivers[1]} drivers"
    print(f"{what}, {asked.days} validation days, {name}: {plain.mean():.0f}", flush=True)
    for number, (name, policy) in enumerate(rows.items()):
        if asked.only is None or number in asked.only:
            found = paired_difference(100.0 * costs(policy) / plain.mean(), 100.0 * plain / plain.mean())
            print(f"{name}: {found.mean:+.1f} +- {found.half_width:.1f} %", flush=True)


if __name__ == "__main__":
    main()
