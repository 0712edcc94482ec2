"""What can go wrong with a call. Nothing here knows of gRPC; `error_table.py` maps each to a status.

The texts never carry a coordinate, a booking or driver id, or any other value of a request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """One wrong field: its path, such as `snapshot.bookings[3].pickup.latitude`, and what was expected."""

    field: str
    description: str


class ServerError(Exception):
    """Base of the errors that callers are told about."""


class InvalidRequestError(ServerError):
    """The request breaks the protocol's rules; carries every violation at once, and how many there are in all."""

    def __init__(self, violations: Sequence[Violation], count: int | None = None) -> None:
        self.violations = tuple(violations)
        self.count = len(self.violations) if count is None else count
        super().__init__(f"{self.count} invalid field(s)")


class OverloadedError(ServerError):
    """More calls than this worker can answer in time; nothing was started."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__("overloaded")
        self.retry_after_seconds = retry_after_seconds


class DeadlineUnreachableError(ServerError):
    """The caller's deadline passed before the work could start."""


class NotServingError(ServerError):
    """The server is starting or draining; another worker or a later try will do."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__("not serving")
        self.retry_after_seconds = retry_after_seconds


class StateUnavailableError(ServerError):
    """The database cannot be reached, so nothing can be changed now."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__("state unavailable")
        self.retry_after_seconds = retry_after_seconds


class RevisionMismatchError(ServerError):
    """A change was based on a revision that is no longer the present one."""

    def __init__(self, current_revision: int) -> None:
        super().__init__("revision mismatch")
        self.current_revision = current_revision


class RequestIdReusedError(ServerError):
    """A request id that already names another change."""


class CallerGoneError(ServerError):
    """The caller cancelled before the work started; nobody reads the answer."""
