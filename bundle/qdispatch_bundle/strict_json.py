"""JSON to frozen dataclasses and back, strictly: nothing unknown, nothing missing, nothing of another type.

`bool` is not an `int`, an `int` is accepted where a `float` is meant, NaN and infinity are refused, and so are
duplicate keys. A field with a default may be absent. Every complaint names the path of the field (`training.seed`).
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NoReturn, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

JsonObject: TypeAlias = Mapping[str, object]  # any JSON below it; the reader passes it on as it is

T = TypeVar("T")


class JsonMismatch(ValueError):
    """The JSON does not describe the wanted type; the text starts with the path of the field."""


def parse(text: str) -> object:
    """Parse one JSON document. Raises JsonMismatch for bad syntax, duplicate keys, NaN and infinity."""
    try:
        value: object = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise JsonMismatch(f"not JSON: {error.msg} at line {error.lineno}") from error
    except RecursionError as error:
        raise JsonMismatch("not JSON: nested too deeply") from error
    return value


def read(kind: type[T], value: object, path: str = "") -> T:
    """Build `kind` (a dataclass) from parsed JSON. Raises JsonMismatch at the first field that does not fit."""
    built: T = _convert(kind, value, path)
    return built


def dump(value: object) -> object:
    """Turn a tree of dataclasses, tuples, enums and JSON values into plain JSON values.

    Raises JsonMismatch for anything JSON cannot hold exactly (NaN, infinity, foreign types).
    """
    if value is None or (isinstance(value, (bool, int, str)) and not isinstance(value, StrEnum)):
        return value
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise JsonMismatch(f"{value} cannot be written as JSON")
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: dump(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [dump(item) for item in value]
    if isinstance(value, Mapping):
        return {_text_key(key): dump(item) for key, item in value.items()}
    raise JsonMismatch(f"{type(value).__name__} cannot be written as JSON")


def _text_key(key: object) -> str:
    if not isinstance(key, str):
        raise JsonMismatch(f"a JSON key must be text, not {type(key).__name__}")
    return str(key)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built = dict(pairs)
    if len(built) != len(pairs):
        raise JsonMismatch("a key stands twice in one object")
    return built


def _refuse_constant(name: str) -> NoReturn:
    raise JsonMismatch(f"{name} is not a JSON number")


def _convert(hint: Any, value: Any, path: str) -> Any:
    if hint is object:
        return value
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _dataclass(hint, value, path)
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _optional(hint, value, path)
    if origin is tuple:
        item, _ = get_args(hint)
        rows = _expect(value, list, "a list", path)
        return tuple(_convert(item, row, f"{path}[{index}]") for index, row in enumerate(rows))
    if origin is not None and issubclass(origin, Mapping):
        _, item = get_args(hint)
        entries = _expect(value, dict, "an object", path)
        return {key: _convert(item, entry, f"{path}.{key}") for key, entry in entries.items()}
    return _scalar(hint, value, path)


def _scalar(hint: Any, value: Any, path: str) -> Any:
    if hint is float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise JsonMismatch(f"{path}: expected a finite number")
        return float(value)
    if hint is int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise JsonMismatch(f"{path}: expected an integer")
        return value
    if hint is bool:
        return _expect(value, bool, "true or false", path)
    if hint is str:
        return _expect(value, str, "text", path)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        text = _expect(value, str, "text", path)
        if text not in {member.value for member in hint}:
            raise JsonMismatch(f"{path}: expected one of {', '.join(member.value for member in hint)}")
        return hint(text)
    raise TypeError(f"strict_json cannot read {hint!r}")


def _optional(hint: Any, value: Any, path: str) -> Any:
    kinds = [kind for kind in get_args(hint) if kind is not type(None)]
    if value is None and len(kinds) < len(get_args(hint)):
        return None
    if len(kinds) != 1:
        raise TypeError(f"strict_json reads no unions but X | None, not {hint!r}")
    return _convert(kinds[0], value, path)


def _dataclass(kind: type[Any], value: Any, path: str) -> Any:
    entries = _expect(value, dict, "an object", path or "document")
    hints = get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(set(entries) - set(fields))
    if unknown:
        raise JsonMismatch(f"{_join(path, unknown[0])}: unknown field")
    built: dict[str, Any] = {}
    for name, field in fields.items():
        if name in entries:
            built[name] = _convert(hints[name], entries[name], _join(path, name))
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise JsonMismatch(f"{_join(path, name)}: missing")
    try:
        return kind(**built)
    except JsonMismatch:
        raise
    except ValueError as error:
        raise JsonMismatch(f"{path or 'document'}: {error}") from error


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _expect(value: Any, kind: type[Any], words: str, path: str) -> Any:
    if not isinstance(value, kind):
        raise JsonMismatch(f"{path}: expected {words}")
    return value
