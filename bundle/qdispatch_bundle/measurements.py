"""What was measured before a bundle was sealed: key figures, quantization, calibration. Part of the manifest."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ModelForm(StrEnum):
    """The forms of one network that export builds and measures against each other."""

    FP32 = "fp32"
    INT8_DYNAMIC = "int8-dynamic"  # weights per channel, activations scaled at run time
    INT8_QDQ = "int8-qdq"  # weights and activations of the matrix products scaled ahead, heads in fp32
    INT8_QDQ_ALL = "int8-qdq-all"  # every operator that ONNX Runtime can quantize, heads included


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its 95 % confidence interval, in the unit its owner states."""

    mean: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.mean <= self.high:
            raise ValueError("Expected low <= mean <= high.")


@dataclass(frozen=True, slots=True)
class KpiRow:
    """One key figure of one policy, and its paired difference from the table's reference policy."""

    policy: str
    kpi: str
    unit: str
    mean: float
    difference: Interval | None = None  # policy minus reference, same days; None for the reference itself


@dataclass(frozen=True, slots=True)
class KpiTable:
    """Key figures over paired days of one scenario."""

    scenario: str
    days: int
    first_seed: int
    reference: str  # policy that the differences are taken from
    rows: tuple[KpiRow, ...]

    def __post_init__(self) -> None:
        if self.days < 1:
            raise ValueError("Expected days >= 1.")


@dataclass(frozen=True, slots=True)
class LatencyRow:
    """Median time of one forward pass on one thread, without encoding."""

    size: str  # "50x100"
    drivers: int
    bookings: int
    pairs: int
    median_ms: float


@dataclass(frozen=True, slots=True)
class ClosedLoop:
    """One form of the model played against FP32 through whole days with the same randomness."""

    scenario: str
    days: int
    first_seed: int
    cost_difference: Interval  # form minus FP32, minutes-equivalent per day; above zero is worse
    kpis: tuple[KpiRow, ...]

    @property
    def significantly_worse(self) -> bool:
        """Whether the whole 95 % interval of the cost difference lies above zero."""
        return self.cost_difference.low > 0.0


@dataclass(frozen=True, slots=True)
class FormReport:
    """One form of the model, measured."""

    form: ModelForm
    bytes: int
    latency: tuple[LatencyRow, ...]
    top1_agreement: float | None  # share of observations with the same best action as FP32; None for FP32 itself
    observations: int  # how many observations the agreement and the difference were taken over
    max_q_difference: float | None  # minutes-equivalent, against FP32
    closed_loop: tuple[ClosedLoop, ...]  # one per scenario; empty for FP32 itself
    verdict: str  # what the figures say, in words

    @property
    def qualifies(self) -> bool:
        """Whether this INT8 form was played and costs nowhere significantly more than FP32."""
        return bool(self.closed_loop) and not any(loop.significantly_worse for loop in self.closed_loop)


@dataclass(frozen=True, slots=True)
class ObservedDays:
    """Where the situations came from that scaled the activations of the static forms ahead of time."""

    scenario: str
    days: int
    first_seed: int
    situations: int  # used for calibration
    most_pairs: int  # of the largest of them

    def __post_init__(self) -> None:
        if min(self.days, self.situations) < 1 or self.most_pairs < 0:
            raise ValueError("Expected days and situations >= 1 and most_pairs >= 0.")


@dataclass(frozen=True, slots=True)
class FastestForm:
    """The fastest permitted form (FP32, or INT8 that qualifies) at one size, on the machine of the export."""

    size: str
    form: ModelForm
    median_ms: float
    share_of_fp32: float  # of the time of FP32 at this size; 1 for FP32 itself


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the measurements were made."""

    processor: str
    logical_cores: int
    int8_instructions: str  # "avx512_vnni", "none", ...
    onnxruntime: str


@dataclass(frozen=True, slots=True)
class QuantizationReport:
    """All forms side by side, the rule, and what it chose."""

    machine: Machine
    forms: tuple[FormReport, ...]
    rule: str
    int8_form: ModelForm  # the one kept as model.int8.onnx
    reason: str  # why this form, and why the recommended precision
    calibration: tuple[ObservedDays, ...] | None = None  # None: a manifest of schema 1, which did not say
    fastest: tuple[FastestForm, ...] | None = None  # one row per size; None as above

    def __post_init__(self) -> None:
        if self.int8_form is ModelForm.FP32:
            raise ValueError("Expected an INT8 form.")
        if self.int8_form not in {report.form for report in self.forms}:
            raise ValueError("Expected the kept INT8 form among the measured ones.")

    @property
    def int8_qualifies(self) -> bool:
        """Whether the kept INT8 form may answer: in no scenario significantly worse than FP32 in closed loop."""
        return next(report for report in self.forms if report.form is self.int8_form).qualifies


@dataclass(frozen=True, slots=True)
class Calibration:
    """Predicted against realised differences of forced actions (rollouts with common random numbers)."""

    slope: float  # realised over predicted; 1 is perfect
    slope_error: float  # half width of its 95 % interval
    residual_min: float  # root mean square of what is left, minutes-equivalent
    scenario: str
    days: int

    @property
    def trustworthy(self) -> bool:
        """Whether values of this model may be shown as minutes: slope within 0.8 to 1.2 on at least 100 days."""
        return 0.8 <= self.slope <= 1.2 and self.days >= 100
