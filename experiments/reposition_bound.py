"""What could a reposition action gain? An optimistic bound: idle drivers jump to a place and only pay for the drive.

    python experiments/reposition_bound.py --scenario fleet-10x60 --days 100

The rolling planner decides. After every decision a driver who is on shift, idle, without committed trips and not in the
plan jumps to the region's centre (the depot) if that is more than `--beyond` km away. The drive costs its minutes, but
takes no time and can never be overtaken by a booking: a real reposition action can only do worse than this one with the
same rule. Differences are paired by day, on validation seeds.
"""

from __future__ import annotations

import argparse

import numpy as np
import numpy.typing as npt

from qdispatch_domain.compiled.local_search import Search
from qdispatch_domain.planner import Planner, plan
from qdispatch_domain.situation import Situation
from qdispatch_domain.travel import FREE_FLOW_KM_PER_MIN, places_from_degrees
from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.demand import REGION
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.paired_difference import paired_difference
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose, seed_range
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.play import play_round
from qdispatch_trainer.simulator.progress import IDLE

F64 = npt.NDArray[np.float64]
LAST_HOUR_MIN = 60.0  # nobody is moved in the last hour of the shift


def centre() -> F64:
    """The depot as a place row, [4]."""
    latitude, longitude = REGION.to_degrees(np.array(REGION.depot_east_km), np.array(REGION.depot_north_km))
    return places_from_degrees(latitude, longitude)


def costs(scenario_name: str, days: int, moves: int, beyond_km: float | None) -> tuple[F64, int]:
    """Cost of every day [N] and how often somebody jumped; `beyond_km` None: nobody ever does."""
    scenario = scenario_named(scenario_name)
    batch = DayBatch([generate_day(scenario, seed) for seed in seed_range(SeedPurpose.VALIDATION, days)])
    planner = Planner(Search(moves=moves))
    truth, progress, target = batch.truth, batch.progress, centre()
    paid, jumps = np.zeros(days), 0
    came_home_from = progress.last_done.copy()  # where each driver's last real trip ended
    while not batch.over.all():
        play_round(batch, planner)
        came_home_from = np.where(progress.last_done != IDLE, progress.last_done, came_home_from)
        if beyond_km is None:
            continue
        fleet = batch.fleet
        idle = (progress.running == IDLE) & (fleet.n_trips == 0) & fleet.usable & fleet.regular
        idle &= (fleet.shift_start <= fleet.now[:, None]) & (fleet.shift_end - LAST_HOUR_MIN > fleet.now[:, None])
        situation = Situation(fleet)
        pairs = situation.table.insertion
        if len(pairs.day):
            planned, _ = plan(situation, np.zeros(len(pairs.day)), planner.search, planner.lead_min)
            idle[pairs.day[planned], pairs.driver[planned]] = False
        n, d = np.nonzero(idle)
        minutes = truth.travel.free_flow(fleet.anchor_place[n, d], target)
        far = minutes * FREE_FLOW_KM_PER_MIN > beyond_km
        n, d, minutes = n[far], d[far], minutes[far]
        np.add.at(paid, n, WEIGHTS.deadhead_per_min * minutes)
        jumps += len(n)
        truth.start_place[n, d] = target
        progress.last_done[n, d] = IDLE
        fleet.anchor_place[n, d] = target
        batch._situation = None  # an experiment's liberty: the places have changed
    progress.last_done[:] = came_home_from
    return batch.final_terms().total + paid, jumps


def main() -> None:
    """Print the bound for a few distances."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", default="fleet-10x60")
    parser.add_argument("--days", type=int, default=100)
    parser.add_argument("--moves", type=int, default=150)
    parser.add_argument("--beyond", type=float, nargs="+", default=[2.0, 5.0, 10.0])
    asked = parser.parse_args()
    still, _ = costs(asked.scenario, asked.days, asked.moves, None)
    print(f"{asked.scenario}, {asked.days} validation days, nobody moves: {still.mean():.1f}", flush=True)
    for beyond in asked.beyond:
        moved, jumps = costs(asked.scenario, asked.days, asked.moves, beyond)
        gain = paired_difference(moved, still)
        print(
            f"jump when more than {beyond:g} km away: {moved.mean():.1f}, difference {gain.mean:+.1f} "
            f"+- {gain.half_width:.1f}, {jumps / asked.days:.1f} jumps a day",
            flush=True,
        )


if __name__ == "__main__":
    main()
