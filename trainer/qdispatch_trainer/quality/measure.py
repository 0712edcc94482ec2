"""Playing a policy's days into its result file, part by part, so that a measurement that is ended can be continued."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from qdispatch_domain.situation import Scorer
from qdispatch_domain.validator import validate_day
from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.action_agreement import AgreementCounter
from qdispatch_trainer.comparators import Policy, comparator
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.policies import REFERENCE
from qdispatch_trainer.quality.machine import machine, package_versions
from qdispatch_trainer.quality.moments import moments_of_size, moments_of_the_day
from qdispatch_trainer.quality.result import KPIS, Agreement, Result, Validated, columns, read_result, slug
from qdispatch_trainer.quality.timing import DecisionTime, time_decisions
from qdispatch_trainer.scenarios import Scenario
from qdispatch_trainer.seeds import purpose_of, require_seeds
from qdispatch_trainer.simulator.day_log import DayLog, day_record
from qdispatch_trainer.simulator.kpi import day_kpis
from qdispatch_trainer.simulator.play import play
from qdispatch_trainer.source_revision import git_revision

EXAMPLES = 5
LARGE = "100x300"  # the size, drivers x open bookings, for which the targets name a decision time
LARGE_SCENARIO, LARGE_OPEN = "fleet-100x700", 300


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of a scenario is played at once, validated and timed; see EXTENTS."""

    days_at_once: int
    logged_at_once: int  # a log holds a snapshot for every decision: days of large fleets are logged one by one
    validated_days: int
    moments: int
    moment_days: int


EXTENTS: Mapping[str, Extent] = MappingProxyType(
    {
        "clinic-day": Extent(100, 50, 200, 48, 8),
        "fleet-10x60": Extent(100, 25, 200, 48, 4),
        "fleet-30x200": Extent(50, 5, 50, 40, 2),
        "fleet-60x300": Extent(20, 1, 10, 32, 1),
        "fleet-100x700": Extent(10, 1, 3, 32, 1),
        "urgent-heavy": Extent(100, 25, 200, 48, 4),
        "classic-10x20": Extent(100, 50, 200, 48, 8),
    }
)


def measure(
    policy: Policy,
    scenario: Scenario,
    first_seed: int,
    days: int,
    path: Path,
    validated: int,
    say: Callable[[str], None],
) -> Result:
    """Bring the result file at `path` to at least `days` days, the first `validated` of them checked, and return it.

    Days that stand in the file are kept if they are of the same policy, scenario, weights and seeds, else all of them
    are played anew. Raises SeedRangeError when the seeds belong to different purposes.
    """
    require_seeds(purpose_of(first_seed), range(first_seed, first_seed + days))
    result = _start(policy, scenario, first_seed)
    if path.exists():
        known = read_result(path)
        if known.same_policy(result) and known.validated.days >= min(validated, known.days):
            result = known
    extent = EXTENTS[scenario.name]
    while result.days < days:
        logged = result.days < validated
        until = min(validated, days) if logged else days
        count = min(extent.logged_at_once if logged else extent.days_at_once, until - result.days)
        result = _played(result, policy, scenario, count, logged)
        result.write(path)
        say(f"{scenario.name}, {policy.name}: {result.days} of {days} days, {result.play_seconds:.0f} s")
    return result


def time_policy(policy: Policy, scenario: Scenario, result: Result, path: Path) -> Result:
    """Time the policy's decisions and write them into its result file."""
    extent = EXTENTS[scenario.name]
    samples = {"day": moments_of_the_day(scenario.name, extent.moments, extent.moment_days)}
    if scenario.name == LARGE_SCENARIO:
        samples[LARGE] = moments_of_size(scenario.name, LARGE_OPEN, 12, 1)
    timing: dict[str, DecisionTime] = {name: time_decisions(rows, policy.build()) for name, rows in samples.items()}
    timed = replace(result, timing=timing, timing_revision=git_revision(), machine=machine())
    timed.write(path)
    return timed


def result_path(folder: Path, scenario: Scenario, name: str) -> Path:
    """Where the result of a policy, or of a labelled variant of it, stands."""
    return folder / scenario.name / f"{slug(name)}.json"


def _start(policy: Policy, scenario: Scenario, first_seed: int) -> Result:
    return Result(
        scenario=scenario.name,
        policy=policy.name,
        kind=policy.kind,
        parameters=policy.parameters,
        scenario_digest=scenario.digest(),
        weights_digest=WEIGHTS.digest(),
        first_seed=first_seed,
        kpis={name: np.zeros(0) for name in KPIS},
        agreement=Agreement(0, 0, 0, 0),
        validated=Validated(),
        revision="",
        machine=machine(),
        versions=package_versions(),
        play_seconds=0.0,
    )


def _played(result: Result, policy: Policy, scenario: Scenario, count: int, logged: bool) -> Result:
    """The result with `count` more days."""
    first = result.first_seed + result.days
    days = [generate_day(scenario, seed) for seed in range(first, first + count)]
    counter = AgreementCounter(policy.build(), _reference(scenario))
    log = DayLog() if logged else None
    start = time.perf_counter()
    batch = play(days, counter, log)
    seconds = time.perf_counter() - start
    validated = result.validated
    if log is not None:
        broken = [str(v) for n in range(count) for v in validate_day(day_record(batch, n, log))]
        validated = Validated(
            validated.days + count,
            validated.broken_rules + len(broken),
            (*validated.examples, *broken)[:EXAMPLES],
        )
    more = columns(day_kpis(batch))
    agreement = Agreement(counter.decisions, counter.agreed, counter.both_act, counter.same_pair)
    return replace(
        result,
        kpis={name: np.concatenate([result.kpis[name], more[name]]) for name in KPIS},
        agreement=agreement if result.agreement is None else result.agreement + agreement,
        validated=validated,
        revision=git_revision(),
        machine=machine(),
        versions=package_versions(),
        play_seconds=result.play_seconds + seconds,
    )


def _reference(scenario: Scenario) -> Scorer:
    return comparator(REFERENCE, scenario).build()
