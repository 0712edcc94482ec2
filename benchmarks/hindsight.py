"""`python -m benchmarks.hindsight`: do hindsight's two solvers agree, and which one finds the cheaper day?

On validation days both solve the objective that both can express, then each makes its estimate on the true cost. With
wide windows PyVRP also plans in the order of time, which says what the annealing misses there.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: one thread

import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from benchmarks.hindsight_page import Agreement, Estimates, Pair, page
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.quality.machine import machine, package_versions
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose

ROOT = Path(__file__).parents[1]
SCENARIOS = ("clinic-day", "fleet-10x60")
DAYS = 20
WIDE_DAYS = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare the solvers and write the page; returns the exit code."""
    options = _parser().parse_args(arguments)
    missing = [name for name in ("numba", "pyvrp") if find_spec(name) is None]
    if missing:
        sys.stderr.write(f"hindsight: {', '.join(missing)} not installed; pip install '.[trainer,pyvrp]'\n")
        return 1
    from qdispatch_domain.weights import RULES
    from qdispatch_trainer.hindsight.agreement import Comparison
    from qdispatch_trainer.hindsight.estimate import EFFORT

    first = SeedPurpose.VALIDATION.first_seed
    seeds = range(first, first + options.days)
    wide = RULES.latest_insertion_min
    agreements = [compare(name, seeds, EFFORT.late_room_min, in_order=False) for name in options.scenario]
    agreements += [compare(name, seeds[: options.wide_days], wide, in_order=True) for name in options.scenario]
    estimates = [estimate(name, seeds) for name in options.scenario]
    text = page(machine(), package_versions(), Comparison(), EFFORT, agreements, estimates)
    options.out.write_text(text, encoding="utf-8")
    print(text)
    return 0


def compare(scenario: str, seeds: Sequence[int], late_room_min: float, in_order: bool) -> Agreement:
    """Both solvers on the shared objective; `in_order`: PyVRP once more, bound to the order of time."""
    from qdispatch_trainer.hindsight.agreement import Comparison, agreement, pyvrp_in_order

    pairs = []
    for seed in seeds:
        day = generate_day(scenario_named(scenario), seed)
        ours, theirs = agreement(day, late_room_min, Comparison())
        ordered = pyvrp_in_order(day, late_room_min, Comparison()).cost if in_order else None
        pairs.append(Pair(seed, ours.cost, theirs.cost, ours.left_out, theirs.left_out, ordered))
    return Agreement(scenario, late_room_min, pairs)


def estimate(scenario: str, seeds: Sequence[int]) -> Estimates:
    """Both solvers' estimates on the true cost."""
    from qdispatch_trainer.hindsight.estimate import Source, attempts

    attempts(generate_day(scenario_named(scenario), seeds[0]))  # compiled, or loaded from the cache
    begun = time.process_time()
    found = [attempts(generate_day(scenario_named(scenario), seed)) for seed in seeds]
    seconds = (time.process_time() - begun) / len(seeds)
    costs = [(day[Source.ANNEALING].cost, day[Source.PYVRP].cost) for day in found]
    return Estimates(scenario, list(seeds), costs, seconds)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hindsight", description=__doc__)
    parser.add_argument("--scenario", nargs="+", default=list(SCENARIOS))
    parser.add_argument("--days", type=int, default=DAYS, help="how many validation days")
    parser.add_argument("--wide-days", type=int, default=WIDE_DAYS, help="how many of them with wide windows, too")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/benchmarks/hindsight.md", help="page to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())
