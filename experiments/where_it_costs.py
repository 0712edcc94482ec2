"""At which hours and for which bookings does the search behind the shipped network pay for lateness and UNSERVED?

    python experiments/where_it_costs.py --scenario fleet-10x60 --days 200

Validation seeds; every number is per day. Lateness is that beyond the tolerance, in minutes-equivalent.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from qdispatch_domain.futures_search import FuturesSearch
from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.loaded_policy import load_policy
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose, seed_range
from qdispatch_trainer.simulator.play import play
from qdispatch_trainer.simulator.progress import Fate


def main() -> None:
    """Print one row per hour and per kind of booking."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", default="fleet-10x60")
    parser.add_argument("--days", type=int, default=200)
    parser.add_argument("--model", type=Path, default=Path("models/default"))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    network, _ = load_policy(asked.model)
    seeds = seed_range(SeedPurpose.VALIDATION, asked.days)
    batch = play([generate_day(scenario_named(asked.scenario), seed) for seed in seeds], FuturesSearch(network))
    truth, progress = batch.truth, batch.progress
    unserved = progress.fate == Fate.UNSERVED
    rate = np.where(truth.is_return, WEIGHTS.return_lateness_per_min, WEIGHTS.outbound_lateness_per_min)
    late = rate * np.maximum(np.nan_to_num(progress.picked_up_at - truth.scheduled - truth.tolerance), 0.0)
    hour, called = truth.scheduled // 60.0, truth.is_return & (truth.ready_at > truth.known_since)
    rows = {f"{h}:00 to {h + 1}:00": hour == h for h in range(24)}
    rows |= {"called for when ready": called, "other returns": truth.is_return & ~called}
    rows |= {"urgent outbound": ~truth.is_return & truth.urgent, "other outbound": ~truth.is_return & ~truth.urgent}
    print(f"{asked.scenario}, {asked.days} days: bookings, UNSERVED, lateness")
    for name, chosen in rows.items():
        mine = chosen & truth.booking_real
        if mine.any():
            found = (mine.sum(), (mine & unserved).sum(), late[mine].sum())
            print("{:24s} {:7.2f} {:7.3f} {:7.1f}".format(name, *(number / asked.days for number in found)))


if __name__ == "__main__":
    main()
