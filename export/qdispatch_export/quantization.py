"""FP32 ONNX to the INT8 forms.

Dynamic and QDQ quantize MatMul and Gemm, the last form every operator that ONNX Runtime can; weights signed 8 bit.
`reduce_range` keeps weights in 7 bits, because processors without VNNI add two products in 16 bits and saturate: with
it, every processor computes the same integers.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from qdispatch_bundle.onnx_session import Array

_QUANTIZED = ["MatMul", "Gemm"]
# Heads stay in fp32: out, wait, V and context of `set`; the last layer of `flat`.
_FP32_LAYERS = ("pair_advantage", "wait_hidden", "wait_advantage", "value_hidden", "value", "encode_context")


def prepare(fp32: bytes) -> bytes:
    """Fold constants and infer shapes, as ONNX Runtime asks for before quantizing.

    Symbolic shape inference is left out: it fails on these graphs.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "fp32.onnx"), Path(folder, "prepared.onnx")
        source.write_bytes(fp32)
        quant_pre_process(source, target, skip_symbolic_shape=True)
        return bytes(_unshared(onnx.load(target)).SerializeToString())


def _unshared(model: onnx.ModelProto) -> onnx.ModelProto:
    """Give every matrix product its own weights.

    Equal tensors (the heads of an untrained network are all zero) are stored once by torch, and the quantizer, which
    transposes and replaces weights in place, would spoil them for the second product.
    """
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    used: set[str] = set()
    for number, node in enumerate(model.graph.node):
        if node.op_type in _QUANTIZED:
            for place, name in enumerate(node.input):
                if name in weights and name in used:
                    copy = model.graph.initializer.add()
                    copy.CopyFrom(weights[name])
                    copy.name = f"{name}.{number}"
                    node.input[place] = copy.name
                used.add(name)
    return model


def dynamic_int8(prepared: bytes) -> bytes:
    """Weights per channel ahead of time, activations scaled at run time."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "prepared.onnx"), Path(folder, "int8.onnx")
        source.write_bytes(prepared)
        quantize_dynamic(
            source,
            target,
            op_types_to_quantize=_QUANTIZED,
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
        )
        return target.read_bytes()


def qdq_int8(prepared: bytes, calibration: Sequence[Mapping[str, Array]]) -> bytes:
    """Matrix products with weights per channel and activations scaled ahead, heads in fp32.

    `calibration` are graph inputs by name, at least one observation.
    """
    return _static(prepared, calibration, _QUANTIZED, head_nodes(onnx.load_from_string(prepared)))


def qdq_int8_of_all_operators(prepared: bytes, calibration: Sequence[Mapping[str, Array]]) -> bytes:
    """As `qdq_int8`, but of every operator that ONNX Runtime can quantize (sums, concatenations, ...), heads included.

    The values themselves then pass through 255 steps between the smallest and the largest ever met.
    """
    return _static(prepared, calibration, None, [])


def _static(
    prepared: bytes, calibration: Sequence[Mapping[str, Array]], operators: list[str] | None, excluded: list[str]
) -> bytes:
    """Static QDQ of `operators` (None: all that can be) but the nodes `excluded`."""
    if not calibration:
        raise ValueError("Expected at least one observation to calibrate with.")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "prepared.onnx"), Path(folder, "int8.onnx")
        source.write_bytes(prepared)
        with _without_advice():
            quantize_static(
                source,
                target,
                _Observations(calibration),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=operators,
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                nodes_to_exclude=excluded,
                calibrate_method=CalibrationMethod.MinMax,
            )
        return target.read_bytes()


def head_nodes(model: onnx.ModelProto) -> list[str]:
    """Names of the matrix products that stay in fp32."""
    products = [node.name for node in model.graph.node if node.op_type in _QUANTIZED]
    heads = [name for name in products if any(part in _FP32_LAYERS for part in name.split("/"))]
    return heads or products[-1:]


@contextmanager
def _without_advice() -> Iterator[None]:
    """Keep ONNX Runtime's advice to exclude two nodes off the root logger: the latency is measured, not guessed."""
    root = logging.getLogger()

    def keep(record: logging.LogRecord) -> bool:
        return "Please exclude this node" not in record.getMessage()

    root.addFilter(keep)
    try:
        yield
    finally:
        root.removeFilter(keep)


class _Observations(CalibrationDataReader):  # type: ignore[misc] # onnxruntime ships no types
    """Hands the observations to the calibrator one by one."""

    def __init__(self, observations: Iterable[Mapping[str, Array]]) -> None:
        self._rest: Iterator[Mapping[str, Array]] = iter(observations)

    def get_next(self) -> dict[str, Array] | None:
        """The next observation; None behind the last."""
        following = next(self._rest, None)
        return None if following is None else dict(following)
