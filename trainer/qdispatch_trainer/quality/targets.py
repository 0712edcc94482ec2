"""The quality targets, and whether the result files meet them. A target without its files is open, never met."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from qdispatch_trainer.comparators import JOINT_MATCHING, PLANNER_MS, PLANNER_WITH_RESERVE, PYVRP, planner_name
from qdispatch_trainer.paired_difference import Interval
from qdispatch_trainer.policies import HEURISTICS
from qdispatch_trainer.quality.compare import Comparison, compare
from qdispatch_trainer.quality.measure import LARGE, LARGE_SCENARIO
from qdispatch_trainer.quality.result import Result, slug

SUBJECT = "model with search"  # the policy the targets are about: what the shipped bundle does in the server
SCENARIOS = ("clinic-day", "fleet-10x60", "fleet-30x200", "urgent-heavy", "fleet-60x300", "fleet-100x700")
UNSEEN = ("fleet-60x300", "fleet-100x700")  # fleets larger than any in training
HINDSIGHT = "hindsight"
PLANNER = planner_name(PLANNER_MS)

BELOW_JOINT_MATCHING_PERCENT = 12.0
GAP_CLOSED_PERCENT = 50.0
NOT_WORSE_PERCENT = 1.0  # of the comparator's cost, for the upper end of the interval
AGREEMENT_BELOW_PERCENT = 95.0
DAYS = 200
DAYS_SLOW = 30  # hindsight and PyVRP beyond 30 drivers

Results = Mapping[str, Mapping[str, Result]]  # scenario -> file name -> result
Judge = Callable[[Results, str, str], "Judged"]  # of (results, scenario, subject)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target on one scenario. `met` is None while a file is missing; `figures` says which, or the numbers."""

    target: str
    scenario: str
    met: bool | None
    figures: str
    shortage: str = ""  # "60 of 200 days" where fewer days were played than the target asks for

    @property
    def word(self) -> str:
        """What stands in a table."""
        if self.met is None:
            return "not measured"
        return ("met" if self.met else "**missed**") + (f" ({self.shortage})" if self.shortage else "")


class Judged(NamedTuple):
    """What a target says of a scenario, from so many days of so many that are needed."""

    met: bool
    figures: str
    days: int
    needed: int = DAYS


class NotMeasured(Exception):
    """A result that a target needs is not there; the message names it."""


def verdicts(results: Results, subject: str = SUBJECT) -> list[Verdict]:
    """Every target on every scenario it is stated for, in the order of the targets."""
    return [
        _judged(title, scenario, judge, results, subject)
        for title, scenarios, judge in TARGETS
        for scenario in scenarios
    ]


def _judged(target: str, scenario: str, judge: Judge, results: Results, subject: str) -> Verdict:
    try:
        met, figures, days, needed = judge(results, scenario, subject)
    except NotMeasured as missing:
        return Verdict(target, scenario, None, f"not measured: {missing}")
    return Verdict(target, scenario, met, figures, f"{days} of {needed} days" if days < needed else "")


def find(results: Results, scenario: str, policy: str) -> Result:
    """The result of a policy. Raises NotMeasured when there is none."""
    found = results.get(scenario, {}).get(slug(policy))
    if found is None:
        raise NotMeasured(policy)
    return found


def compared(results: Results, scenario: str, subject: str, other: str, kpi: str = "cost") -> Comparison:
    """Subject against the other one. Raises NotMeasured as `find` does."""
    found = compare(find(results, scenario, subject), find(results, scenario, other), kpi)
    if found is None:
        raise NotMeasured(f"{kpi} of {other}")
    return found


def days_needed(scenario: str, policy: str) -> int:
    """200 days; 30 for PyVRP and hindsight on the fleets beyond 30 drivers."""
    return DAYS_SLOW if policy in (PYVRP, HINDSIGHT) and scenario in UNSEEN else DAYS


def gap_closed_percent(joint: Result, subject: Result, hindsight: Result) -> float:
    """Share of the way from joint matching to hindsight that the subject has gone, on the days all three have."""
    count = min(joint.days, subject.days, hindsight.days)
    costs = [float(result.kpis["cost"][:count].mean()) for result in (joint, subject, hindsight)]
    return 100.0 * (costs[0] - costs[1]) / (costs[0] - costs[2])


def gap_closed(joint: Result, subject: Result, hindsight: Result) -> str:
    """`gap_closed_percent`, with the days where they are fewer than 200."""
    closed = gap_closed_percent(joint, subject, hindsight)
    return f"{closed:.0f} %{_fewer_days(min(joint.days, subject.days, hindsight.days))}"


def _beats_heuristics(results: Results, scenario: str, subject: str) -> Judged:
    found = {name: compared(results, scenario, subject, name) for name in HEURISTICS}
    closest = max(found, key=lambda name: _high(found[name].difference))
    met = all(_high(comparison.difference) < 0.0 for comparison in found.values())
    days = min(comparison.difference.days for comparison in found.values())
    return Judged(
        met, f"closest: {closest}, {signed(found[closest].difference)} = {percent(found[closest].percent)}", days
    )


def _below_joint_matching(results: Results, scenario: str, subject: str) -> Judged:
    found = compared(results, scenario, subject, JOINT_MATCHING)
    met = found.percent.mean <= -BELOW_JOINT_MATCHING_PERCENT
    return Judged(met, percent(found.percent), found.difference.days)


def _gap_closed(results: Results, scenario: str, subject: str) -> Judged:
    joint, mine, best = (find(results, scenario, name) for name in (JOINT_MATCHING, subject, HINDSIGHT))
    closed = gap_closed_percent(joint, mine, best)
    return Judged(closed >= GAP_CLOSED_PERCENT, f"{closed:.0f} % closed", min(joint.days, mine.days, best.days))


def _not_worse_than(other: str) -> Judge:
    def judge(results: Results, scenario: str, subject: str) -> Judged:
        found = compared(results, scenario, subject, other)
        met = _high(found.percent) <= NOT_WORSE_PERCENT
        return Judged(met, percent(found.percent), found.difference.days, days_needed(scenario, other))

    return judge


def _fast(sample: str, limit_ms: float) -> Judge:
    def judge(results: Results, scenario: str, subject: str) -> Judged:
        timing = find(results, scenario, subject).timing.get(sample)
        if timing is None:
            raise NotMeasured(f"decision time of {subject}")
        size = f"{timing.drivers:.0f} drivers, {timing.open_bookings:.0f} open bookings"
        if timing.pace_ms is not None:
            size += f"; a million additions in Python took {timing.pace_ms:.0f} ms there"
        text = (
            f"features, network and search mean {timing.scored_mean_ms:.2f} ms, p95 {timing.scored_p95_ms:.2f} ms; "
            f"with the answer's rows {timing.mean_ms:.2f} ms, p95 {timing.p95_ms:.2f} ms ({size})"
        )
        return Judged(timing.scored_mean_ms < limit_ms, text, DAYS)  # moments, not days

    return judge


def _agreement(results: Results, scenario: str, subject: str) -> Judged:
    result = find(results, scenario, subject)
    found = result.agreement
    if found is None or found.share is None:
        raise NotMeasured(f"agreement of {subject}")
    both = "" if found.share_when_both_act is None else f"; {100 * found.share_when_both_act:.1f} % where both commit"
    text = f"{100 * found.share:.1f} % of {found.decisions:,} decisions{both}"
    return Judged(100.0 * found.share < AGREEMENT_BELOW_PERCENT, text, result.days)


def _as_good_as_joint_matching(kpi: str, more_is_better: bool) -> Judge:
    def judge(results: Results, scenario: str, subject: str) -> Judged:
        found = compared(results, scenario, subject, JOINT_MATCHING, kpi)
        gain = found.difference.mean if more_is_better else -found.difference.mean
        half = found.difference.half_width
        unsure = gain < 0.0 and half is not None and -gain <= half
        text = f"{found.subject_mean:.2f} against {found.reference_mean:.2f}, {signed(found.difference, 2)}"
        return Judged(gain >= 0.0, text + (" (within the interval)" if unsure else ""), found.difference.days)

    return judge


def _no_broken_rule(results: Results, scenario: str, subject: str) -> Judged:
    found = find(results, scenario, subject).validated
    if found.days == 0:
        raise NotMeasured(f"validation of {subject}")
    return Judged(found.broken_rules == 0, f"{found.broken_rules} in {found.days} days", found.days, 1)


TARGETS: tuple[tuple[str, tuple[str, ...], Judge], ...] = (
    ("cheaper than every heuristic, whole interval", SCENARIOS, _beats_heuristics),
    ("cost ≥ 12 % below joint matching", ("fleet-10x60", "fleet-30x200"), _below_joint_matching),
    ("≥ half of the gap from joint matching to hindsight closed", ("fleet-10x60",), _gap_closed),
    (f"not worse than {PYVRP} (upper end ≤ 1 %)", SCENARIOS, _not_worse_than(PYVRP)),
    (f"not worse than {PLANNER} (upper end ≤ 1 %)", SCENARIOS, _not_worse_than(PLANNER)),
    (f"not worse than {PLANNER_WITH_RESERVE} (upper end ≤ 1 %)", SCENARIOS, _not_worse_than(PLANNER_WITH_RESERVE)),
    ("decision under 2 ms at 10×60", ("fleet-10x60",), _fast("day", 2.0)),
    (f"decision under 5 ms at {LARGE.replace('x', '×')}", (LARGE_SCENARIO,), _fast(LARGE, 5.0)),
    ("agreement with cheapest insertion < 95 %", SCENARIOS, _agreement),
    ("served % not below joint matching's", SCENARIOS, _as_good_as_joint_matching("served_percent", True)),
    (
        "late outbound % not above joint matching's",
        SCENARIOS,
        _as_good_as_joint_matching("late_outbound_percent", False),
    ),
    ("no broken hard rule (independent validator)", SCENARIOS, _no_broken_rule),
)


def targets_of(found: list[Verdict]) -> Iterator[str]:
    """The titles in order, each once."""
    return iter(dict.fromkeys(verdict.target for verdict in found))


def signed(value: Interval, digits: int = 0) -> str:
    """+12 [+3, +21]; without an interval, +12."""
    text = f"{value.mean:+,.{digits}f}"
    return (
        text
        if value.low is None or value.high is None
        else f"{text} [{value.low:+,.{digits}f}, {value.high:+,.{digits}f}]"
    )


def percent(value: Interval) -> str:
    """The same in percent, one digit."""
    return f"{signed(value, 1)} %"


def percent_and_days(value: Interval) -> str:
    """`percent`, with the days where they are fewer than 200."""
    return f"{percent(value)}{_fewer_days(value.days)}"


def _fewer_days(days: int) -> str:
    return "" if days >= DAYS else f" ({days} days)"


def _high(value: Interval) -> float:
    """Upper end; infinite where one day leaves it open."""
    return float("inf") if value.high is None else value.high
