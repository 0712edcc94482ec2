"""Looks at every number stored in an ONNX file without the `onnx` package, to refuse NaN and infinite weights.

A forward pass alone does not show them: relu and max may swallow a NaN. Only the protobuf wire format
(varint, 64-bit, length-delimited, 32-bit) and the field numbers of onnx.proto are used:
ModelProto.graph 7 · GraphProto.node 1, .initializer 5 · NodeProto.attribute 5 · AttributeProto.f 2, .t 5, .g 6,
.floats 7, .tensors 10 · TensorProto.data_type 2, .float_data 4, .name 8, .raw_data 9, .double_data 10,
.external_data 13, .data_location 14.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FLOAT_RAW = {1: "<f4", 10: "<f2", 11: "<f8"}  # TensorProto.DataType -> numpy
_BFLOAT16 = 16

Numbers = npt.NDArray[Any]


class UnreadableModel(ValueError):
    """The bytes are not an ONNX model that carries all its tensors itself."""


def non_finite_tensor(model: bytes) -> str | None:
    """Name of the first stored tensor or number that is NaN or infinite; None when all are finite.

    Raises UnreadableModel when the bytes cannot be followed, or when a tensor lies in another file.
    """
    graphs = 0
    for number, wire, field in _fields(memoryview(model)):
        if number == 7 and wire == _BYTES:
            graphs += 1
            for name, values in _graph_floats(field):
                if not np.all(np.isfinite(values)):
                    return name
    if graphs != 1:
        raise UnreadableModel("no graph")
    return None


def _graph_floats(graph: memoryview) -> Iterator[tuple[str, Numbers]]:
    for number, wire, field in _fields(graph):
        if wire != _BYTES:
            continue
        if number == 5:
            yield from _tensor_floats(field)
        elif number == 1:
            for inner, inner_wire, attribute in _fields(field):
                if inner == 5 and inner_wire == _BYTES:
                    yield from _attribute_floats(attribute)


def _attribute_floats(attribute: memoryview) -> Iterator[tuple[str, Numbers]]:
    for number, wire, field in _fields(attribute):
        if (number == 2 and wire == _FIXED32) or (number == 7 and wire in (_BYTES, _FIXED32)):
            yield "attribute", _array(field, "<f4")
        elif number in (5, 10) and wire == _BYTES:
            yield from _tensor_floats(field)
        elif number in (6, 11) and wire == _BYTES:
            yield from _graph_floats(field)


def _tensor_floats(tensor: memoryview) -> Iterator[tuple[str, Numbers]]:
    name, data_type = "unnamed", 0
    raw: memoryview | None = None
    arrays: list[Numbers] = []
    for number, wire, field in _fields(tensor):
        if number == 2 and wire == _VARINT:
            data_type = int.from_bytes(field, "little")
        elif number == 8 and wire == _BYTES:
            name = bytes(field).decode(errors="replace")
        elif number == 4 and wire in (_BYTES, _FIXED32):
            arrays.append(_array(field, "<f4"))
        elif number == 10 and wire in (_BYTES, _FIXED64):
            arrays.append(_array(field, "<f8"))
        elif number == 9 and wire == _BYTES:
            raw = field
        elif number == 13 or (number == 14 and int.from_bytes(field, "little") != 0):
            raise UnreadableModel("a tensor lies in another file")
    if raw is not None:
        if data_type in _FLOAT_RAW:
            arrays.append(_array(raw, _FLOAT_RAW[data_type]))
        elif data_type == _BFLOAT16:
            upper = _array(raw, "<u2").astype(np.uint32) << 16
            arrays.append(upper.view(np.float32))
    for array in arrays:
        yield name, array


def _array(data: memoryview, dtype: str) -> Numbers:
    if len(data) % np.dtype(dtype).itemsize:
        raise UnreadableModel("a tensor is cut short")
    return np.frombuffer(data, dtype=dtype)


def _fields(message: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """Yield (field number, wire type, payload); a varint's payload is its value as 10 little-endian bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        wire = key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, wire, memoryview(value.to_bytes(10, "little"))
            continue
        if wire == _BYTES:
            size, at = _varint(message, at)
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
        else:
            raise UnreadableModel(f"wire type {wire}")
        if at + size > len(message):
            raise UnreadableModel("a field is cut short")
        yield key >> 3, wire, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(message) or shift > 63:
            raise UnreadableModel("a number is cut short")
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
