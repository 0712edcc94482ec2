"""The result of an export as a person reads it."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.table import Table

from qdispatch_bundle.manifest import Manifest
from qdispatch_bundle.measurements import FormReport, Interval, KpiTable, QuantizationReport
from qdispatch_export.pipeline import ExportResult


def print_result(result: ExportResult, console: Console) -> None:
    """Print the tables of a finished export."""
    console.print(Group(*report(result)))


def report(result: ExportResult) -> list[RenderableType]:
    """Forms side by side, closed loop, and what was chosen."""
    manifest = result.manifest
    return [*(_kpis(table) for table in manifest.kpis), _forms(manifest), _closed_loop(manifest), *_lines(result)]


def _forms(manifest: Manifest) -> Table:
    forms = manifest.quantization.forms
    processor = manifest.quantization.machine.processor
    table = Table(title=f"{manifest.model_version}: forms on {processor}, one thread; * the fastest that is permitted")
    table.add_column("")
    for form in forms:
        table.add_column(form.form.value, justify="right")
    table.add_row("size, kB", *(f"{form.bytes / 1000:.0f}" for form in forms))
    fastest = {row.size: row.form for row in manifest.quantization.fastest or ()}
    for index, row in enumerate(forms[0].latency):
        cells = [(form.form, f"{form.latency[index].median_ms:.3f}") for form in forms]
        table.add_row(f"median ms, {row.size}", *(f"{ms} *" if f is fastest.get(row.size) else ms for f, ms in cells))
    table.add_row("verdict", *(form.verdict for form in forms))
    table.add_row("information only: top-1 agreement", *(_share(form) for form in forms))
    table.add_row("information only: largest difference of Q, min", *(_difference(form) for form in forms))
    return table


def _closed_loop(manifest: Manifest) -> Table:
    table = Table(title="Closed loop: difference from fp32 per day, mean and 95 % interval, same days")
    for name in ("form", "scenario", "days", "figure", "unit"):
        table.add_column(name)
    table.add_column("difference", justify="right")
    for form in manifest.quantization.forms:
        for loop in form.closed_loop:
            for row in loop.kpis:
                shown = "" if row.difference is None else _interval(row.difference)
                table.add_row(form.form.value, loop.scenario, str(loop.days), row.kpi, row.unit, shown)
    return table


def _kpis(kpis: KpiTable) -> Table:
    title = (
        f"{kpis.scenario}, {kpis.days} validation days: mean a day, difference from {kpis.reference} with 95 % interval"
    )
    table = Table(title=title)
    for name in ("policy", "figure", "unit"):
        table.add_column(name)
    for name in ("mean", "difference"):
        table.add_column(name, justify="right")
    for row in kpis.rows:
        difference = "" if row.difference is None else _interval(row.difference)
        table.add_row(row.policy, row.kpi, row.unit, f"{row.mean:.2f}", difference)
    return table


def _lines(result: ExportResult) -> list[str]:
    manifest = result.manifest
    report = manifest.quantization
    replayed = ", ".join(f"{replay.precision.value}: {replay.picks} picks" for replay in result.replays)
    return [
        f"Rule: {report.rule}",
        f"Calibrated with {_calibration(report)}.",
        f"Kept as INT8: {report.int8_form.value}. Recommended: {manifest.recommended_precision.value}. {report.reason}",
        f"FP32 graph against the checkpoint: largest difference {result.torch_difference:.2g} min.",
        f"Golden vectors replayed: {manifest.golden.snapshots} snapshots ({replayed}).",
        f"Bundle {manifest.model_version} in {result.directory}, SHA-256 {result.digest[:12]}.",
    ]


def _calibration(report: QuantizationReport) -> str:
    rows = report.calibration or ()
    return ", ".join(
        f"{row.situations} situations of {row.days} {row.scenario} days (at most {row.most_pairs} pairs)"
        for row in rows
    )


def _share(form: FormReport) -> str:
    return "" if form.top1_agreement is None else f"{form.top1_agreement:.1%} of {form.observations}"


def _difference(form: FormReport) -> str:
    return "" if form.max_q_difference is None else f"{form.max_q_difference:.2f}"


def _interval(interval: Interval) -> str:
    return f"{interval.mean:+.2f} [{interval.low:+.2f}, {interval.high:+.2f}]"
