"""The evaluation as a table for a person."""

from __future__ import annotations

from rich.table import Table

from qdispatch_trainer.evaluation import Evaluation
from qdispatch_trainer.paired_difference import Interval

WIDTH = 126  # columns of text it needs
COLUMNS = (
    ("unserved", "un- served", 2),
    ("served_percent", "served %", 1),
    ("late_outbound_percent", "late out %", 1),
    ("late_return_percent", "late back %", 1),
    ("mean_lateness_min", "late min", 1),
    ("deadhead_km", "empty km", 1),
    ("gap_trips", "gap trips", 2),
    ("same_driver_percent", "same driver %", 0),
)


def evaluation_table(evaluation: Evaluation) -> Table:
    """Cost (minutes-equivalent a day, lower is better), its paired difference from the baseline, then the KPIs."""
    table = Table(
        title=f"{evaluation.scenario.name}: {len(evaluation.seeds)} days, seeds {evaluation.seeds[0]} to "
        f"{evaluation.seeds[-1]}",
        caption=f"Cost in minutes-equivalent a day; difference of cost: {evaluation.baseline} minus this policy, "
        "paired by day, with the 95 % interval. Minutes after a policy: its look-ahead window.",
    )
    table.add_column("policy", no_wrap=True)
    table.add_column("cost", justify="right", min_width=5)
    table.add_column("difference", justify="right", no_wrap=True)
    for _, title, _ in COLUMNS:
        table.add_column(title, justify="right", min_width=6)
    for policy in evaluation.kpis:
        difference = "" if policy == evaluation.baseline else _difference(evaluation.difference(policy, "cost"))
        values = [_mean(evaluation.mean(policy, kpi), digits) for kpi, _, digits in COLUMNS]
        window = evaluation.parameters.get(policy, {}).get("window_min")
        name = policy if window is None else f"{policy}, {window:g} min"
        table.add_row(name, _mean(evaluation.mean(policy, "cost"), 0), difference, *values)
    return table


def _mean(value: Interval | None, digits: int) -> str:
    return "" if value is None else f"{value.mean:.{digits}f}"


def _difference(value: Interval | None) -> str:
    if value is None:
        return ""
    half = "" if value.half_width is None else f" ± {value.half_width:.0f}"
    return f"{value.mean:+.0f}{half}"
