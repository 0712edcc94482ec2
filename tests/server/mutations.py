"""Spoils a request in the ways real callers do, and in ways nobody would."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from qdispatch_client.stubs.v1.dispatch_service_pb2 import SuggestRequest
from tests.server.full_request import Leaf, leaves

DOUBLES = (math.nan, math.inf, -math.inf, 0.0, -0.0, 1e308, -1e-300, 90.0, 180.0, -180.0, 90.0000001, 46.2)
INTEGERS = (0, 1, 2, 50, 51, 200, 1500, 86_400, 86_401, 2**31 - 1, 2**32 - 1)
SECONDS = (0, -1, 1, 60, 3600, 7201, 86_400, 946_684_800, 1_795_417_200, 4_102_444_799, 2**62, -(2**62))
NANOS = (0, 1, 999_999_999, 10**9, -1, -(2**31))
TEXTS = ("", " ", "x" * 128, "x" * 129, "\u202e\u0000", "éü漢字🚑", "../../etc/passwd", "driver-0", "UTC")


def mutate(request: SuggestRequest, rng: np.random.Generator) -> None:
    """One mutation of a message, in place."""
    found = list(leaves(request))
    if not found:
        return
    leaf = found[int(rng.integers(len(found)))]
    ways = (_overwrite, _overwrite, _nudge, _clear, _duplicate, _remove, _swap)
    ways[int(rng.integers(len(ways)))](leaf, rng)


def spoil_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    """Flips some bytes, or cuts the end off."""
    spoilt = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        if spoilt:
            spoilt[int(rng.integers(len(spoilt)))] = int(rng.integers(256))
    return bytes(spoilt[: int(rng.integers(len(spoilt) + 1))] if rng.random() < 0.3 else spoilt)


def _one(rng: np.random.Generator, values: tuple[Any, ...]) -> Any:
    return values[int(rng.integers(len(values)))]


def _overwrite(leaf: Leaf, rng: np.random.Generator) -> None:
    parent, field, index = leaf
    if field.message_type is not None:
        value = getattr(parent, field.name) if index is None else getattr(parent, field.name)[index]
        if field.message_type.file.package == "google.protobuf":
            value.seconds, value.nanos = _one(rng, SECONDS), _one(rng, NANOS)
        else:
            value.Clear()
            value.SetInParent()
        return
    _assign(leaf, _extreme(field, rng))


def _extreme(field: FieldDescriptor, rng: np.random.Generator) -> Any:
    if field.enum_type is not None:
        return int(rng.integers(-3, 9))
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING:
            return _one(rng, TEXTS)
        case FieldDescriptor.CPPTYPE_BOOL:
            return bool(rng.integers(2))
        case FieldDescriptor.CPPTYPE_DOUBLE:
            return _one(rng, DOUBLES)
    return _one(rng, INTEGERS)


def _nudge(leaf: Leaf, rng: np.random.Generator) -> None:
    """A value near the old one, so that the request often stays valid."""
    parent, field, index = leaf
    value = getattr(parent, field.name) if index is None else getattr(parent, field.name)[index]
    if field.message_type is not None:
        if field.message_type.file.package == "google.protobuf":
            value.seconds += int(rng.integers(-3600, 3600))
    elif field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE:
        _assign(leaf, value + float(rng.normal(0.0, 0.05)))
    elif field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        _assign(leaf, not value)
    elif field.cpp_type == FieldDescriptor.CPPTYPE_UINT32:
        _assign(leaf, max(0, value + int(rng.integers(-2, 3))))


def _assign(leaf: Leaf, value: Any) -> None:
    parent, field, index = leaf
    if index is None:
        setattr(parent, field.name, value)
    else:
        getattr(parent, field.name)[index] = value


def _clear(leaf: Leaf, rng: np.random.Generator) -> None:
    leaf[0].ClearField(leaf[1].name)


def _duplicate(leaf: Leaf, rng: np.random.Generator) -> None:
    rows, field, index = getattr(leaf[0], leaf[1].name), leaf[1], leaf[2]
    if index is None:
        return
    for _ in range(_one(rng, (1, 1, 1, 2, 5, 45))):
        if field.message_type is None:
            rows.append(rows[index])
        else:
            row = rows.add()
            row.CopyFrom(rows[index])
            if rng.random() < 0.7:
                _rename(row, rng)


def _rename(row: Message, rng: np.random.Generator) -> None:
    """Gives a copied row, and the rows in it, ids of their own."""
    for parent, field, index in list(leaves(row)):
        if index is None and field.name in ("id", "booking_id"):
            setattr(parent, field.name, f"copy-{int(rng.integers(2**60))}")


def _remove(leaf: Leaf, rng: np.random.Generator) -> None:
    if leaf[2] is not None:
        del getattr(leaf[0], leaf[1].name)[leaf[2]]


def _swap(leaf: Leaf, rng: np.random.Generator) -> None:
    """Exchanges the contents of two rows of one list."""
    rows, index = getattr(leaf[0], leaf[1].name), leaf[2]
    if index is None or leaf[1].message_type is None:
        return
    other = int(rng.integers(len(rows)))
    kept = type(rows[index])()
    kept.CopyFrom(rows[index])
    rows[index].CopyFrom(rows[other])
    rows[other].CopyFrom(kept)
