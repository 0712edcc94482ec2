"""How long one forward pass takes, form against form on this machine: medians of interleaved runs, one thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import onnxruntime as ort

from qdispatch_bundle.interleaved import interleaved_seconds
from qdispatch_bundle.measurements import LatencyRow, ModelForm
from qdispatch_bundle.onnx_session import Array, run_graph
from qdispatch_bundle.synthetic_inputs import ObservationSize

_WARM_UP = 5


def measure_latency(
    sessions: Mapping[ModelForm, ort.InferenceSession],
    observations: Sequence[tuple[ObservationSize, Mapping[str, Array]]],
    runs: int,
) -> dict[ModelForm, tuple[LatencyRow, ...]]:
    """Median milliseconds per form and size over `runs` rounds in which the forms take turns."""
    if runs < 1:
        raise ValueError("Expected runs >= 1.")
    rows: dict[ModelForm, list[LatencyRow]] = {form: [] for form in sessions}
    for size, inputs in observations:
        passes = {form: partial(run_graph, session, inputs) for form, session in sessions.items()}
        for form, seconds in interleaved_seconds(passes, rounds=runs, warm_up=_WARM_UP).items():
            median_ms = round(float(np.median(seconds)) * 1e3, 4)
            rows[form].append(LatencyRow(size.name, size.drivers, size.bookings, size.pairs, median_ms))
    return {form: tuple(found) for form, found in rows.items()}


def typical_ms(rows: Sequence[LatencyRow]) -> float:
    """One number for all sizes: the geometric mean of the medians, so that no size outweighs the others."""
    return float(np.exp(np.mean(np.log([row.median_ms for row in rows]))))
