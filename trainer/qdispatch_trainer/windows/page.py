"""docs/benchmarks/windows.md: the costs behind the frozen windows, from the record alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from qdispatch_trainer.policies import MODEL, REFERENCE
from qdispatch_trainer.scenarios import SCENARIOS
from qdispatch_trainer.windows.record import chosen
from qdispatch_trainer.windows.tuning import NAMES, PLANNER, PLANNER_BUDGET_MS, TUNABLES

INTRODUCTION = (
    "Written by `qdispatch-trainer tune-windows` from `windows.json`; no number is typed in by hand.",
    "",
    "A heuristic commits a booking when its `decide_by` is at most so many minutes away; the planner (here with",
    f"{PLANNER_BUDGET_MS:g} ms of search a decision) when its planned departure is. The model commits, besides what it",
    "commits by itself, the bookings whose best pair leaves so soon. Mean cost a day, in minutes,",
    "of every choice on the same validation days. The best one, in bold, is frozen in",
    "`trainer/qdispatch_trainer/windows/frozen.json` and used in every published table; the model commits ahead only",
    "where that gain is proved. *Default − best*: what the untuned choice (heuristics 60, planner 5, model 0 minutes)",
    "costs more than the best, paired by day, with its 95 % interval; too kind to the best, which these days chose.",
)

Rows = Mapping[str, Mapping[str, Any]]  # comparator -> its row of the record


def windows_page(scenarios: Mapping[str, Mapping[str, Any]]) -> str:
    """Markdown: per scenario the mean cost of every choice, and the choice pooled over the scenarios."""
    known = {name: scenarios[name] for name in SCENARIOS if name in scenarios}
    lines = ["# Look-ahead windows of the comparators", "", *INTRODUCTION]
    for name, tuned in known.items():
        lines += ["", f"## {name}", f"Seeds from {tuned['first_seed']:,}."]
        for names in _grids(tuned["comparators"]):
            lines += ["", *_table({name: tuned["comparators"][name] for name in names})]
    lines += [
        "",
        "## One choice for all scenarios",
        "Mean over the scenarios of cost ÷ cost at the default. The server's fallback, "
        f"{REFERENCE}, keeps {TUNABLES[REFERENCE].default:g} minutes unless another window is clearly better here.",
    ]
    everywhere = [name for name in NAMES if known and all(name in rows["comparators"] for rows in known.values())]
    departures = (PLANNER, MODEL)
    for group in ([n for n in everywhere if n not in departures], [n for n in everywhere if n in departures]):
        if group:
            lines += ["", *_pooled(group, [rows["comparators"] for rows in known.values()])]
    return "\n".join(lines) + "\n"


def _grids(rows: Rows) -> list[list[str]]:
    """The comparators of a scenario, those with the same grid together."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in NAMES:
        if name in rows:
            groups.setdefault(tuple(_windows(rows[name])), []).append(name)
    return list(groups.values())


def _table(rows: Rows) -> list[str]:
    windows = _windows(next(iter(rows.values())))
    lines = _head(["comparator, min", "days", *windows, "default − best"])
    for name, row in rows.items():
        best = f"{chosen(name, row):g}"
        costs = [(window, row["mean_cost"][window]) for window in windows]
        cells = [f"**{cost:,.0f}**" if window == best else f"{cost:,.0f}" for window, cost in costs]
        difference = row["default_minus_best"]
        half = "" if difference["half_width"] is None else f" ± {difference['half_width']:,.0f}"
        lines.append(f"| {name} | {row['days']} | {' | '.join(cells)} | {difference['mean']:+,.0f}{half} |")
    return lines


def _pooled(names: Sequence[str], scenarios: Sequence[Rows]) -> list[str]:
    windows = _windows(scenarios[0][names[0]])
    lines = _head(["comparator, min", *windows])
    for name in names:
        costs_SW = np.array([[rows[name]["mean_cost"][window] for window in windows] for rows in scenarios])
        default = windows.index(f"{scenarios[0][name]['default_min']:g}")
        ratio_W = (costs_SW / costs_SW[:, default, None]).mean(axis=0)
        cells = [f"**{ratio:.3f}**" if ratio == ratio_W.min() else f"{ratio:.3f}" for ratio in ratio_W]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _windows(row: Mapping[str, Any]) -> list[str]:
    return sorted(row["mean_cost"], key=float)


def _head(titles: Sequence[str]) -> list[str]:
    return [f"| {' | '.join(titles)} |", f"|---|{'---:|' * (len(titles) - 1)}"]
