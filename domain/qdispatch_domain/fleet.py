"""Array form of one or many situations: structure of arrays with a leading axis N of days.

Row i of an array belongs to driver i or booking i of the snapshot; rows beyond the real ones are padding
(`driver_real`, `booking_real` false). Times are service-day minutes; an absent time is NaN, and a break or trip slot
that does not exist holds `NEVER`. Only COMMITTED trips stand in the trip arrays: what runs or is done has become the
anchor.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from qdispatch_domain.acceleration import kernels
from qdispatch_domain.travel import PLACE, Travel

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

NEVER = 1e9
EPS = 1e-6  # minutes; tolerance of every comparison of times


@dataclass(slots=True)
class Fleet:
    """N situations of up to D drivers, L committed trips per driver, K breaks and B bookings."""

    travel: Travel
    now: F64  # [N]
    # drivers, [N, D]
    driver_real: Bool
    driver_gap: I64  # DriverGap
    regular: Bool
    wheelchair_access: Bool
    seats: I64
    shift_start: F64
    shift_end: F64
    contract_share: F64
    trips_done: F64  # finished today
    minutes_driven: F64
    window_trips: F64
    window_minutes: F64
    locked: Bool  # a trip is EN_ROUTE or ONBOARD
    anchor_time: F64  # from when the driver is free to begin a COMMITTED trip
    anchor_place: F64  # [N, D, 4]
    has_home: Bool  # an end_location is given
    home: F64  # [N, D, 4]
    break_start: F64  # [N, D, K], in order of time, NEVER where there is none
    break_end: F64  # [N, D, K]
    # COMMITTED trips in driving order, [N, D, L]
    n_trips: I64  # [N, D]
    trip_pickup: F64  # [N, D, L, 4]
    trip_dropoff: F64  # [N, D, L, 4]
    trip_scheduled: F64
    trip_promised: F64
    trip_tolerance: F64
    trip_pickup_service: F64
    trip_dropoff_service: F64
    trip_loaded: F64  # free-flow minutes from pickup to dropoff
    trip_outbound: Bool
    trip_code: I64  # what the owner of the arrays calls the trip; -1 in padding
    # open bookings, [N, B]
    booking_real: Bool
    booking_gap: I64  # BookingGap
    open: Bool  # real, without a gap and not yet committed
    scheduled: F64
    tolerance: F64
    pickup_service: F64
    dropoff_service: F64
    loaded: F64  # free-flow minutes from pickup to dropoff
    pickup: F64  # [N, B, 4]
    dropoff: F64  # [N, B, 4]
    outbound: Bool
    urgent: Bool
    wheelchair: Bool
    passengers: I64
    promised: F64  # an earlier promise, NaN when there is none
    known_since: F64  # NaN when unknown
    current_driver: I64  # planned driver, -1 when there is none
    pinned: Bool
    linked_driver: I64  # who drives or drove the other leg, -1 when nobody does yet
    linked_booking: I64  # the other leg among the bookings, -1 when it is not there
    linked_scheduled: F64  # wanted pickup time of the other leg, NaN when the snapshot does not show it
    booking_code: I64

    @property
    def days(self) -> int:
        """N."""
        return int(self.now.shape[0])

    @property
    def usable(self) -> Bool:
        """Drivers that can be candidates, [N, D]."""
        usable: Bool = self.driver_real & (self.driver_gap == 0)
        return usable

    def select(self, days: I64) -> Fleet:
        """A copy holding only the given days, [len(days), ...]."""
        parts = {f.name: getattr(self, f.name)[days] for f in fields(self) if f.name != "travel"}
        return Fleet(travel=self.travel, **parts)

    def only(self, days: I64) -> Fleet:
        """The same N days, all but `days` [M] without drivers and bookings, for insertions that shall not touch this.

        What `commit` changes is copied for these days, everything else is shared.
        """
        parts = {f.name: getattr(self, f.name) for f in fields(self)}
        for name in (*TRIP_FIELDS, "trip_promised"):
            copy = np.empty_like(parts[name])
            copy[days] = parts[name][days]
            parts[name] = copy
        for name in ("n_trips", "open", "booking_real", "driver_real"):
            copy = np.zeros_like(parts[name])
            copy[days] = parts[name][days]
            parts[name] = copy
        return Fleet(**{**parts, "linked_driver": self.linked_driver.copy()})


TRIP_FIELDS = {
    "trip_pickup": "pickup",
    "trip_dropoff": "dropoff",
    "trip_scheduled": "scheduled",
    "trip_tolerance": "tolerance",
    "trip_pickup_service": "pickup_service",
    "trip_dropoff_service": "dropoff_service",
    "trip_loaded": "loaded",
    "trip_outbound": "outbound",
    "trip_code": "booking_code",
}


NOT_OPEN = "Expected only open bookings to be committed."
NO_SUCH_POSITION = "Expected every position in [0, number of committed trips]."


def empty_fleet(travel: Travel, n: int, d: int, b: int, trips: int, breaks: int) -> Fleet:
    """A Fleet of padding only: n days, d drivers, b bookings, room for `trips` trips and `breaks` breaks a driver."""

    def real(*shape: int, fill: float = 0.0) -> F64:
        return np.full(shape, fill, dtype=np.float64) if fill else np.zeros(shape)

    def whole(*shape: int, fill: int = 0) -> I64:
        return np.full(shape, fill, dtype=np.int64) if fill else np.zeros(shape, dtype=np.int64)

    def flag(*shape: int) -> Bool:
        return np.zeros(shape, dtype=np.bool_)

    return Fleet(
        travel=travel,
        now=real(n),
        driver_real=flag(n, d),
        driver_gap=whole(n, d),
        regular=flag(n, d),
        wheelchair_access=flag(n, d),
        seats=whole(n, d),
        shift_start=real(n, d),
        shift_end=real(n, d),
        contract_share=real(n, d, fill=1.0),
        trips_done=real(n, d),
        minutes_driven=real(n, d),
        window_trips=real(n, d),
        window_minutes=real(n, d),
        locked=flag(n, d),
        anchor_time=real(n, d),
        anchor_place=real(n, d, PLACE),
        has_home=flag(n, d),
        home=real(n, d, PLACE),
        break_start=real(n, d, breaks, fill=NEVER),
        break_end=real(n, d, breaks, fill=NEVER),
        n_trips=whole(n, d),
        trip_pickup=real(n, d, trips, PLACE),
        trip_dropoff=real(n, d, trips, PLACE),
        trip_scheduled=real(n, d, trips, fill=NEVER),
        trip_promised=real(n, d, trips, fill=NEVER),
        trip_tolerance=real(n, d, trips),
        trip_pickup_service=real(n, d, trips),
        trip_dropoff_service=real(n, d, trips),
        trip_loaded=real(n, d, trips),
        trip_outbound=flag(n, d, trips),
        trip_code=whole(n, d, trips, fill=-1),
        booking_real=flag(n, b),
        booking_gap=whole(n, b),
        open=flag(n, b),
        scheduled=real(n, b, fill=np.nan),
        tolerance=real(n, b),
        pickup_service=real(n, b),
        dropoff_service=real(n, b),
        loaded=real(n, b),
        pickup=real(n, b, PLACE),
        dropoff=real(n, b, PLACE),
        outbound=flag(n, b),
        urgent=flag(n, b),
        wheelchair=flag(n, b),
        passengers=whole(n, b, fill=1),
        promised=real(n, b, fill=np.nan),
        known_since=real(n, b, fill=np.nan),
        current_driver=whole(n, b, fill=-1),
        pinned=flag(n, b),
        linked_driver=whole(n, b, fill=-1),
        linked_booking=whole(n, b, fill=-1),
        linked_scheduled=real(n, b, fill=np.nan),
        booking_code=whole(n, b, fill=-1),
    )


def commit(fleet: Fleet, n: I64, d: I64, b: I64, position: I64, promised: F64) -> None:
    """Insert booking b of day n before the `position`-th COMMITTED trip of driver d, in place; all arguments [M].

    At most one insertion per (day, driver) in one call. The booking leaves the open ones; its linked leg remembers the
    driver. Raises ValueError for a booking that is not open or a position beyond the schedule.
    """
    compiled = kernels()
    if compiled is None:
        commit_numpy(fleet, n, d, b, position, promised)
        return
    outcome = compiled.commit(compiled.arrays_of(fleet), n, d, b, position, promised)
    if outcome == compiled.NO_ROOM:
        _grow(fleet, fleet.trip_scheduled.shape[2] + 4)
        outcome = compiled.commit(compiled.arrays_of(fleet), n, d, b, position, promised)
    if outcome == compiled.NOT_OPEN:
        raise ValueError(NOT_OPEN)
    if outcome == compiled.NO_SUCH_POSITION:
        raise ValueError(NO_SUCH_POSITION)


def commit_numpy(fleet: Fleet, n: I64, d: I64, b: I64, position: I64, promised: F64) -> None:
    """`commit` without numba."""
    if not bool(np.all(fleet.open[n, b])):
        raise ValueError(NOT_OPEN)
    if bool(np.any((position < 0) | (position > fleet.n_trips[n, d]))):
        raise ValueError(NO_SUCH_POSITION)
    capacity = fleet.trip_scheduled.shape[2]
    if bool(np.any(fleet.n_trips[n, d] >= capacity)):
        _grow(fleet, capacity + 4)
        capacity += 4
    slots = np.arange(capacity)
    source = slots[None, :] - (slots[None, :] > position[:, None])  # [M, L]
    here = slots[None, :] == position[:, None]
    for trip_field, booking_field in TRIP_FIELDS.items():
        array = getattr(fleet, trip_field)
        _insert(array, n, d, source, here, getattr(fleet, booking_field)[n, b])
    _insert(fleet.trip_promised, n, d, source, here, promised)
    fleet.n_trips[n, d] += 1
    fleet.open[n, b] = False
    linked = fleet.linked_booking[n, b]
    has = linked >= 0
    fleet.linked_driver[n[has], linked[has]] = d[has]


def _insert(
    array: npt.NDArray[np.generic], n: I64, d: I64, source: I64, here: Bool, value: npt.NDArray[np.generic]
) -> None:
    rows = array[n, d]  # [M, L, ...]
    shifted = np.take_along_axis(rows, source.reshape(source.shape + (1,) * (rows.ndim - 2)), axis=1)
    shifted[here] = value
    array[n, d] = shifted


def _grow(fleet: Fleet, capacity: int) -> None:
    for trip_field in (*TRIP_FIELDS, "trip_promised"):
        array = getattr(fleet, trip_field)
        pad = [(0, 0)] * array.ndim
        pad[2] = (0, capacity - array.shape[2])
        setattr(fleet, trip_field, np.pad(array, pad))
