from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from qdispatch_bundle.onnx_weights import UnreadableModel, non_finite_tensor


def _model(*tensors: Any, nodes: list[Any] | None = None) -> bytes:
    graph = helper.make_graph(nodes or [], "g", [], [], initializer=list(tensors))
    data: bytes = helper.make_model(graph).SerializeToString()
    return data


def _raw(name: str, values: list[float], dtype: str) -> Any:
    return numpy_helper.from_array(np.array(values, dtype=dtype), name)


def _typed(name: str, values: list[float], kind: int) -> Any:
    return helper.make_tensor(name, kind, [len(values)], values)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    "tensor",
    [
        lambda bad: _raw("w", [1.0, bad], "float32"),
        lambda bad: _raw("w", [1.0, bad], "float16"),
        lambda bad: _raw("w", [1.0, bad], "float64"),
        lambda bad: _typed("w", [1.0, bad], TensorProto.FLOAT),
        lambda bad: _typed("w", [1.0, bad], TensorProto.DOUBLE),
    ],
    ids=["raw-f32", "raw-f16", "raw-f64", "list-f32", "list-f64"],
)
def test_a_bad_number_is_found_however_it_is_stored(tensor: Any, bad: float) -> None:
    good = _raw("good", [0.5], "float32")
    assert non_finite_tensor(_model(good, tensor(1.0))) is None
    assert non_finite_tensor(_model(good, tensor(bad))) == "w"


def test_bfloat16_is_read() -> None:
    for bits, found in ((0x3F80, None), (0x7FC0, "w")):
        tensor = TensorProto(name="w", data_type=TensorProto.BFLOAT16, dims=[1])
        tensor.raw_data = np.array([bits], dtype="<u2").tobytes()
        assert non_finite_tensor(_model(tensor)) == found


def test_bad_numbers_in_constants_and_attributes_are_found() -> None:
    constant = helper.make_node("Constant", [], ["c"], value=_raw("inside", [float("nan")], "float32"))
    assert non_finite_tensor(_model(nodes=[constant])) == "inside"
    assert non_finite_tensor(_model(nodes=[helper.make_node("Elu", ["x"], ["y"], alpha=float("inf"))])) == "attribute"
    many = helper.make_node("Constant", [], ["c"], value_floats=[1.0, float("nan")])
    assert non_finite_tensor(_model(nodes=[many])) == "attribute"


def test_integers_are_no_floats() -> None:
    tensor = numpy_helper.from_array(np.array([0x7FC00000], dtype="int32"), "w")  # NaN's bits, but an integer
    assert non_finite_tensor(_model(tensor)) is None


def test_tensors_in_other_files_are_refused() -> None:
    tensor = _raw("w", [1.0], "float32")
    onnx.external_data_helper.set_external_data(tensor, location="elsewhere.bin")
    with pytest.raises(UnreadableModel, match="another file"):
        non_finite_tensor(_model(tensor))


def test_cut_and_foreign_bytes_are_refused() -> None:
    whole = _model(_raw("w", [1.0, 2.0], "float32"))
    with pytest.raises(UnreadableModel):
        non_finite_tensor(b"")
    for length in range(1, len(whole)):
        try:
            non_finite_tensor(whole[:length])
        except UnreadableModel:
            continue
        assert length > len(whole) - 12, "only the fields behind the graph may be missing unnoticed"
    with pytest.raises(UnreadableModel):
        non_finite_tensor(b"\xff" * 64)
