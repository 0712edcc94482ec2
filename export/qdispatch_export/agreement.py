"""How far one graph's values are from another's over the same observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort

from qdispatch_bundle.onnx_session import Array, run_graph


@dataclass(frozen=True, slots=True)
class Agreement:
    """Over `observations`: share with the same best action, and the largest difference of any value."""

    observations: int
    top1: float
    max_q_difference: float  # minutes-equivalent


def best_action(outputs: Mapping[str, Array], mask: Array | None = None) -> int:
    """Index of the best action: the pairs in order, then waiting (set); the action number (flat)."""
    if "q" in outputs:
        q = outputs["q"] if mask is None else np.where(mask, outputs["q"], -np.inf)
        return int(np.argmax(q))
    return int(np.argmax(np.concatenate([outputs["q_pair"], outputs["q_wait"]])))


def measure_agreement(
    reference: ort.InferenceSession, other: ort.InferenceSession, observations: Sequence[Mapping[str, Array]]
) -> Agreement:
    """Run both graphs over all observations (graph inputs by name, at least one)."""
    if not observations:
        raise ValueError("Expected at least one observation.")
    same, largest = 0, 0.0
    for inputs in observations:
        wanted, found = run_graph(reference, inputs), run_graph(other, inputs)
        same += best_action(wanted) == best_action(found)
        largest = max(largest, *(float(np.abs(found[name] - wanted[name]).max()) for name in wanted))
    return Agreement(len(observations), same / len(observations), largest)
