"""Row form of one dispatch situation: what the engine knows at one instant.

All times are float minutes after the local midnight of the service day (see `docs/glossary.md`,
"service-day minutes"); converting instants and zones is the caller's business, the heart knows no clock.
Absence is explicit: a field that may be missing is `None`, and nothing here is ever filled in by a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt


class DriverKind(StrEnum):
    """REGULAR drivers are dispatched; EMERGENCY drivers are a reserve."""

    REGULAR = "REGULAR"
    EMERGENCY = "EMERGENCY"


class Leg(StrEnum):
    """OUTBOUND brings the patient to an appointment; RETURN brings the patient home."""

    OUTBOUND = "OUTBOUND"
    RETURN = "RETURN"


class TripStatus(StrEnum):
    """COMMITTED (not started), EN_ROUTE (driving to the pickup), ONBOARD (patient picked up), DONE."""

    COMMITTED = "COMMITTED"
    EN_ROUTE = "EN_ROUTE"
    ONBOARD = "ONBOARD"
    DONE = "DONE"


@dataclass(frozen=True, slots=True)
class Location:
    """A place. `matrix_index` is its row in the snapshot's travel matrix, required when one is given."""

    latitude: float  # degrees, [-90, 90]
    longitude: float  # degrees, [-180, 180]
    matrix_index: int | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a driver was last seen, and when."""

    location: Location
    observed_at: float  # service-day minutes


@dataclass(frozen=True, slots=True)
class Break:
    """A fixed interval in which the driver does no work. 0 <= start < end."""

    start: float  # service-day minutes
    end: float  # service-day minutes


@dataclass(frozen=True, slots=True)
class Trip:
    """A booking that has been committed to a driver. `booking_id` is unique in the snapshot."""

    booking_id: str
    status: TripStatus
    pickup: Location
    dropoff: Location
    leg: Leg
    scheduled_time: float  # wanted pickup, service-day minutes
    promised_pickup_time: float  # first promise made to the patient, service-day minutes
    tolerance_min: float  # minutes of lateness that cost nothing
    pickup_service_min: float
    dropoff_service_min: float
    urgent: bool = False
    picked_up_at: float | None = None  # start of the pickup service; required when ONBOARD
    done_at: float | None = None  # end of the dropoff service; required when DONE
    departed_at: float | None = None  # when the driver left for the pickup; required when EN_ROUTE


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver, their vehicle, their roster and their schedule (trips in the order they are driven)."""

    id: str
    kind: DriverKind
    available: bool
    wheelchair_access: bool
    seats: int
    shift_start: float | None  # service-day minutes
    shift_end: float | None  # service-day minutes
    position: Position | None = None
    start_location: Location | None = None
    end_location: Location | None = None
    breaks: tuple[Break, ...] = ()
    trips: tuple[Trip, ...] = ()
    trips_done_today: int = 0  # finished trips, whether listed in `trips` or not
    minutes_driven_today: float = 0.0
    contract_share: float = 1.0  # (0, 1], 1 is full time
    window_trips: int = 0  # trips in the fairness window before today
    window_minutes: float = 0.0  # driving minutes in the fairness window before today


@dataclass(frozen=True, slots=True)
class Booking:
    """An open booking: everything that is not irrevocably committed to a driver."""

    id: str
    pickup: Location | None
    dropoff: Location | None
    scheduled_time: float | None  # wanted pickup, service-day minutes
    leg: Leg
    time_confirmed: bool  # False: "call when ready", the patient has not called yet
    urgent: bool = False
    wheelchair: bool = False
    passengers: int = 1
    tolerance_min: float | None = None  # None: the leg's own (outbound 0, return 15)
    pickup_service_min: float | None = None  # None: 5
    dropoff_service_min: float | None = None  # None: 10
    linked_booking_id: str | None = None  # the other leg of an outbound + return pair
    known_since: float | None = None
    current_driver_id: str | None = None  # planned, not committed
    promised_pickup_time: float | None = None
    pinned: bool = False  # only `current_driver_id` may take it


@dataclass(frozen=True, slots=True)
class TravelMatrix:
    """The caller's travel matrix, indexed by `Location.matrix_index`; it holds for any departure time."""

    seconds: npt.NDArray[np.float64]  # [L, L] seconds, >= 0
    meters: npt.NDArray[np.float64] | None = None  # [L, L] meters, >= 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One dispatch situation."""

    now: float  # service-day minutes
    drivers: tuple[Driver, ...]
    bookings: tuple[Booking, ...]
    matrix: TravelMatrix | None = field(default=None)
