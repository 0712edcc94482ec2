"""Rows to messages and back, field by field of the same name.

A `Codec` is built once per pair of row and message and compares their fields then: a field of the protocol that the
row forgets, or the reverse, is an error at import, not a value lost in silence.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum
from operator import attrgetter
from typing import Any, Generic, TypeVar

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

Row = TypeVar("Row")
_UNSPECIFIED = 0
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class RowError(ValueError):
    """A row that no message can say: a missing required field or a value of the wrong kind; the text has the path."""

    def __init__(self, path: str, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"{path}: {problem}")

    def inside(self, prefix: str) -> RowError:
        """The same error seen from the row around it."""
        return RowError(f"{prefix}.{self.path}", self.problem)


class Codec(Generic[Row]):
    """Converts one type of row to its message and back. Raises RowError for what cannot be converted."""

    def __init__(self, row_type: type[Row], message_type: type[Message]) -> None:
        self._row_type = row_type
        self._message_type = message_type
        hints = typing.get_type_hints(row_type)
        described: dict[str, Any] = {field.name: field for field in message_type.DESCRIPTOR.fields}
        if not is_dataclass(row_type) or set(hints) != set(described):
            difference = sorted(set(hints) ^ set(described))
            raise TypeError(f"{row_type.__name__} and {message_type.DESCRIPTOR.full_name} differ in {difference}")
        defaults = {field.name for field in fields(row_type) if field.default is not MISSING}
        codecs = [_FieldCodec(described[name], hints[name], has_default=name in defaults) for name in described]
        self._fields = codecs
        self._of_row = _getter([field.name for field in codecs])
        # scalars that a message always has are read in one go
        self._always = [field.name for field in codecs if field.always]
        self._of_message = _getter(self._always)
        self._sometimes = [field for field in codecs if not field.always]
        self._checked = hasattr(row_type, "__post_init__")

    def encode(self, row: Row) -> Message:
        """A new message of this row."""
        message = self._message_type()
        self.fill(row, message)
        return message

    def fill(self, row: Row, message: Message) -> None:
        """Write the row into an empty message."""
        if not isinstance(row, self._row_type):
            raise RowError(self._row_type.__name__, f"expected this type of row, got {type(row).__name__}")
        for field, value in zip(self._fields, self._of_row(row), strict=True):
            if value is None and field.optional:
                continue
            try:
                field.write(message, value)
            except RowError:
                raise
            except (TypeError, ValueError, AttributeError) as error:
                raise RowError(f"{self._row_type.__name__}.{field.name}", str(error)) from error

    def decode(self, message: Message) -> Row:
        """The row of a message; a field that the row requires and the message lacks is a RowError."""
        values: dict[str, Any] = dict(zip(self._always, self._of_message(message), strict=True))
        for field in self._sometimes:
            value = field.read(message)
            if value is not _ABSENT:
                values[field.name] = value
            elif field.optional and not field.has_default:
                values[field.name] = None
            elif not field.has_default:
                raise RowError(field.name, "required, but missing")
        if self._checked or len(values) < len(self._fields):
            return self._row_type(**values)
        row = object.__new__(self._row_type)
        row.__dict__.update(values)  # as pickle does: a frozen row's constructor sets one field after the other
        return row


def _getter(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """What reads so many attributes into a tuple."""
    if len(names) < 2:
        return lambda of: tuple(getattr(of, name) for name in names)
    return attrgetter(*names)


class _Absent:
    """The message does not carry the field."""


_ABSENT = _Absent()


class _FieldCodec:
    """One field: how to write it into a message and to read it from one."""

    def __init__(self, field: FieldDescriptor, hint: Any, *, has_default: bool) -> None:
        self.name = field.name
        self.has_default = has_default
        self.always = False  # a scalar that every message has
        kind, self.optional = _without_none(hint)
        self.write: Callable[[Any, Any], None]
        self.read: Callable[[Any], Any]
        if typing.get_origin(kind) is tuple:
            self._repeated(field, typing.get_args(kind)[0])
        elif field.message_type is not None:
            self._message(field.message_type, kind)
        elif field.enum_type is not None:
            self._enum(field.enum_type, kind)
        else:
            self._scalar(field)

    def _repeated(self, field: FieldDescriptor, item: Any) -> None:
        name = field.name
        if field.message_type is None:

            def write(message: Any, values: Any) -> None:
                getattr(message, name).extend(values)

            def read(message: Any) -> Any:
                return tuple(getattr(message, name))

        else:
            codec: Codec[Any] = Codec(item, GetMessageClass(field.message_type))

            def write(message: Any, values: Any) -> None:
                rows = getattr(message, name)
                for value in values:
                    codec.fill(value, rows.add())

            def read(message: Any) -> Any:
                rows = []
                for index, row in enumerate(getattr(message, name)):
                    try:
                        rows.append(codec.decode(row))
                    except RowError as error:
                        raise error.inside(f"{name}[{index}]") from error
                return tuple(rows)

        self.write, self.read = write, read

    def _message(self, described: Descriptor, kind: Any) -> None:
        name = self.name
        fill, decode = _message_functions(kind, described)

        def write(message: Any, value: Any) -> None:
            part = getattr(message, name)
            part.SetInParent()
            fill(value, part)

        def read(message: Any) -> Any:
            if not message.HasField(name):
                return _ABSENT
            try:
                return decode(getattr(message, name))
            except RowError as error:
                raise error.inside(name) from error

        self.write, self.read = write, read

    def _enum(self, described: EnumDescriptor, kind: type[Enum]) -> None:
        name, optional = self.name, self.optional
        prefix = described.values_by_number[_UNSPECIFIED].name.removesuffix("UNSPECIFIED")
        numbers = {kind[value.name.removeprefix(prefix)]: value.number for value in described.values if value.number}
        members = {number: member for member, number in numbers.items()}
        unknown = kind.__members__.get("UNKNOWN")
        if set(kind) - set(numbers) - {unknown}:
            raise TypeError(f"{kind.__name__} has members that {described.full_name} lacks")

        def write(message: Any, value: Any) -> None:
            if not isinstance(value, kind):
                raise TypeError(f"expected {kind.__name__}, got {value!r}")
            setattr(message, name, numbers.get(value, _UNSPECIFIED))

        def read(message: Any) -> Any:
            number = getattr(message, name)
            if number == _UNSPECIFIED and (optional or unknown is None):
                return _ABSENT
            member = members.get(number, unknown)
            if member is None:
                raise RowError(name, f"{number} is no value of {kind.__name__}")
            return member

        self.write, self.read = write, read

    def _scalar(self, field: FieldDescriptor) -> None:
        name, has_presence = field.name, field.has_presence
        self.always = not has_presence

        def write(message: Any, value: Any) -> None:
            setattr(message, name, value)

        def read(message: Any) -> Any:
            if has_presence and not message.HasField(name):
                return _ABSENT
            return getattr(message, name)

        self.write, self.read = write, read


def _without_none(hint: Any) -> tuple[Any, bool]:
    """(X, True) for `X | None`, else (X, False)."""
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return hint, False
    (kind,) = (option for option in typing.get_args(hint) if option is not types.NoneType)
    return kind, True


def _message_functions(kind: Any, described: Descriptor) -> tuple[Callable[[Any, Any], None], Callable[[Any], Any]]:
    """How to fill and to read a single sub-message of this kind."""
    if kind is datetime:
        return _fill_timestamp, _read_timestamp
    if kind is timedelta:
        return (lambda value, part: part.FromTimedelta(value)), (lambda part: part.ToTimedelta())
    codec: Codec[Any] = Codec(kind, GetMessageClass(described))
    return codec.fill, codec.decode


def _fill_timestamp(value: datetime, part: Any) -> None:
    """As `Timestamp.FromDatetime`, which is slow, and a snapshot holds hundreds of instants."""
    since = value - _EPOCH
    part.seconds = since.days * 86_400 + since.seconds
    part.nanos = since.microseconds * 1_000


def _read_timestamp(part: Any) -> datetime:
    """In UTC, cut to whole microseconds."""
    return _EPOCH + timedelta(seconds=part.seconds, microseconds=part.nanos // 1_000)
