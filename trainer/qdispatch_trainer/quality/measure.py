"""Playing a policy's days into its result file, part by part, so that a measurement that is ended can be continued."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

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
from qdispatch_trainer.watching import Watch
from qdispatch_trainer.workers import InProcess, Workers

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
    watch: Watch,
    workers: Workers | None = None,
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
    hands = workers or InProcess()
    watch.begin(f"{scenario.name}, {policy.name}", days, "days")
    while result.days < days:
        parts = _parts(EXTENTS[scenario.name], result.days, days, validated)[: hands.count]
        pieces = [(policy.build, scenario, first_seed + part.first, part.count, part.logged) for part in parts]
        for played in hands.map(_play_part, pieces):
            result = _with(result, played)
        result.write(path)
        watch.done(result.days, f"cost {result.kpis['cost'].mean():,.0f} a day")
    return result


@dataclass(frozen=True, slots=True)
class _Part:
    """Days that are played side by side; `first` counts from the first day of the file."""

    first: int
    count: int
    logged: bool


def _parts(extent: Extent, done: int, days: int, validated: int) -> list[_Part]:
    """What is left to play, in the order of the days."""
    parts = []
    while done < days:
        logged = done < validated
        until = min(validated, days) if logged else days
        count = min(extent.logged_at_once if logged else extent.days_at_once, until - done)
        parts.append(_Part(done, count, logged))
        done += count
    return parts


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


@dataclass(frozen=True, slots=True)
class _Played:
    """What came of a part."""

    kpis: Mapping[str, npt.NDArray[np.float64]]
    agreement: Agreement
    validated: Validated
    seconds: float


def _play_part(build: Callable[[], Scorer], scenario: Scenario, first_seed: int, count: int, logged: bool) -> _Played:
    days = [generate_day(scenario, seed) for seed in range(first_seed, first_seed + count)]
    counter = AgreementCounter(build(), _reference(scenario))
    log = DayLog() if logged else None
    start = time.perf_counter()
    batch = play(days, counter, log)
    seconds = time.perf_counter() - start
    validated = Validated()
    if log is not None:
        broken = [str(v) for n in range(count) for v in validate_day(day_record(batch, n, log))]
        validated = Validated(count, len(broken), tuple(broken[:EXAMPLES]))
    agreement = Agreement(counter.decisions, counter.agreed, counter.both_act, counter.same_pair)
    return _Played(columns(day_kpis(batch)), agreement, validated, seconds)


def _with(result: Result, played: _Played) -> Result:
    """The result with the days of one more part."""
    before = result.validated
    return replace(
        result,
        kpis={name: np.concatenate([result.kpis[name], played.kpis[name]]) for name in KPIS},
        agreement=played.agreement if result.agreement is None else result.agreement + played.agreement,
        validated=Validated(
            before.days + played.validated.days,
            before.broken_rules + played.validated.broken_rules,
            (*before.examples, *played.validated.examples)[:EXAMPLES],
        ),
        revision=git_revision(),
        machine=machine(),
        versions=package_versions(),
        play_seconds=result.play_seconds + played.seconds,
    )


def _reference(scenario: Scenario) -> Scorer:
    return comparator(REFERENCE, scenario).build()
