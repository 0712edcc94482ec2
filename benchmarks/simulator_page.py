"""The page docs/benchmarks/simulator.md: every number on it comes from one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from qdispatch_bundle.measurements import Machine

PARTS = (
    "candidates",
    "features",
    "choice",
    "insertions",
    "driving",
    "what is seen",
    "cost so far",
    "rest of the step",
)
TARGET = 20_000  # situations per second on one core, with all features


class Row(Protocol):
    """What the page needs of a measured batch."""

    @property
    def scenario(self) -> str: ...
    @property
    def days(self) -> int: ...
    @property
    def situations(self) -> int: ...
    @property
    def per_second(self) -> float: ...
    @property
    def micros(self) -> Mapping[str, float]: ...


def page(machine: Machine, versions: str, compiled: Sequence[Row], plain: Sequence[Row]) -> str:
    """The whole page as Markdown: rows with the kernels and without, of the same scenarios in the same order."""
    head = ["scenario", "days at once", "situations", "per second", "numpy features, per second"]
    rows = [
        [a.scenario, f"{a.days}", f"{a.situations}", f"{a.per_second:,.0f}", f"{b.per_second:,.0f}"]
        for a, b in zip(compiled, plain, strict=True)
    ]
    profile_head = ["scenario", *PARTS, "sum"]
    profile = [
        [a.scenario, *(f"{a.micros[part]:.1f}" for part in PARTS), f"{sum(a.micros.values()):.1f}"] for a in compiled
    ]
    met = ", ".join(a.scenario for a in compiled if a.per_second >= TARGET) or "none"
    return "\n".join(
        [
            "# The simulator's speed",
            "",
            "Written by `make bench-simulator`; no number here is typed in by hand.",
            "",
            f"Machine: {machine.processor}, {machine.logical_cores} logical cores, {versions}.",
            "One process, one thread, CPU time (neighbours on the machine share its caches, not its clock).",
            "",
            "A *situation* is one day at one decision: candidates and all features are computed, a pair is picked or",
            "the day waits, and the batch takes the step with its reward. Validation days, all of a batch side by side",
            f"until the last one is over. Target: {TARGET:,} situations per second; met by: {met}.",
            "",
            *_table(head, rows),
            "",
            "*numpy features*: the same with `QDISPATCH_COMPILED=0`, on a quarter of the days.",
            "",
            "## Where the time goes",
            "CPU microseconds per situation, with the kernels. *candidates*: schedules, insertions, the cheapest kept;",
            "*features*: float32 rows of drivers, bookings, pairs and context; *choice*: the rule that picks;",
            "*driving*: trips depart, end and take their own time; *what is seen*: anchors, open bookings;",
            "*cost so far*: the realised part of C; *rest of the step*: the next event, days that end, checks.",
            "",
            *_table(profile_head, profile),
            "",
        ]
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---", *["---:"] * (len(head) - 1)]
    return [f"| {' | '.join(line)} |" for line in (head, rule, *rows)]
