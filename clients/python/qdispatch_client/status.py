"""What a server runs and has done, as plain frozen rows; fields are named and documented as in the protocol."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from qdispatch_client.suggestion import FallbackReason, Source


class Precision(Enum):
    """Number format of the graph that answers."""

    UNKNOWN = "UNKNOWN"
    FP32 = "FP32"
    INT8 = "INT8"


@dataclass(frozen=True, kw_only=True)
class CompanySwitch:
    """Whether the model answers for a company (the heuristic does otherwise)."""

    company_id: str
    enabled: bool
    revision: int  # 0: never switched
    changed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The largest snapshot something accepts."""

    max_drivers: int
    max_bookings: int


@dataclass(frozen=True, kw_only=True)
class ProtocolLimits:
    """The largest request the server accepts."""

    snapshot: Limits
    max_trips_per_driver: int
    max_breaks_per_driver: int
    max_matrix_locations: int
    max_request_bytes: int


@dataclass(frozen=True, kw_only=True)
class BundleRefusal:
    """A bundle that the server would not load."""

    reason: str
    refused_at: datetime


@dataclass(frozen=True, kw_only=True)
class ModelStatus:
    """The loaded model."""

    model_version: str
    precision: Precision
    loaded_at: datetime
    limits: Limits | None  # None: whatever the protocol allows
    calibrated: bool


@dataclass(frozen=True, kw_only=True)
class SourceCount:
    """Number of answers of one source and reason since the server started."""

    source: Source
    fallback_reason: FallbackReason | None
    answers: int


@dataclass(frozen=True, kw_only=True)
class ServerStatus:
    """The status of a server, all its workers together."""

    companies: tuple[CompanySwitch, ...]
    company_default: bool
    model: ModelStatus | None
    feature_fingerprint: str
    last_refusal: BundleRefusal | None
    answers: tuple[SourceCount, ...]
    failed_calls: int
    started_at: datetime
    uptime: timedelta
    workers: int
    limits: ProtocolLimits
    server_version: str
