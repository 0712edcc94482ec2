"""What a server runs and has done, as plain frozen rows; fields are named and documented as in the protocol."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from qdispatch_client.precision import Precision, PrecisionMode
from qdispatch_client.suggestion import FallbackReason, Source


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
class PrecisionBucket:
    """Both graphs measured at one size, and which of them therefore answers snapshots of about that size."""

    size: str  # drivers x bookings
    measured_pairs: int
    max_pairs: int | None  # the most candidate pairs this row is for; None: any number above the row before
    precision: Precision
    fp32_median_micros: float
    int8_median_micros: float


@dataclass(frozen=True, kw_only=True)
class ModelStatus:
    """The loaded model."""

    model_version: str
    precision: Precision
    loaded_at: datetime
    limits: Limits | None  # None: whatever the protocol allows
    calibrated: bool
    precision_mode: PrecisionMode
    precision_buckets: tuple[PrecisionBucket, ...]  # ascending; empty unless the mode is AUTO and INT8 qualified
    int8_qualified: bool | None  # in closed loop, when the model was exported; None: the server is too old to say
    search_moves: int  # of the local search that follows the model's values, at most; 0: none does
    commit_ahead: timedelta | None  # whose best pair leaves so soon is committed; None: the server is too old to say
    search_max_drivers: int  # larger snapshots are answered without the search


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
