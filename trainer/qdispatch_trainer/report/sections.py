"""The report's parts: a heading, words, a table, figures; a part whose source is missing says what would fill it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from qdispatch_bundle.measurements import QuantizationReport
from qdispatch_trainer.comparison.comparing import Comparison
from qdispatch_trainer.comparison.key_figures import KEY_FIGURES
from qdispatch_trainer.comparison.verdict import verdict
from qdispatch_trainer.report.calibration import Calibrated

HEIGHT = 340
Row = Sequence[str]


@dataclass(frozen=True, slots=True)
class Section:
    """`table`: the head, then rows. Figures stand below it."""

    title: str
    text: tuple[str, ...] = ()
    table: tuple[Row, ...] = ()
    figures: tuple[go.Figure, ...] = ()


def about(config: Mapping[str, Any], summary: Mapping[str, Any] | None) -> Section:
    """What was trained and how it ended."""
    rows = [("", ""), ("recipe", str(config.get("recipe"))), ("command", str(config.get("command")))]
    rows += [("versions", ", ".join(f"{name} {version}" for name, version in config.get("versions", {}).items()))]
    if summary is None:
        return Section("Run", ("The training is not finished: there is no summary yet.",), tuple(rows))
    rows.append(("ended", f"{summary.get('ending')}: {summary.get('reason')}"))
    if "wait_bias_min" in summary:
        rows.append(("commit threshold", f"{summary['wait_bias_min']:+g} min"))
    return Section("Run", (), tuple(rows))


def learning(metrics: Sequence[Mapping[str, Any]]) -> Section:
    """Losses, returns of training days and validations over the rounds."""
    rounds = [row for row in metrics if row["kind"] == "round"]
    checks = [row for row in metrics if row["kind"] == "validation"]
    if not rounds:
        return Section("Learning curves", ("No round has been played yet.",))
    figures = []
    for title, wanted in (
        ("loss", lambda name: name.startswith("loss")),
        ("return of the training days, minutes-equivalent", lambda name: "return" in name),
        ("against the teacher, and exploration", lambda name: name in ("recall", "precision", "beta", "epsilon")),
    ):
        names = sorted({name for row in rounds for name in row if wanted(name)})
        if names:
            figures.append(_curves(title, rounds, names))
    if checks:
        value = "relative_cost" if "relative_cost" in checks[0] else "mean_return"
        title = "validation: cost relative to the reference" if value == "relative_cost" else "validation: mean return"
        flat = [{"round": row["round"], value: row[value], **row.get("by_scenario", {})} for row in checks]
        names = [value, *sorted(checks[0].get("by_scenario", {}))]
        figures.append(_curves(title, flat, names, markers=True))
    return Section("Learning curves", (f"{len(rounds)} rounds, {len(checks)} validations.",), (), tuple(figures))


def key_figures(found: Comparison) -> Section:
    """Means with intervals, and the paired differences from the first policy."""
    head = ("", *(f"{figure.title}, {figure.unit}" for figure in KEY_FIGURES))
    rows: list[Row] = [head]
    for contestant in found.contestants:
        cells = []
        for figure in KEY_FIGURES:
            mean = found.mean(contestant.name, figure.name)
            half = "" if mean is None or mean.half_width is None else f" ± {mean.half_width:,.{figure.digits}f}"
            cells.append("–" if mean is None else f"{mean.mean:,.{figure.digits}f}{half}")
        rows.append((contestant.name, *cells))
    names = [contestant.name for contestant in found.contestants]
    costs = [found.mean(name, "cost") for name in names]
    figure = go.Figure()
    figure.add_bar(
        x=names,
        y=[0.0 if cost is None else cost.mean for cost in costs],
        error_y={"array": [0.0 if cost is None else cost.half_width or 0.0 for cost in costs]},
        marker={"color": "#2b6cb0"},
    )
    _layout(figure, "cost a day, min, with its 95 % interval")
    text = f"{found.scenario.name}, {len(found.seeds)} days, seeds {found.seeds[0]} to {found.seeds[-1]}; ± 95 %."
    return Section("Key figures", (text, *(verdict(found, name) for name in names[1:])), tuple(rows), (figure,))


def agreement(share: float | None, both: int, same: int, reference: str) -> Section:
    """How often the policy does what the reference would."""
    if share is None:
        return Section("Action agreement", ("No decision was met.",))
    rows: list[Row] = [("", ""), (f"first choice is {reference}'s", f"{100.0 * share:.1f} % of the decisions")]
    if both:
        rows.append(("where both commit, the same pair", f"{100.0 * same / both:.1f} % of {both:,}"))
    words = "A policy that always agrees with the greedy rule has learned nothing, whatever its cost."
    return Section("Action agreement", (words,), tuple(rows))


def q_calibration(found: Calibrated, trustworthy: bool) -> Section:
    """Predicted against realised."""
    predicted, realised = found.bins()
    figure = go.Figure()
    figure.add_scatter(x=predicted.tolist(), y=realised.tolist(), mode="markers+lines", name="groups of decisions")
    ends = [float(min(predicted.min(), realised.min())), float(max(predicted.max(), realised.max()))]
    figure.add_scatter(x=ends, y=ends, mode="lines", name="as predicted", line={"dash": "dot", "color": "#4a5568"})
    _layout(figure, "return from a decision to the end of the day, minutes-equivalent")
    figure.update_xaxes(title="predicted: the best Q")
    figure.update_yaxes(title="realised")
    rows: list[Row] = [
        ("decisions", "slope", "correlation", "predicted − realised, min"),
        (f"{len(found.predicted):,}", f"{found.slope:.2f}", f"{found.correlation:.2f}", f"{found.bias:+,.0f}"),
    ]
    text = (
        "The values are reported as minutes by the server."
        if trustworthy
        else "The server reports no Q of this model as minutes: it ranks with them and claims no more."
    )
    return Section("Calibration of Q", (text,), tuple(rows), (figure,))


def tuning(content: Mapping[str, Any] | None) -> Section:
    """Optimization history and importances of a tuned.json."""
    title = "Tuning"
    if content is None:
        return Section(title, ("No tuned settings were given (--tuned tuned.json).",))
    rows = [row for row in content["optimization_history"] if row["value"] is not None and row["state"] == "complete"]
    best = -math.inf
    so_far = [best := max(best, row["value"]) for row in rows]
    history = go.Figure()
    numbers = [row["number"] for row in rows]
    history.add_scatter(x=numbers, y=[row["value"] for row in rows], mode="markers", name="trial")
    history.add_scatter(x=numbers, y=so_far, mode="lines", name="best so far")
    _layout(history, "mean return of the completed trials")
    figures = [history]
    if content.get("importances"):
        importances = sorted(content["importances"].items(), key=lambda item: item[1])
        bars = go.Figure()
        bars.add_bar(x=[share for _, share in importances], y=[name for name, _ in importances], orientation="h")
        _layout(bars, "importance (fANOVA)", height=max(HEIGHT, 22 * len(importances)))
        figures.append(bars)
    text = [f"Study {content['study']}: best value {content['best_value']:,.1f}, trial {content['best_trial']}."]
    winner = content.get("winner")
    if winner:
        gain = winner["fresh_gain"]
        half = "" if gain["half_width"] is None else f" ± {gain['half_width']:,.1f}"
        chosen = "unknown" if winner["tuning_gain"] is None else f"{winner['tuning_gain']:+,.1f}"
        text.append(
            f"Against the untuned learner: {chosen} on the days that chose it, {gain['mean']:+,.1f}{half} "
            f"on {winner['fresh_days']} fresh days."
        )
    best_params = [("hyperparameter", "value"), *((n, f"{v:g}") for n, v in content["best_params"].items())]
    return Section(title, tuple(text), tuple(best_params), tuple(figures))


def quantization(report: QuantizationReport | None) -> Section:
    """Every form of the exported network."""
    title = "Quantization"
    if report is None:
        return Section(title, ("No bundle was given (--bundle FOLDER): the network has not been exported.",))
    rows: list[Row] = [("form", "kB", "same first choice as FP32", "largest difference of Q, min", "verdict")]
    figure = go.Figure()
    for form in report.forms:
        same = "" if form.top1_agreement is None else f"{100.0 * form.top1_agreement:.1f} % of {form.observations}"
        largest = "" if form.max_q_difference is None else f"{form.max_q_difference:.2f}"
        rows.append((form.form.value, f"{form.bytes / 1000:.0f}", same, largest, form.verdict))
        sizes = [row.size for row in form.latency]
        figure.add_scatter(
            x=sizes, y=[row.median_ms for row in form.latency], mode="markers+lines", name=form.form.value
        )
    _layout(figure, "median time of a forward pass, ms, by drivers x bookings")
    return Section(title, (), tuple(rows), (figure,))


def _curves(title: str, rows: Sequence[Mapping[str, Any]], names: Sequence[str], markers: bool = False) -> go.Figure:
    figure = go.Figure()
    for name in names:
        there = [row for row in rows if row.get(name) is not None]
        mode = "lines+markers" if markers or len(there) < 3 else "lines"
        figure.add_scatter(x=[row["round"] for row in there], y=[row[name] for row in there], mode=mode, name=name)
    _layout(figure, title)
    figure.update_xaxes(title="round")
    return figure


def _layout(figure: go.Figure, title: str, height: int = HEIGHT) -> None:
    figure.update_layout(
        title={"text": title, "font": {"size": 14}},
        height=height,
        margin={"l": 60, "r": 10, "t": 40, "b": 40},
        plot_bgcolor="#f7fafc",
    )
