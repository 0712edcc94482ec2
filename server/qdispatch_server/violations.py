"""Collects every violation of a request at once; each check names the field's path and never shows the value."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from qdispatch_server.errors import InvalidRequestError, Violation
from qdispatch_server.limits import MAX_ID_CHARACTERS, MAX_VIOLATIONS
from qdispatch_server.service_day import NANOS_PER_SECOND, duration_minutes

EARLIEST_SECONDS = 946_684_800  # 2000-01-01T00:00:00Z
LATEST_SECONDS = 4_102_444_800  # 2100-01-01T00:00:00Z


class Violations:
    """A growing list of what is wrong; beyond MAX_VIOLATIONS only counted."""

    def __init__(self) -> None:
        self.found: list[Violation] = []
        self.count = 0

    def add(self, field: str, description: str) -> None:
        """Notes one violation."""
        self.count += 1
        if len(self.found) < MAX_VIOLATIONS:
            self.found.append(Violation(field, description))

    def raise_if_any(self) -> None:
        """Raises InvalidRequestError with everything found."""
        if self.count:
            raise self.error()

    def error(self) -> InvalidRequestError:
        """The error that tells everything found."""
        return InvalidRequestError(self.found, self.count)

    def text_id(self, field: str, value: str) -> None:
        """An id of 1 to 128 characters."""
        if not 1 <= len(value) <= MAX_ID_CHARACTERS:
            self.add(field, f"Expected 1 to {MAX_ID_CHARACTERS} characters.")

    # The field's path is put together only when there is something to tell: these three run for every value.

    def number(self, path: str, name: str, value: float, low: float, high: float) -> None:
        """The field `name` of `path`: a number within [low, high]; NaN never is."""
        if not low <= value <= high:
            self.add(f"{path}.{name}", f"Expected {low:,g} to {high:,g}.")

    def instant(self, path: str, name: str, value: Timestamp) -> bool:
        """A well-formed instant of this century; says whether it is."""
        if not EARLIEST_SECONDS <= value.seconds < LATEST_SECONDS:
            self.add(f"{path}.{name}", "Expected an instant from 2000 to 2099.")
            return False
        if not 0 <= value.nanos < NANOS_PER_SECOND:
            self.add(f"{path}.{name}", "Expected nanos from 0 to 999,999,999.")
            return False
        return True

    def duration(self, path: str, name: str, value: Duration, high_min: float) -> float:
        """A duration from 0 to `high_min` minutes; returns it in minutes (0 when it is not)."""
        well_formed = value.seconds >= 0 and 0 <= value.nanos < NANOS_PER_SECOND
        minutes = duration_minutes(value) if well_formed else -1.0
        if not 0 <= minutes <= high_min:
            self.add(f"{path}.{name}", f"Expected 0 to {high_min:,g} minutes.")
            return 0.0
        return minutes
