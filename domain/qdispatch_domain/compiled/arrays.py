"""The arrays of a `Fleet` as the one tuple that every kernel takes, so that each kernel has one signature only."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qdispatch_domain.fleet import Fleet

_NO_MATRIX = np.zeros((0, 0))


class FleetArrays(NamedTuple):
    """Fields of `Fleet` under their names; `seconds` [M, M] is the caller's matrix, [0, 0] without one.

    Handing all of it to a function that is not inlined costs about a microsecond: per day, not per booking.
    """

    seconds: np.ndarray
    now: np.ndarray
    driver_real: np.ndarray
    driver_gap: np.ndarray
    regular: np.ndarray
    wheelchair_access: np.ndarray
    seats: np.ndarray
    shift_start: np.ndarray
    shift_end: np.ndarray
    contract_share: np.ndarray
    trips_done: np.ndarray
    minutes_driven: np.ndarray
    window_trips: np.ndarray
    window_minutes: np.ndarray
    locked: np.ndarray
    anchor_time: np.ndarray
    anchor_place: np.ndarray
    has_home: np.ndarray
    home: np.ndarray
    break_start: np.ndarray
    break_end: np.ndarray
    n_trips: np.ndarray
    trip_pickup: np.ndarray
    trip_dropoff: np.ndarray
    trip_scheduled: np.ndarray
    trip_promised: np.ndarray
    trip_tolerance: np.ndarray
    trip_pickup_service: np.ndarray
    trip_dropoff_service: np.ndarray
    trip_loaded: np.ndarray
    trip_outbound: np.ndarray
    trip_code: np.ndarray
    booking_real: np.ndarray
    booking_gap: np.ndarray
    open: np.ndarray
    scheduled: np.ndarray
    tolerance: np.ndarray
    pickup_service: np.ndarray
    dropoff_service: np.ndarray
    loaded: np.ndarray
    pickup: np.ndarray
    dropoff: np.ndarray
    outbound: np.ndarray
    urgent: np.ndarray
    wheelchair: np.ndarray
    passengers: np.ndarray
    promised: np.ndarray
    known_since: np.ndarray
    current_driver: np.ndarray
    pinned: np.ndarray
    linked_driver: np.ndarray
    linked_booking: np.ndarray
    linked_scheduled: np.ndarray
    booking_code: np.ndarray


def arrays_of(fleet: Fleet) -> FleetArrays:
    """No copies: what a kernel writes, it writes into the fleet."""
    matrix = fleet.travel.matrix
    return FleetArrays(_NO_MATRIX if matrix is None else matrix.seconds, *(getattr(fleet, name) for name in _OF_FLEET))


_OF_FLEET = FleetArrays._fields[1:]
