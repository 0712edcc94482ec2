"""Graphs that answer what they answered before, but take longer: so that a test knows which of two is faster."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from qdispatch_bundle.manifest import FP32_FILE, INT8_FILE
from tests.bundle.tiny_bundle import reseal

SIDE = 220  # of the square matrices multiplied whatever the size of the situation


def slow_everywhere(data: bytes) -> bytes:
    """The same time is lost at every size."""
    model = onnx.load_from_string(data)
    square = numpy_helper.from_array(np.zeros((SIDE, SIDE), dtype=np.float32), "slow.square")
    first = numpy_helper.from_array(np.array(0, dtype=np.int64), "slow.first")
    model.graph.initializer.extend([square, first])
    nodes = [
        helper.make_node("Gather", ["context", "slow.first"], ["slow.number"], axis=0),
        helper.make_node("Add", ["slow.square", "slow.number"], ["slow.matrix"]),  # else it would be folded away
        helper.make_node("MatMul", ["slow.matrix", "slow.matrix"], ["slow.product"]),
    ]
    return _added(model, nodes)


def slow_when_large(data: bytes) -> bytes:
    """The time lost grows with the third power of the number of pairs: little at 120, much at 360."""
    model = onnx.load_from_string(data)
    nodes = [
        helper.make_node("Transpose", ["pair_features"], ["slow.columns"]),
        helper.make_node("MatMul", ["pair_features", "slow.columns"], ["slow.matrix"]),
        helper.make_node("MatMul", ["slow.matrix", "slow.matrix"], ["slow.product"]),
    ]
    return _added(model, nodes)


def make_slow(bundle: Path, *, fp32: bool, int8: bool) -> None:
    """FP32 slow everywhere, INT8 slow when large: with both, INT8 is faster below 200 pairs and FP32 above."""
    changed = {}
    if fp32:
        changed[FP32_FILE] = slow_everywhere((bundle / FP32_FILE).read_bytes())
    if int8:
        changed[INT8_FILE] = slow_when_large((bundle / INT8_FILE).read_bytes())
    reseal(bundle, changed)


def _added(model: onnx.ModelProto, nodes: list[onnx.NodeProto]) -> bytes:
    """Nothing is added to Q(wait), after the nodes have run: 0 times the largest entry of their product."""
    for node in model.graph.node:
        node.output[:] = ["slow.plain" if name == "q_wait" else name for name in node.output]
    nothing = numpy_helper.from_array(np.array(0, dtype=np.float32), "slow.nothing")
    model.graph.initializer.append(nothing)
    model.graph.node.extend(
        [
            *nodes,
            helper.make_node("ReduceMax", ["slow.product"], ["slow.largest"], keepdims=0),
            helper.make_node("Mul", ["slow.largest", "slow.nothing"], ["slow.zero"]),
            helper.make_node("Add", ["slow.plain", "slow.zero"], ["q_wait"]),
        ]
    )
    return bytes(model.SerializeToString())
