"""The README's six lines of the quality page: one scenario each, the model against its strongest comparators."""

from __future__ import annotations

from collections.abc import Callable

from qdispatch_trainer.comparators import JOINT_MATCHING, PYVRP
from qdispatch_trainer.policies import HEURISTICS
from qdispatch_trainer.quality.targets import (
    HINDSIGHT,
    PLANNER,
    SCENARIOS,
    NotMeasured,
    Results,
    compared,
    find,
    gap_closed,
    percent_and_days,
)

PAGE, FIGURE = "docs/benchmarks/quality.md", "docs/benchmarks/quality.svg"
MISSING = "not measured"


def readme_section(results: Results, subject: str) -> str:
    """Picture and table, as Markdown."""
    titles = (
        "scenario", f"cost of the {subject}", "best heuristic", f"against {JOINT_MATCHING}", f"against {PLANNER}",
        f"against {PYVRP}", "gap to hindsight closed", "served %", "decision, ms",
    )  # fmt: skip
    lines = [
        f"![Cost against decision time]({FIGURE})",
        "",
        "200 test days that nothing was chosen on (fewer where it says so), the same for every policy, through one "
        "decoder and its hard rules. Cost in minutes-equivalent a day, lower is better; *against*: the difference in "
        "percent of the other one's cost, paired by day, with its 95 % interval: below zero the "
        f"{subject} is cheaper. Every policy and verdict: "
        f"[{PAGE}]({PAGE}).",
        "",
        f"| {' | '.join(titles)} |",
        f"|---|{'---:|' * (len(titles) - 1)}",
    ]
    for scenario in SCENARIOS:
        cells = [scenario, *(_or_missing(cell) for cell in _cells(results, scenario, subject))]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _cells(results: Results, scenario: str, subject: str) -> tuple[Callable[[], str], ...]:
    def cost_of(policy: str) -> float:
        return float(find(results, scenario, policy).kpis["cost"].mean())

    def best_heuristic() -> str:
        name = min(HEURISTICS, key=cost_of)
        return f"{cost_of(name):,.0f} ({name})"

    def against(other: str) -> Callable[[], str]:
        return lambda: percent_and_days(compared(results, scenario, subject, other).percent)

    def closed() -> str:
        joint, mine, best = (find(results, scenario, name) for name in (JOINT_MATCHING, subject, HINDSIGHT))
        return gap_closed(joint, mine, best)

    def milliseconds() -> str:
        timing = find(results, scenario, subject).timing.get("day")
        if timing is None:
            raise NotMeasured(subject)
        return f"{timing.mean_ms:.1f}"

    return (
        lambda: f"{cost_of(subject):,.0f}",
        best_heuristic,
        against(JOINT_MATCHING),
        against(PLANNER),
        against(PYVRP),
        closed,
        lambda: f"{find(results, scenario, subject).kpis['served_percent'].mean():.2f}",
        milliseconds,
    )


def _or_missing(cell: Callable[[], str]) -> str:
    try:
        return cell()
    except NotMeasured:
        return MISSING
