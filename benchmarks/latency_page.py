"""The page docs/benchmarks/latency.md: every number on it comes from one run."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.server_latency import ServerRow
from benchmarks.stages import StageRow
from qdispatch_bundle.measurements import Machine

STAGES = (
    "pack",
    "candidates",
    "encode",
    "model fp32",
    "model int8",
    "decide, fp32",
    "decide, int8",
    "decide, search",
    "decide, heuristic",
)


def page(
    machine: Machine, versions: str, bundle: str, load: float, stages: Sequence[StageRow], server: Sequence[ServerRow]
) -> str:
    """The whole page as Markdown. `load`: 1-minute load average before the run, to judge how quiet it was."""
    head = ["scenario", "moments", "drivers", "open bookings", "pairs", *STAGES]
    stage_rows = [
        [row.scenario, f"{row.moments}", f"{row.drivers:g}", f"{row.bookings:g}", f"{row.pairs:g}"]
        + [f"{row.millis[name]:.2f}" if name in row.millis else "–" for name in STAGES]
        for row in stages
    ]
    server_head = ["scenario", "callers", "calls", "calls/s", "p50", "p95", "p99", "server p50", "≤ 5 ms", "model"]
    server_rows = [
        [row.scenario, f"{row.callers}", f"{row.calls}", f"{row.calls_per_second:.0f}"]
        + [f"{value:.2f}" for value in (row.p50, row.p95, row.p99, row.server_p50)]
        + [f"{100 * row.within_5_ms:.0f} %", f"{100 * row.model_share:.0f} %"]
        for row in server
    ]
    return "\n".join(
        [
            "# Latency",
            "",
            "Written by `make bench`; no number here is typed in by hand.",
            "",
            f"Machine: {machine.processor}, {machine.logical_cores} logical cores, INT8 instructions "
            f"{machine.int8_instructions}, {versions}. Model: {bundle}. Load average before the run: {load:.2f}.",
            "",
            "## One decision, stage by stage",
            "Medians in milliseconds over real moments of validation days (the first decision of the day, and the",
            "first ones after 8:00, 9:30 and 13:00, on days played by cheapest insertion), one process, one thread.",
            "*pack*: rows to arrays; *candidates*: schedules, insertion of every booking into every schedule, the",
            "cheapest kept; *encode*: features; *model*: the graph alone; *decide*: all of it, rows in, rows out;",
            "*search*: fp32 with the server's search behind it.",
            "",
            *_table(head, stage_rows, left=1),
            "",
            "## The server",
            "Milliseconds a caller on the same machine waits for one Suggest over TCP (client rows in, client rows",
            "out), one worker. *server p50*: its own time from arrival to the finished message; *≤ 5 ms*: the share of",
            "those times; *model*: the share answered by the model. Callers, server and benchmark share the cores.",
            "",
            *_table(server_head, server_rows, left=1),
            "",
        ]
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> list[str]:
    rule = ["---"] * left + ["---:"] * (len(head) - left)
    return [f"| {' | '.join(line)} |" for line in (head, rule, *rows)]
