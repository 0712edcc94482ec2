"""A finished study as a Markdown page with a picture, from the content of tuned.json alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

GREY, BLUE, RED = "#999999", "#1f6fb4", "#c1272d"
STATES = (("complete", BLUE), ("pruned", GREY))


def tuning_page(content: Mapping[str, Any], figure: str) -> str:
    """The whole page; `figure` is the picture's path."""
    tuning = content["tuning"]
    rows = tuning["optimization_history"]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(tuning["versions"].items()))
    return "\n".join(
        [
            f"# Tuning: {tuning['study']}",
            "",
            "Written by `qdispatch-trainer tune --page` from the study; no number is typed in by hand. Returns are in",
            "minutes-equivalent a day, higher is better; ± is half the 95 % interval.",
            "",
            *_about(tuning),
            "",
            *_verdict(tuning["winner"]),
            "",
            f"![Trials]({figure})",
            "",
            "Trial 0 is the untuned learner. Grey: pruned, at the return of its last round.",
            "",
            "## The winner's hyperparameters",
            "| hyperparameter | untuned | winner | importance (fANOVA) |",
            "|---|---:|---:|---:|",
            *_parameters(tuning, rows),
            "",
            "## Trials",
            "| trial | state | rounds | mean return | seconds |",
            "|---:|---|---:|---:|---:|",
            *(_trial(row) for row in rows),
            "",
            f"Revision {tuning['git_revision'][:12]}; {versions}.",
            "",
        ]
    )


def _about(tuning: Mapping[str, Any]) -> list[str]:
    rows, task = tuning["optimization_history"], tuning["task"]
    count = {state: sum(row["state"] == state for row in rows) for state in ("complete", "pruned", "fail")}
    hours = sum(row["seconds"] or 0.0 for row in rows) / 3600.0
    return [
        f"{task['trials']} trials on {task['scenario']} (seed {task['seed']}), each trained on {task['episodes']} days",
        f"and judged by its mean return on the same {task['eval_episodes']} validation days: {count['complete']}",
        f"complete, {count['pruned']} pruned, {count['fail']} given up; {hours:.1f} hours of work.",
    ]


def _verdict(winner: Mapping[str, Any]) -> list[str]:
    gain = winner["fresh_gain"]
    on_tuning = "unknown" if winner["tuning_gain"] is None else f"{winner['tuning_gain']:+,.1f}"
    half = "" if gain["half_width"] is None else f" ± {gain['half_width']:,.1f}"
    proved = gain["low"] is not None and gain["low"] > 0.0
    return [
        "| the winner against the untuned learner | mean return |",
        "|---|---:|",
        f"| on the days that chose it | {on_tuning} |",
        f"| both trained again, on {winner['fresh_days']} fresh days | {gain['mean']:+,.1f}{half} |",
        "",
        "**Tuning gains.**"
        if proved
        else "**No gain is proved on fresh days**: what the first row shows is the luck of the days that chose.",
        "Trained again, the winner returns "
        + (
            "the same on the days that chose it."
            if winner["trained_again_value"] == winner["tuning_value"]
            else f"{winner['trained_again_value']:,.1f} on the days that chose it, not {winner['tuning_value']:,.1f}: "
            "the trial ran on another machine or version."
        ),
    ]


def _parameters(tuning: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    untuned, importances = rows[0]["params"], tuning["importances"] or {}
    names = sorted(tuning["best_params"], key=lambda name: (-importances.get(name, 0.0), name))
    return [
        f"| {name} | {_plain(untuned.get(name))} | {_plain(tuning['best_params'][name])} | "
        f"{'–' if name not in importances else format(importances[name], '.2f')} |"
        for name in names
    ]


def _plain(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _trial(row: Mapping[str, Any]) -> str:
    state = row["state"] + (f" (again, of {row['retry_of']})" if row["retry_of"] is not None else "")
    last = _last(row)
    value = "–" if last is None else f"{last:,.1f}"
    seconds = "–" if row["seconds"] is None else f"{row['seconds']:.0f}"
    return f"| {row['number']} | {state} | {len(row['rounds'])} | {value} | {seconds} |"


def _last(row: Mapping[str, Any]) -> float | None:
    if row["value"] is not None:
        return float(row["value"])
    return float(row["rounds"][max(row["rounds"], key=int)]) if row["rounds"] else None


def draw_history(content: Mapping[str, Any], path: Path) -> None:
    """Write the trials' returns and the best so far, SVG or PNG by the path's ending."""
    rows = content["tuning"]["optimization_history"]
    with mpl.rc_context({"svg.hashsalt": "qdispatch", "svg.fonttype": "path", "font.size": 9.0}):
        figure = Figure(figsize=(8.0, 3.6), layout="constrained")
        axes = figure.subplots()
        for state, colour in STATES:
            points = [
                (row["number"], last) for row in rows if row["state"] == state and (last := _last(row)) is not None
            ]
            axes.plot([x for x, _ in points], [y for _, y in points], "o", color=colour, markersize=4, label=state)
        complete = [(row["number"], row["value"]) for row in rows if row["state"] == "complete"]
        best = [max(value for _, value in complete[: n + 1]) for n in range(len(complete))]
        axes.step([x for x, _ in complete], best, where="post", color=RED, linewidth=1.2, label="best so far")
        axes.set_xlabel("trial")
        axes.set_ylabel("mean return")
        axes.grid(visible=True, color="#e4e4e4", linewidth=0.6)
        axes.legend(frameon=False, loc="lower right")
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else {})
