"""What a dispatch engine knows at one instant, as plain frozen rows.

Fields are named as in the protocol (`proto/qdispatch/v1`), which states ranges and meaning of each; here every instant
is a timezone-aware `datetime` and every span a `timedelta`. A field that may be missing is `None` and is never filled
in. Nothing but naive datetimes is judged here: the server checks a snapshot whole and names every field that is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from qdispatch_client.instants import refuse_naive


class DriverKind(Enum):
    """REGULAR drivers are dispatched; EMERGENCY drivers are a reserve."""

    REGULAR = "REGULAR"
    EMERGENCY = "EMERGENCY"


class Leg(Enum):
    """OUTBOUND brings the patient to an appointment; RETURN brings the patient home."""

    OUTBOUND = "OUTBOUND"
    RETURN = "RETURN"


class TripStatus(Enum):
    """COMMITTED (not started), EN_ROUTE (driving to the pickup), ONBOARD (patient picked up), DONE."""

    COMMITTED = "COMMITTED"
    EN_ROUTE = "EN_ROUTE"
    ONBOARD = "ONBOARD"
    DONE = "DONE"


@dataclass(frozen=True)
class Location:
    """A place in degrees, WGS 84. `matrix_index` is its row in the travel matrix, required when one is given."""

    latitude: float
    longitude: float
    matrix_index: int | None = None


@dataclass(frozen=True)
class Position:
    """Where a driver was last seen, and when."""

    location: Location
    observed_at: datetime

    def __post_init__(self) -> None:
        refuse_naive(self)


@dataclass(frozen=True)
class Break:
    """A fixed interval in which the driver does no work."""

    start_time: datetime
    end_time: datetime

    def __post_init__(self) -> None:
        refuse_naive(self)


@dataclass(frozen=True, kw_only=True)
class Trip:
    """A booking that has been committed to a driver, for good."""

    booking_id: str
    status: TripStatus
    pickup: Location
    dropoff: Location
    leg: Leg
    scheduled_time: datetime
    promised_pickup_time: datetime  # the first promise, as `Pick.promised_pickup_time` gave it
    tolerance: timedelta | None = None  # None: 0 outbound, 15 min return
    pickup_service: timedelta | None = None  # None: 5 min
    dropoff_service: timedelta | None = None  # None: 10 min
    urgent: bool = False
    departed_at: datetime | None = None  # required when EN_ROUTE
    picked_up_at: datetime | None = None  # required when ONBOARD
    done_at: datetime | None = None  # required when DONE

    def __post_init__(self) -> None:
        refuse_naive(self)


@dataclass(frozen=True, kw_only=True)
class Driver:
    """A driver with vehicle, roster and schedule; `trips` in the order they are driven."""

    id: str
    kind: DriverKind
    available: bool
    wheelchair_access: bool
    seats: int
    shift_start: datetime | None
    shift_end: datetime | None
    position: Position | None = None
    start_location: Location | None = None
    end_location: Location | None = None
    breaks: tuple[Break, ...] = ()
    trips: tuple[Trip, ...] = ()
    trips_done_today: int = 0  # whether listed in `trips` or not
    driven_today: timedelta = timedelta(0)
    contract_share: float = 1.0  # above 0, 1 is full time
    window_trips: int = 0  # in the fairness window before today
    window_driven: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        refuse_naive(self)


@dataclass(frozen=True, kw_only=True)
class Booking:
    """An open booking: everything that is not irrevocably committed to a driver."""

    id: str
    pickup: Location | None
    dropoff: Location | None
    scheduled_time: datetime | None
    leg: Leg
    time_confirmed: bool  # False: "call when ready", the patient has not called yet
    wheelchair: bool
    urgent: bool = False
    passengers: int = 1
    tolerance: timedelta | None = None  # None: 0 outbound, 15 min return
    pickup_service: timedelta | None = None  # None: 5 min
    dropoff_service: timedelta | None = None  # None: 10 min
    linked_booking_id: str | None = None  # the other leg of an outbound and return pair
    known_since: datetime | None = None
    current_driver_id: str | None = None  # planned, not committed
    promised_pickup_time: datetime | None = None
    pinned: bool = False  # only `current_driver_id` may take it

    def __post_init__(self) -> None:
        refuse_naive(self)


@dataclass(frozen=True)
class TravelMatrix:
    """The caller's travel times: L × L whole seconds (and meters), row-major, indexed by `Location.matrix_index`."""

    location_count: int  # L
    seconds: tuple[int, ...]  # [L * L], from place i to place j at i * L + j
    meters: tuple[int, ...] = ()  # [L * L], or empty: not known

    @classmethod
    def from_rows(
        cls, seconds: Sequence[Iterable[float | None]], meters: Sequence[Iterable[float | None]] | None = None
    ) -> TravelMatrix:
        """The matrix of nested rows [L][L], such as a routing engine answers them, rounded to whole units.

        Raises ValueError when the rows are not square or hold something that is no number of at least 0 (a pair
        without a road must be given a number by the caller: 86,400 seconds).
        """
        return cls(
            location_count=len(seconds),
            seconds=_flat("seconds", seconds, len(seconds)),
            meters=() if meters is None else _flat("meters", meters, len(seconds)),
        )


def _flat(name: str, rows: Sequence[Iterable[float | None]], size: int) -> tuple[int, ...]:
    """[L][L] rows as one row-major tuple of whole numbers."""
    if len(rows) != size:
        raise ValueError(f"{name}: expected {size} rows, got {len(rows)}")
    flat: list[int] = []
    for index, row in enumerate(rows):
        values = list(row)
        if len(values) != size:
            raise ValueError(f"{name}[{index}]: expected {size} values, got {len(values)}")
        for column, value in enumerate(values):
            if value is None or not 0 <= value < math.inf:
                raise ValueError(f"{name}[{index}][{column}]: expected a finite number of at least 0, got {value}")
            flat.append(round(value))
    return tuple(flat)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One dispatch situation."""

    now: datetime
    time_zone: str  # IANA name of the service day's zone, such as "Europe/Zurich"
    drivers: tuple[Driver, ...]
    bookings: tuple[Booking, ...]
    travel_matrix: TravelMatrix | None = None

    def __post_init__(self) -> None:
        refuse_naive(self)
