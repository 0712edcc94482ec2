"""Instants and service-day minutes: minutes after local midnight of the day of `now`, at the zone's offset at `now`."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

SECONDS_PER_DAY = 86_400
NANOS_PER_SECOND = 1_000_000_000
MICROS_PER_MINUTE = 60_000_000


@lru_cache(maxsize=1)
def known_zones() -> frozenset[str]:
    """Every IANA zone this machine knows."""
    return frozenset(zoneinfo.available_timezones())


@dataclass(frozen=True, slots=True)
class ServiceDay:
    """The day of one snapshot. `midnight` is its local midnight in seconds after the epoch."""

    midnight: int

    @classmethod
    def of(cls, now_seconds: int, zone: str) -> ServiceDay:
        """The day that `now_seconds` (after the epoch) falls on in `zone`, which must be a known one."""
        offset = datetime.fromtimestamp(now_seconds, UTC).astimezone(zoneinfo.ZoneInfo(zone)).utcoffset()
        if offset is None:
            raise ValueError("Expected a zone with an offset.")
        shift = int(offset.total_seconds())
        return cls((now_seconds + shift) // SECONDS_PER_DAY * SECONDS_PER_DAY - shift)

    def minutes(self, instant: Timestamp) -> float:
        """Service-day minutes of an instant."""
        return (instant.seconds - self.midnight) / 60 + instant.nanos / (60 * NANOS_PER_SECOND)

    def write(self, minutes: float, into: Timestamp) -> None:
        """Writes service-day minutes as an instant, to the microsecond."""
        micros = round(minutes * MICROS_PER_MINUTE)
        into.seconds = self.midnight + micros // 1_000_000
        into.nanos = micros % 1_000_000 * 1_000


def duration_minutes(duration: Duration) -> float:
    """Minutes of a duration."""
    return duration.seconds / 60 + duration.nanos / (60 * NANOS_PER_SECOND)
