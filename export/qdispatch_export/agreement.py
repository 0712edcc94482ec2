"""How far one graph's values are from another's over situations met on simulated days. Information only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort

from qdispatch_bundle.onnx_session import Array, run_graph
from qdispatch_export.moments import Moment


@dataclass(frozen=True, slots=True)
class Agreement:
    """Over `observations`: share with the same best permitted action, and the largest difference of any value."""

    observations: int
    top1: float
    max_q_difference: float  # minutes-equivalent


def best_action(outputs: Mapping[str, Array], permitted: Array) -> int:
    """Index of the best permitted action, counted as in `Moment.permitted`."""
    q = outputs["q"] if "q" in outputs else np.concatenate([outputs["q_pair"], outputs["q_wait"]])
    return int(np.argmax(np.where(permitted, q, -np.inf)))


def measure_agreement(
    reference: ort.InferenceSession, other: ort.InferenceSession, moments: Sequence[Moment]
) -> Agreement:
    """Run both graphs over all moments, at least one."""
    if not moments:
        raise ValueError("Expected at least one moment.")
    same, largest = 0, 0.0
    for moment in moments:
        wanted, found = run_graph(reference, moment.inputs), run_graph(other, moment.inputs)
        same += best_action(wanted, moment.permitted) == best_action(found, moment.permitted)
        largest = max(largest, *(float(np.abs(found[name] - wanted[name]).max()) for name in wanted))
    return Agreement(len(moments), same / len(moments), largest)
