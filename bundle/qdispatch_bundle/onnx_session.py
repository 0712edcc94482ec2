"""ONNX Runtime sessions of the two kinds of graph: one thread, signature checked, outputs checked for NaN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from qdispatch_bundle.errors import BundleError, ModelOutputError, RefusalReason

ort.set_default_logger_severity(3)  # errors only: quantized graphs warn about nothing that matters here

_F32, _I64 = "tensor(float)", "tensor(int64)"

# ONNX Runtime's exceptions share no base class of their own.
_REFUSALS = (
    ort_errors.EPFail,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoModel,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
    RuntimeError,
)

Array = npt.NDArray[Any]  # float32 or int64, of the shape the graph states
Axis = str | int  # a fixed size, or the name of a dynamic axis
Signature = Mapping[str, tuple[str, tuple[Axis, ...]]]

SET_OUTPUTS: Signature = {"q_pair": (_F32, ("P",)), "q_wait": (_F32, (1,))}


def set_inputs(drivers: int, bookings: int, pairs: int, context: int) -> Signature:
    """Inputs of a `set` graph, given the number of features of a driver, a booking, a pair and the context."""
    return {
        "driver_features": (_F32, ("D", drivers)),
        "booking_features": (_F32, ("B", bookings)),
        "pair_features": (_F32, ("P", pairs)),
        "pair_driver": (_I64, ("P",)),
        "pair_booking": (_I64, ("P",)),
        "context": (_F32, (context,)),
        "pair_cost": (_F32, ("P",)),
    }


def flat_inputs(state: int) -> Signature:
    """Inputs of a `flat` graph with `state` values."""
    return {"state": (_F32, (state,))}


def flat_outputs(actions: int) -> Signature:
    """Outputs of a `flat` graph with `actions` actions."""
    return {"q": (_F32, (actions,))}


def open_session(model: bytes, *, optimise: bool = True) -> ort.InferenceSession:
    """Load a graph for one thread. Raises BundleError MODEL_INVALID when ONNX Runtime refuses it.

    `optimise=False` switches the graph optimisations off: another rounding of the same model.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    if not optimise:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except _REFUSALS as error:
        raise BundleError(RefusalReason.MODEL_INVALID, "ONNX Runtime cannot load the graph") from error


def check_signature(session: ort.InferenceSession, inputs: Signature, outputs: Signature) -> None:
    """Raise BundleError SIGNATURE unless names, types and axes (a name stands for any dynamic axis) agree."""
    for side, wanted, found in (
        ("input", inputs, session.get_inputs()),
        ("output", outputs, session.get_outputs()),
    ):
        if {node.name for node in found} != set(wanted):
            raise BundleError(RefusalReason.SIGNATURE, f"{side}s are not {', '.join(wanted)}")
        for node in found:
            kind, shape = wanted[node.name]
            if node.type != kind or not _same_axes(node.shape, shape):
                axes = ", ".join(str(axis) for axis in shape)
                raise BundleError(RefusalReason.SIGNATURE, f"{side} {node.name} is not {kind} [{axes}]")


def _same_axes(found: list[Any], wanted: tuple[Axis, ...]) -> bool:
    if len(found) != len(wanted):
        return False
    return all(
        not isinstance(have, int) if isinstance(want, str) else have == want
        for have, want in zip(found, wanted, strict=True)
    )


def run_graph(session: ort.InferenceSession, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """One forward pass: every output by name. Raises ModelOutputError when it fails, or gives NaN or infinity.

    Safe to call from several threads at once.
    """
    names = [node.name for node in session.get_outputs()]
    try:
        outputs = dict(zip(names, session.run(names, dict(inputs)), strict=True))
    except _REFUSALS as error:
        raise ModelOutputError(RefusalReason.MODEL_INVALID, "ONNX Runtime cannot run the graph") from error
    for name, values in outputs.items():
        if not np.all(np.isfinite(values)):
            raise ModelOutputError(RefusalReason.NOT_FINITE, f"output {name} is NaN or infinite")
    return outputs
