"""Hindsight's result files: what the days would have cost somebody who knew them from the start.

No policy: nothing is decided, timed or validated here, and only the cost and its terms are known.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.comparators import ExtraMissing, Kind
from qdispatch_trainer.quality.machine import machine, package_versions
from qdispatch_trainer.quality.result import DIGITS, Result, Validated, read_result
from qdispatch_trainer.quality.targets import HINDSIGHT
from qdispatch_trainer.scenarios import Scenario
from qdispatch_trainer.seeds import purpose_of, require_seeds
from qdispatch_trainer.source_revision import git_revision
from qdispatch_trainer.watching import Watch
from qdispatch_trainer.workers import InProcess, Workers

DAYS_AT_ONCE = 5


def measure_hindsight(
    scenario: Scenario, first_seed: int, days: int, path: Path, watch: Watch, workers: Workers | None = None
) -> Result:
    """Bring the result file at `path` to at least `days` days. Raises ExtraMissing without numba.

    Whether PyVRP took part is one of the file's parameters: without the extra [pyvrp] the estimate is another one.
    """
    if find_spec("numba") is None:
        raise ExtraMissing("hindsight needs numba: install the extra [trainer]")
    from qdispatch_trainer.hindsight.estimate import EFFORT, pyvrp_installed  # needs numba

    if not pyvrp_installed():
        watch.say(f"{HINDSIGHT}: the annealing alone; for PyVRP beside it install the extra [pyvrp]")
    require_seeds(purpose_of(first_seed), range(first_seed, first_seed + days))
    result = Result(
        scenario=scenario.name,
        policy=HINDSIGHT,
        kind=Kind.HINDSIGHT,
        parameters=EFFORT.identity(),
        scenario_digest=scenario.digest(),
        weights_digest=WEIGHTS.digest(),
        first_seed=first_seed,
        kpis={},
        agreement=None,
        validated=Validated(),
        revision="",
        machine=machine(),
        versions=package_versions(),
        play_seconds=0.0,
    )
    if path.exists() and (known := read_result(path)).same_policy(result):
        result = known
    hands = workers or InProcess()
    watch.begin(f"{scenario.name}, {HINDSIGHT}", days, "days")
    while result.days < days:
        firsts = range(first_seed + result.days, first_seed + days, DAYS_AT_ONCE)[: hands.count]
        parts = [(scenario, range(first, min(first + DAYS_AT_ONCE, first_seed + days))) for first in firsts]
        for found, seconds in hands.map(_solve_part, parts):
            more = {name: np.round(values, DIGITS) for name, values in found.items()}
            result = replace(
                result,
                kpis={name: np.concatenate([result.kpis.get(name, np.zeros(0)), row]) for name, row in more.items()},
                revision=git_revision(),
                play_seconds=result.play_seconds + seconds,
            )
        result.write(path)
        watch.done(result.days, f"cost {result.kpis['cost'].mean():,.0f} a day")
    return result


def _solve_part(scenario: Scenario, seeds: Sequence[int]) -> tuple[Mapping[str, npt.NDArray[np.float64]], float]:
    from qdispatch_trainer.hindsight.estimate import hindsight_costs  # needs numba

    start = time.perf_counter()
    return hindsight_costs(scenario, seeds), time.perf_counter() - start
