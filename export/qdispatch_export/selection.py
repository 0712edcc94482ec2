"""The rule that keeps one INT8 form and recommends a precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qdispatch_bundle.manifest import Precision
from qdispatch_bundle.measurements import FormReport, ModelForm
from qdispatch_export.latency import typical_ms

RULE = (
    "An INT8 form qualifies when it is not significantly worse than FP32 in closed loop in any scenario played: the "
    "95 % interval of the paired cost difference reaches zero or below. Of the qualified forms the one with the "
    "smallest latency (geometric mean of the medians over all sizes) is kept; if none qualifies, the one with the "
    "smallest mean cost difference is kept. INT8 is recommended only if it qualifies and takes at most 0.95 of the "
    "time of FP32 (less is within what two runs of the measurement differ by)."
)
_FASTER = 0.95


@dataclass(frozen=True, slots=True)
class Choice:
    """What the rule chose, and why, in words."""

    int8_form: ModelForm
    recommended: Precision
    reason: str


def qualifies(report: FormReport) -> bool:
    """Whether an INT8 form was played and costs nowhere significantly more than FP32."""
    return bool(report.closed_loop) and not any(loop.significantly_worse for loop in report.closed_loop)


def choose(reports: Mapping[ModelForm, FormReport]) -> Choice:
    """Apply RULE to the measured forms: FP32 and at least one INT8 form that was played in closed loop."""
    played = {form: report for form, report in reports.items() if report.closed_loop and form is not ModelForm.FP32}
    if ModelForm.FP32 not in reports or not played:
        raise ValueError("Expected FP32 and an INT8 form that was played in closed loop.")
    speed = {form: typical_ms(report.latency) for form, report in reports.items()}
    qualified = [form for form, report in played.items() if qualifies(report)]
    if not qualified:
        kept = min(played, key=lambda form: _mean_difference(played[form]))
        return Choice(kept, Precision.FP32, "Every INT8 form is significantly worse than FP32 in closed loop.")
    kept = min(qualified, key=lambda form: speed[form])
    ratio = speed[kept] / speed[ModelForm.FP32]
    if ratio <= _FASTER:
        reason = f"{kept} is not significantly worse and takes {ratio:.2f} of the time of FP32."
        return Choice(kept, Precision.INT8, reason)
    reason = f"{kept} is not significantly worse, but takes {ratio:.2f} of the time of FP32."
    return Choice(kept, Precision.FP32, reason)


def verdict(report: FormReport, fp32: FormReport) -> str:
    """What the figures of one INT8 form say, in words: slower is called slower, worse is called worse."""
    ratio = typical_ms(report.latency) / typical_ms(fp32.latency)
    speed = f"{ratio:.2f} x the time of FP32 ({'slower' if ratio >= 1.0 else 'faster'})"
    quality = "not significantly worse" if qualifies(report) else "significantly worse"
    return f"{quality} in closed loop, {speed}, {report.bytes / fp32.bytes:.0%} of its size"


def _mean_difference(report: FormReport) -> float:
    return sum(loop.cost_difference.mean for loop in report.closed_loop) / len(report.closed_loop)
