"""Instants are timezone-aware: a naive datetime means another instant on every machine, so none is ever sent."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class NaiveDatetimeError(ValueError):
    """A datetime without a UTC offset was given where an instant is needed."""


def refuse_naive(row: DataclassInstance) -> None:
    """Raise NaiveDatetimeError if a field of the row is a datetime without a UTC offset."""
    for name, value in vars(row).items():
        if isinstance(value, datetime) and value.utcoffset() is None:
            raise NaiveDatetimeError(
                f"{type(row).__name__}.{name} is {value.isoformat()} without a UTC offset; "
                "give it a tzinfo, e.g. datetime(..., tzinfo=ZoneInfo('Europe/Zurich'))"
            )
