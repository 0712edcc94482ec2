"""Why a booking is not open, why a driver is left out, and why a driver cannot take a booking."""

from __future__ import annotations

from enum import IntEnum


class BookingGap(IntEnum):
    """Why a booking is not among the open ones. OPEN is no gap."""

    OPEN = 0
    NOT_READY = 1  # call when ready, the patient has not called: forecast demand, not open
    NO_SCHEDULED_TIME = 2
    NO_PICKUP = 3
    NO_DROPOFF = 4
    EXPIRED = 5  # more than the latest permitted lateness past its scheduled time: UNSERVED for good


class DriverGap(IntEnum):
    """Why a driver is not among the candidates of any booking. NONE is no gap."""

    NONE = 0
    UNAVAILABLE = 1
    NO_SHIFT = 2
    POSITION_UNKNOWN = 3  # no position, or only an old one, and nothing else locates the driver


class Refusal(IntEnum):
    """The primary reason why one driver cannot take one booking; the first that applies, in this order."""

    UNAVAILABLE = 1
    NO_SHIFT = 2
    POSITION_UNKNOWN = 3
    PINNED = 4  # the booking is pinned to another driver
    WHEELCHAIR = 5
    SEATS = 6
    TOO_LATE = 7  # cannot reach the pickup in time even with an empty schedule, no shift end and no break
    SHIFT = 8  # an empty schedule would do, the shift does not
    BREAK = 9  # an empty schedule within the shift would do, a break forbids it
    TIME_CONFLICT = 10  # the trips already committed leave no room
