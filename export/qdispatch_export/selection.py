"""The rule that keeps one INT8 form and recommends a precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qdispatch_bundle.manifest import Precision
from qdispatch_bundle.measurements import ClosedLoop, FormReport, ModelForm
from qdispatch_export.latency import typical_ms

RULE = (
    "An INT8 form qualifies when it is not significantly worse than FP32 in closed loop: the 95 % interval of the "
    "paired cost difference reaches zero or below. Of the qualified forms the one with the smallest latency "
    "(geometric mean of the medians over all sizes) is kept; if none qualifies, the one with the smallest mean "
    "cost difference is kept. INT8 is recommended only if it qualifies and its latency is below that of FP32."
)


@dataclass(frozen=True, slots=True)
class Choice:
    """What the rule chose, and why, in words."""

    int8_form: ModelForm
    recommended: Precision
    reason: str


def not_worse(closed_loop: ClosedLoop) -> bool:
    """Whether the form costs not significantly more than FP32 in closed loop."""
    return closed_loop.cost_difference.low <= 0.0


def choose(reports: Mapping[ModelForm, FormReport]) -> Choice:
    """Apply RULE to the measured forms (FP32 and at least one INT8 form)."""
    played = {form: report.closed_loop for form, report in reports.items() if report.closed_loop is not None}
    speed = {form: typical_ms(report.latency) for form, report in reports.items()}
    qualified = [form for form, loop in played.items() if not_worse(loop)]
    if not qualified:
        kept = min(played, key=lambda form: played[form].cost_difference.mean)
        return Choice(kept, Precision.FP32, "Every INT8 form is significantly worse than FP32 in closed loop.")
    kept = min(qualified, key=lambda form: speed[form])
    ratio = speed[kept] / speed[ModelForm.FP32]
    if ratio < 1.0:
        reason = f"{kept} is not significantly worse and takes {ratio:.2f} of the time of FP32."
        return Choice(kept, Precision.INT8, reason)
    reason = f"{kept} is not significantly worse, but takes {ratio:.2f} times as long as FP32."
    return Choice(kept, Precision.FP32, reason)


def verdict(report: FormReport, fp32: FormReport) -> str:
    """What the figures of one INT8 form say, in words: slower is called slower, worse is called worse."""
    ratio = typical_ms(report.latency) / typical_ms(fp32.latency)
    speed = f"{ratio:.2f} x the time of FP32 ({'slower' if ratio >= 1.0 else 'faster'})"
    size = f"{report.bytes / fp32.bytes:.0%} of its size"
    if report.closed_loop is None:
        return f"{speed}, {size}"
    quality = "not significantly worse" if not_worse(report.closed_loop) else "significantly worse"
    return f"{quality} in closed loop, {speed}, {size}"
