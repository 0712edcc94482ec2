"""What the server answers, as plain frozen rows; fields are named and documented as in the protocol.

Instants are aware datetimes in UTC. An enum value that this client is too old to know reads as UNKNOWN.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from qdispatch_client.precision import Precision


class Source(Enum):
    """Who decided: the learned MODEL or the rule-based HEURISTIC."""

    UNKNOWN = "UNKNOWN"
    MODEL = "MODEL"
    HEURISTIC = "HEURISTIC"


class FallbackReason(Enum):
    """Why the heuristic answered."""

    UNKNOWN = "UNKNOWN"
    DISABLED = "DISABLED"
    MODEL_UNAVAILABLE = "MODEL_UNAVAILABLE"
    MODEL_LIMIT = "MODEL_LIMIT"
    STATE_UNKNOWN = "STATE_UNKNOWN"
    DEADLINE = "DEADLINE"
    MODEL_FAILED = "MODEL_FAILED"


class BookingState(Enum):
    """Whether a booking is OPEN, and if not, why not."""

    UNKNOWN = "UNKNOWN"
    OPEN = "OPEN"
    NOT_READY = "NOT_READY"
    NO_SCHEDULED_TIME = "NO_SCHEDULED_TIME"
    NO_PICKUP = "NO_PICKUP"
    NO_DROPOFF = "NO_DROPOFF"
    EXPIRED = "EXPIRED"


class DriverState(Enum):
    """Whether a driver was CONSIDERED, and if not, why not."""

    UNKNOWN = "UNKNOWN"
    CONSIDERED = "CONSIDERED"
    UNAVAILABLE = "UNAVAILABLE"
    NO_SHIFT = "NO_SHIFT"
    POSITION_UNKNOWN = "POSITION_UNKNOWN"


class RefusalReason(Enum):
    """Why one driver cannot take one booking: the first reason that applies, in this order."""

    UNKNOWN = "UNKNOWN"
    UNAVAILABLE = "UNAVAILABLE"
    NO_SHIFT = "NO_SHIFT"
    POSITION_UNKNOWN = "POSITION_UNKNOWN"
    PINNED = "PINNED"
    WHEELCHAIR = "WHEELCHAIR"
    SEATS = "SEATS"
    TOO_LATE = "TOO_LATE"
    SHIFT = "SHIFT"
    BREAK = "BREAK"
    TIME_CONFLICT = "TIME_CONFLICT"


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where an answer comes from."""

    decision_id: str
    source: Source
    fallback_reason: FallbackReason | None  # None exactly when the source is MODEL
    heuristic: str  # empty when the source is MODEL
    model_version: str  # empty when no model is loaded
    feature_fingerprint: str
    weights_digest: str


@dataclass(frozen=True, kw_only=True)
class ServerTiming:
    """Where the server's time went, microseconds."""

    queue_micros: float
    decode_micros: float
    features_micros: float
    inference_micros: float
    decision_micros: float
    encode_micros: float
    total_micros: float


@dataclass(frozen=True, kw_only=True)
class CostBreakdown:
    """Growth of the day's cost by one insertion, term by term, minutes-equivalent."""

    deadhead_minutes: float
    lateness_minutes: float
    downstream_lateness_minutes: float
    emergency_minutes: float
    driver_change_minutes: float
    spread_minutes: float
    total_minutes: float


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One driver who can take one booking, at the best place in that driver's schedule."""

    driver_id: str
    position: int  # among the driver's COMMITTED trips of the snapshot; the booking goes before it
    pickup_eta_seconds: float  # after `Snapshot.now`
    lateness_seconds: float
    added_deadhead_seconds: float
    added_deadhead_meters: float | None  # None when the travel matrix has no meters
    slack_seconds: float | None  # of the trip behind or the end of work; None when nothing limits it
    cost: CostBreakdown
    resulting_trips: int
    resulting_gap: float
    on_time: bool
    score: float  # ranks, higher is better; no unit
    q_value: float | None  # minutes-equivalent; only from a calibrated model
    advantage_minutes: float | None  # minutes-equivalent; only from a calibrated model
    recommended: bool


@dataclass(frozen=True, kw_only=True)
class RefusalCount:
    """How many drivers cannot take a booking for one reason."""

    reason: RefusalReason
    drivers: int


@dataclass(frozen=True, kw_only=True)
class BookingAdvice:
    """The answer for one booking."""

    booking_id: str
    state: BookingState
    candidates: tuple[Candidate, ...]  # best first
    decide_by: datetime | None
    assign_now: bool
    refusals: tuple[RefusalCount, ...]  # only when the booking is open and nobody can


@dataclass(frozen=True, kw_only=True)
class DriverAdvice:
    """What the answer says of one driver."""

    driver_id: str
    state: DriverState


@dataclass(frozen=True, kw_only=True)
class Pick:
    """One recommended insertion; all picks of an answer together break no rule."""

    booking_id: str
    driver_id: str
    position: int  # among the driver's COMMITTED trips, after the picks before it
    pickup_time: datetime
    promised_pickup_time: datetime  # what to promise the patient, and to send back in the trip


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """The whole answer to one snapshot."""

    request_id: str
    provenance: Provenance
    bookings: tuple[BookingAdvice, ...]  # in the order of the snapshot
    drivers: tuple[DriverAdvice, ...]  # in the order of the snapshot
    picks: tuple[Pick, ...]  # in the order they were made; empty: wait
    reevaluate_at: datetime | None  # ask again then; None when the snapshot knows of no event
    timing: ServerTiming
    model_precision: Precision | None  # of the graph that scored; None when the model scored nothing
    search_moves: int  # of the local search that followed the model's values; 0: none did
    commit_ahead: timedelta | None  # whose best pair leaves so soon was committed; None: the server is too old to say
