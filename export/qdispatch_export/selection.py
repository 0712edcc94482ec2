"""The rule that keeps one INT8 form and recommends a precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qdispatch_bundle.manifest import Precision
from qdispatch_bundle.measurements import FastestForm, FormReport, ModelForm
from qdispatch_export.latency import typical_ms

RULE = (
    "An INT8 form qualifies when it is not significantly worse than FP32 in closed loop in any scenario played: the "
    "95 % interval of the paired cost difference reaches zero or below. Of the qualified forms the one with the "
    "smallest latency (geometric mean of the medians over all sizes) is kept; if none qualifies, the one with the "
    "smallest mean cost difference is kept, and nothing recommends it. INT8 is recommended only if it qualifies and "
    "takes at most 0.95 of the time of FP32 (less is within what two runs of the measurement differ by). "
    "The fastest permitted form of each size is named beside it. Agreement and differences of values are information "
    "only and decide nothing."
)
_FASTER = 0.95


@dataclass(frozen=True, slots=True)
class Choice:
    """What the rule chose, and why, in words."""

    int8_form: ModelForm
    recommended: Precision
    reason: str
    fastest: tuple[FastestForm, ...]  # per size, of FP32 and the forms that qualify


def choose(reports: Mapping[ModelForm, FormReport]) -> Choice:
    """Apply RULE to the measured forms: FP32 and at least one INT8 form that was played in closed loop."""
    played = {form: report for form, report in reports.items() if report.closed_loop and form is not ModelForm.FP32}
    if ModelForm.FP32 not in reports or not played:
        raise ValueError("Expected FP32 and an INT8 form that was played in closed loop.")
    speed = {form: typical_ms(report.latency) for form, report in reports.items()}
    qualified = [form for form, report in played.items() if report.qualifies]
    fastest = _fastest([reports[form] for form in (ModelForm.FP32, *qualified)])
    if not qualified:
        kept = min(played, key=lambda form: _mean_difference(played[form]))
        reason = "Every INT8 form is significantly worse than FP32 in closed loop."
        return Choice(kept, Precision.FP32, reason, fastest)
    kept = min(qualified, key=lambda form: speed[form])
    ratio = speed[kept] / speed[ModelForm.FP32]
    if ratio <= _FASTER:
        reason = f"{kept} is not significantly worse and takes {ratio:.2f} of the time of FP32."
        return Choice(kept, Precision.INT8, reason, fastest)
    reason = f"{kept} is not significantly worse, but takes {ratio:.2f} of the time of FP32."
    return Choice(kept, Precision.FP32, reason, fastest)


def verdict(report: FormReport, fp32: FormReport) -> str:
    """What the figures of one INT8 form say, in words: slower is called slower, worse is called worse."""
    ratio = typical_ms(report.latency) / typical_ms(fp32.latency)
    speed = f"{ratio:.2f} x the time of FP32 ({'slower' if ratio >= 1.0 else 'faster'})"
    worse = [loop.scenario for loop in report.closed_loop if loop.significantly_worse]
    quality = (
        f"significantly worse in closed loop in {', '.join(worse)}"
        if worse
        else "not significantly worse in closed loop"
    )
    return f"{quality}, {speed}, {report.bytes / fp32.bytes:.0%} of its size"


def _fastest(permitted: list[FormReport]) -> tuple[FastestForm, ...]:
    """The fastest of the reports at every size; the first of them is FP32."""
    rows = []
    for index, reference in enumerate(permitted[0].latency):
        best = min(permitted, key=lambda report: report.latency[index].median_ms)
        median = best.latency[index].median_ms
        rows.append(FastestForm(reference.size, best.form, median, round(median / reference.median_ms, 4)))
    return tuple(rows)


def _mean_difference(report: FormReport) -> float:
    return sum(loop.cost_difference.mean for loop in report.closed_loop) / len(report.closed_loop)
