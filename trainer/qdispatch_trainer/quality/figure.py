"""The picture of cost against decision time: one panel per scenario, every policy a point."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qdispatch_trainer.comparators import JOINT_MATCHING, PLANNER_WITH_RESERVE, PYVRP, planner_name
from qdispatch_trainer.planner_effort import BUDGETS_MS
from qdispatch_trainer.policies import MODEL
from qdispatch_trainer.quality.compare import compare
from qdispatch_trainer.quality.model_policies import FLAT, MODEL_WITH_SEARCH
from qdispatch_trainer.quality.result import Result, slug
from qdispatch_trainer.quality.targets import HINDSIGHT, SCENARIOS, Results

KNEE_PERCENT, SQUEEZE = 20.0, 6.0  # above the knee the axis is so many times tighter: weak policies are far away
TICKS_PERCENT = (-60, -50, -40, -30, -20, -10, 0, 10, 20, 100, 200, 400)
TICKS_MS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
GREY, BLUE, GREEN, RED = "#777777", "#1f6fb4", "#2a8a4a", "#c1272d"
STYLES: Mapping[str, tuple[str, str, float]] = MappingProxyType(  # marker, colour, size
    {
        "random feasible": ("x", GREY, 6.0),
        "nearest driver": ("v", GREY, 6.0),
        "earliest deadline": ("<", GREY, 6.0),
        "fair-nearest": (">", GREY, 6.0),
        "cheapest insertion": ("s", GREY, 6.0),
        "regret-2": ("D", GREY, 5.5),
        JOINT_MATCHING: ("P", "black", 8.0),
        **{planner_name(budget): ("o", BLUE, 4.0 + 1.5 * n) for n, budget in enumerate(BUDGETS_MS)},
        PLANNER_WITH_RESERVE: ("d", BLUE, 7.0),
        PYVRP: ("h", GREEN, 8.0),
        FLAT: ("p", RED, 6.0),
        MODEL: ("*", RED, 13.0),
        MODEL_WITH_SEARCH: ("X", RED, 9.0),
    }
)


def draw(results: Results, path: Path) -> None:
    """Write the picture, SVG or PNG by its ending: x decision time, y cost against joint matching's.

    x in milliseconds, logarithmic; y in percent, tighter above KNEE_PERCENT. The same files give the same picture, byte
    for byte (with the same Matplotlib). A policy without a decision time or without joint matching's days is left out.
    """
    with mpl.rc_context({"svg.hashsalt": "qdispatch", "svg.fonttype": "path", "font.size": 9.0}):
        figure = Figure(figsize=(13.0, 7.0), layout="constrained")
        axes = figure.subplots(2, 3, sharey=True).ravel()
        for panel, scenario in zip(axes, SCENARIOS, strict=True):
            _panel(panel, scenario, results.get(scenario, {}))
        low, high = axes[0].get_ylim()  # shared by all panels
        axes[0].set_ylim(min(low, -30.0), max(high, 60.0))
        for panel in axes[3:]:
            panel.set_xlabel("decision time, ms (mean, one thread)")
        for panel in axes[::3]:
            panel.set_ylabel("cost against joint matching, %")
        handles = {h.get_label(): h for panel in axes for h in panel.get_legend_handles_labels()[0]}
        names = [name for name in (*STYLES, HINDSIGHT) if name in handles]
        if names:
            figure.legend([handles[n] for n in names], names, loc="outside lower center", ncols=5, frameon=False)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else {})


def _bend(percent: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    above = np.maximum(percent - KNEE_PERCENT, 0.0)
    return np.asarray(percent - above + above / SQUEEZE)


def _unbend(height: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    above = np.maximum(height - KNEE_PERCENT, 0.0)
    return np.asarray(height - above + above * SQUEEZE)


def _panel(panel: Axes, scenario: str, rows: Mapping[str, Result]) -> None:
    panel.set_title(scenario, loc="left", fontweight="bold")
    panel.set_xscale("log")
    panel.set_xlim(0.15, 300.0)
    panel.set_xticks(TICKS_MS, [f"{tick:g}" for tick in TICKS_MS])
    panel.minorticks_off()
    panel.set_yscale("function", functions=(_bend, _unbend))
    panel.set_yticks(TICKS_PERCENT)
    panel.grid(True, which="major", color="#e4e4e4", linewidth=0.6)
    panel.axhline(0.0, color="black", linewidth=0.8)
    panel.axhline(KNEE_PERCENT, color=GREY, linewidth=0.6, linestyle=":")
    joint = rows.get(slug(JOINT_MATCHING))
    if joint is None:
        panel.text(0.5, 0.5, "not measured", transform=panel.transAxes, ha="center", color=GREY)
        return
    for name, (marker, colour, size) in STYLES.items():
        row = rows.get(slug(name))
        timing = None if row is None else row.timing.get("day")
        found = None if row is None else compare(row, joint)
        if timing is None or found is None:
            continue
        half = 0.0 if row is joint else found.percent.half_width or 0.0
        panel.errorbar(
            timing.mean_ms,
            found.percent.mean,
            yerr=half,
            fmt=marker,
            color=colour,
            markersize=size,
            elinewidth=0.9,
            label=name,
        )
    best = rows.get(slug(HINDSIGHT))
    found = None if best is None else compare(best, joint)
    if found is not None:
        panel.axhline(found.percent.mean, color=GREY, linestyle="--", linewidth=1.0, label=HINDSIGHT)
