"""The exported FP32 graph must compute what the checkpoint's network computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnxruntime as ort
import torch
from torch import nn

from qdispatch_bundle.onnx_session import Array, run_graph
from qdispatch_export.errors import ExportError

ABSOLUTE = 1e-3  # minutes-equivalent
RELATIVE = 1e-5  # of the largest value of the observation: V is a sum over hundreds


def check_equivalence(
    module: nn.Module, session: ort.InferenceSession, observations: Sequence[Mapping[str, Array]]
) -> float:
    """Compare torch with ONNX over all observations; return the largest difference, minutes-equivalent.

    Raises ExportError when one exceeds ABSOLUTE + RELATIVE x the observation's largest value.
    """
    largest = 0.0
    names = [node.name for node in session.get_inputs()]
    outputs = [node.name for node in session.get_outputs()]
    for inputs in observations:
        with torch.no_grad():
            answered = module(*(torch.from_numpy(np.ascontiguousarray(inputs[name])) for name in names))
        expected = answered if isinstance(answered, tuple) else (answered,)
        found = run_graph(session, inputs)
        for name, tensor in zip(outputs, expected, strict=True):
            wanted = tensor.numpy()
            difference = float(np.abs(found[name] - wanted).max())
            if not difference <= ABSOLUTE + RELATIVE * float(np.abs(wanted).max()):
                raise ExportError(f"The exported graph's {name} differs from the checkpoint's by {difference:.3g}.")
            largest = max(largest, difference)
    return largest
