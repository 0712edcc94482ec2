"""Messages with every field set to a value of its own, by reflection: a new field is filled without being named."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

M = TypeVar("M", bound=Message)

FIRST_INSTANT_SECONDS = 1_700_000_000


def filled(message_type: type[M], rows: int = 2) -> M:
    """A message with all its fields set, sub-messages included, `rows` rows in each repeated one."""
    message = message_type()
    _fill(message, itertools.count(1), rows)
    return message


def _fill(message: Any, numbers: Iterator[int], rows: int) -> None:
    if isinstance(message, Timestamp):
        number = next(numbers)
        message.seconds, message.nanos = FIRST_INSTANT_SECONDS + number, number * 1000
        return
    if isinstance(message, Duration):
        number = next(numbers)
        message.seconds, message.nanos = number, number * 1000
        return
    for field in message.DESCRIPTOR.fields:
        if field.is_repeated and field.message_type is not None:
            for _ in range(rows):
                _fill(getattr(message, field.name).add(), numbers, rows)
        elif field.is_repeated:
            getattr(message, field.name).extend(_scalar(field, numbers) for _ in range(rows))
        elif field.message_type is not None:
            _fill(getattr(message, field.name), numbers, rows)
        else:
            setattr(message, field.name, _scalar(field, numbers))


def _scalar(field: FieldDescriptor, numbers: Iterator[int]) -> object:
    number = next(numbers)
    if field.enum_type is not None:
        values = [value.number for value in field.enum_type.values if value.number]
        return values[number % len(values)]
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING:
            return f"{field.name}-{number}"
        case FieldDescriptor.CPPTYPE_BOOL:
            return True
        case FieldDescriptor.CPPTYPE_DOUBLE:
            return number + 0.5
        case FieldDescriptor.CPPTYPE_UINT32 | FieldDescriptor.CPPTYPE_UINT64:
            return number
    raise NotImplementedError(f"{field.full_name}: no value for this type yet")
