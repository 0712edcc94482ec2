"""How long one forward pass takes, form against form on this machine: medians of interleaved runs, one thread."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np
import onnxruntime as ort

from qdispatch_bundle.measurements import LatencyRow, ModelForm
from qdispatch_bundle.onnx_session import Array, run_graph
from qdispatch_export.synthetic_inputs import ObservationSize

_WARM_UP = 5


def measure_latency(
    sessions: Mapping[ModelForm, ort.InferenceSession],
    observations: Sequence[tuple[ObservationSize, Mapping[str, Array]]],
    runs: int,
) -> dict[ModelForm, tuple[LatencyRow, ...]]:
    """Median milliseconds per form and size over `runs` rounds.

    Every round runs each form once, in turn, so that whatever else the machine does falls on all of them alike.
    """
    if runs < 1:
        raise ValueError("Expected runs >= 1.")
    rows: dict[ModelForm, list[LatencyRow]] = {form: [] for form in sessions}
    for size, inputs in observations:
        seconds: dict[ModelForm, list[float]] = {form: [] for form in sessions}
        for turn in range(_WARM_UP + runs):
            for form, session in sessions.items():
                start = time.perf_counter()
                run_graph(session, inputs)
                if turn >= _WARM_UP:
                    seconds[form].append(time.perf_counter() - start)
        for form, samples in seconds.items():
            median = float(np.median(samples)) * 1e3
            rows[form].append(LatencyRow(size.name, size.drivers, size.bookings, size.pairs, round(median, 4)))
    return {form: tuple(found) for form, found in rows.items()}


def typical_ms(rows: Sequence[LatencyRow]) -> float:
    """One number for all sizes: the geometric mean of the medians, so that no size outweighs the others."""
    return float(np.exp(np.mean(np.log([row.median_ms for row in rows]))))
