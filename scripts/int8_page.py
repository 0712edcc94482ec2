"""Write docs/benchmarks/int8.md from the shipped bundle's manifest: every form of the network, measured.

python scripts/int8_page.py            # rewrite the page
python scripts/int8_page.py --check    # exit 1 when the page is not what the manifest says
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from qdispatch_bundle.errors import BundleError
from qdispatch_bundle.manifest import Manifest
from qdispatch_bundle.measurements import ClosedLoop, FormReport, Interval, ModelForm, QuantizationReport
from qdispatch_bundle.sealing import read_sealed_manifest

ROOT = Path(__file__).parents[1]
BUNDLE = Path("models/default")
PAGE = Path("docs/benchmarks/int8.md")
FORMS = {
    ModelForm.FP32: "32-bit floating point",
    ModelForm.INT8_DYNAMIC: "matrix products in INT8, weights per channel, activations scaled at run time",
    ModelForm.INT8_QDQ: "matrix products in INT8, activations scaled ahead; heads (out, wait, V, context) in FP32",
    ModelForm.INT8_QDQ_ALL: "every operator that can be, in INT8, activations scaled ahead",
}
INFORMATIVE = ("served", "late outbound", "late return")


def render(manifest: Manifest) -> str:
    """The page."""
    report = manifest.quantization
    machine = report.machine
    sections = [
        "# INT8 against FP32",
        f"Written by `scripts/int8_page.py` from `{BUNDLE}/manifest.json`; no number here is typed in by hand. What "
        "the terms mean and how the server uses it: [quantization](../quantization.md).",
        f"Model: {manifest.model_version}. Machine: {machine.processor}, {machine.logical_cores} logical cores, INT8 "
        f"instructions {machine.int8_instructions}, ONNX Runtime {machine.onnxruntime}. "
        f"Command: `{manifest.export_command}`.",
        f"**Kept as INT8: {report.int8_form.value}.** {report.reason} Recommended: {manifest.recommended_precision}.",
        "## The forms",
        _table(
            ("form", "what it is", "kB", "verdict"),
            [
                (one.form.value, FORMS[one.form], f"{one.bytes / 1000:.0f}", one.verdict.replace("_", " "))
                for one in report.forms
            ],
            right={2},
        ),
        "## Closed loop",
        "Every form plays the same validation days; what is shown is the form minus FP32 per day, with its 95 % "
        "interval. A form whose whole interval of the cost lies above zero is out.",
        _table(
            ("form", "scenario", "days", "cost", "out", *INFORMATIVE),
            [_loop_row(one, loop) for one in report.forms for loop in one.closed_loop],
            right={2},
        ),
        "## One forward pass",
        "Median milliseconds on one thread, runs of all forms taking turns; the features come on top. Bold: the "
        "fastest of FP32 and the forms that are not out.",
        _latency(report),
        "## Information only",
        "How often a form's best permitted action is that of FP32, on situations that were not used to calibrate, and "
        "the largest difference of a value. Neither decides anything: a form may agree nearly everywhere and still "
        "lose in closed loop.",
        _table(
            ("form", "situations", "same best action", "largest difference, min"),
            [_agreement_row(one) for one in report.forms if one.form is not ModelForm.FP32],
            right={1, 2, 3},
        ),
        "## Calibration",
        _calibration(report),
        f"The rule: {report.rule}",
    ]
    return "\n\n".join(sections) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], right: set[int]) -> str:
    rule = ["---:" if column in right else "---" for column in range(len(head))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def _loop_row(form: FormReport, loop: ClosedLoop) -> tuple[str, ...]:
    differences = {row.kpi: row.difference for row in loop.kpis}
    shown = [_interval(differences.get(name), 2) for name in INFORMATIVE]
    out = "out" if loop.significantly_worse else "no"
    return (form.form.value, loop.scenario, str(loop.days), _interval(loop.cost_difference, 1), out, *shown)


def _latency(report: QuantizationReport) -> str:
    best = {row.size: row.form for row in report.fastest or ()}
    rows = []
    for index, size in enumerate(report.forms[0].latency):
        cells = [f"{one.latency[index].median_ms:.3f}" for one in report.forms]
        marked = [
            f"**{cell}**" if one.form is best.get(size.size) else cell
            for one, cell in zip(report.forms, cells, strict=True)
        ]
        rows.append((size.size, str(size.pairs), *marked))
    head = ("drivers x bookings", "pairs", *(one.form.value for one in report.forms))
    return _table(head, rows, right=set(range(1, len(head))))


def _agreement_row(form: FormReport) -> tuple[str, ...]:
    agreement = "" if form.top1_agreement is None else f"{form.top1_agreement:.1%}"
    difference = "" if form.max_q_difference is None else f"{form.max_q_difference:.2f}"
    return (form.form.value, str(form.observations), agreement, difference)


def _calibration(report: QuantizationReport) -> str:
    if report.calibration is None:
        return "The manifest (schema 1) does not say what the static form was calibrated with."
    rows = [
        (row.scenario, str(row.days), f"{row.first_seed:,}", str(row.situations), str(row.most_pairs))
        for row in report.calibration
    ]
    return _table(("scenario", "days", "first seed", "situations", "most pairs"), rows, right={1, 2, 3, 4})


def _interval(found: Interval | None, digits: int) -> str:
    if found is None:
        return "–"
    return f"{found.mean:+.{digits}f} [{found.low:+.{digits}f}, {found.high:+.{digits}f}]"


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Rewrite or check; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when the page is out of date")
    options = parser.parse_args(arguments)
    try:
        manifest, _ = read_sealed_manifest(root / BUNDLE)
    except BundleError as error:
        sys.stderr.write(f"int8_page: {error}\n")
        return 2
    page, new = root / PAGE, render(manifest)
    if options.check:
        return 0 if page.exists() and page.read_text(encoding="utf-8") == new else 1
    page.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
