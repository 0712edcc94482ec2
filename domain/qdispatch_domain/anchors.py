"""Where and when every driver is free to begin a COMMITTED trip (docs/dispatch-rules.md, "Where a driver is")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from qdispatch_domain.fleet import EPS, Fleet
from qdispatch_domain.reasons import DriverGap
from qdispatch_domain.row_columns import flags, reals, wholes
from qdispatch_domain.snapshot import Driver, Location, Trip, TripStatus
from qdispatch_domain.travel import PLACE, Travel, place_rows
from qdispatch_domain.weights import RULES

F64 = npt.NDArray[np.float64]

# read once: an enum's attribute costs more than the comparison it serves
_EN_ROUTE, _ONBOARD, _DONE = TripStatus.EN_ROUTE, TripStatus.ONBOARD, TripStatus.DONE
_UNAVAILABLE, _NO_SHIFT, _POSITION_UNKNOWN = DriverGap.UNAVAILABLE, DriverGap.NO_SHIFT, DriverGap.POSITION_UNKNOWN


class _Running(NamedTuple):
    """A trip on the road."""

    driver: int  # row of the driver
    trip: Trip
    since: float  # ONBOARD: start of the pickup service; EN_ROUTE: when the driver was at `origin`
    origin: Location


def pack_anchors(fleet: Fleet, n: int, drivers: Sequence[Driver], now: float) -> None:
    """Write shift, gap, `locked` and anchor of the drivers of day n.

    Raises ValueError for a running trip without its times.
    """
    here: list[tuple[int, float, Location]] = []  # (row, free from, place) of idle drivers
    moving: list[_Running] = []
    working: list[tuple[int, float, float]] = []  # (row, start, end of the shift)
    locked: list[int] = []  # rows
    gaps: list[tuple[int, DriverGap]] = []  # (row, gap)
    for i, driver in enumerate(drivers):
        if not driver.available:
            gaps.append((i, _UNAVAILABLE))
            continue
        if driver.shift_start is None or driver.shift_end is None:
            gaps.append((i, _NO_SHIFT))
            continue
        working.append((i, driver.shift_start, driver.shift_end))
        running = _begun(driver.trips) if driver.trips else None
        if running is None:
            place = _idle(driver, now)
            if place is not None:
                here.append((i, now, place))
                continue
        else:
            locked.append(i)
            on_the_road = _running(i, driver, running)
            if on_the_road is not None:
                moving.append(on_the_road)
                continue
        gaps.append((i, _POSITION_UNKNOWN))
    if gaps:
        fleet.driver_gap[n, wholes([i for i, _ in gaps])] = wholes([gap for _, gap in gaps])
    if locked:
        fleet.locked[n, wholes(locked)] = True
    if working:
        at = wholes([i for i, _, _ in working])
        fleet.shift_start[n, at] = reals([start for _, start, _ in working])
        fleet.shift_end[n, at] = reals([end for _, _, end in working])
    if moving:
        ends = _ends(fleet.travel, moving, now).tolist()
        here += [(row.driver, end, row.trip.dropoff) for row, end in zip(moving, ends, strict=True)]
    if here:
        at = wholes([i for i, _, _ in here])
        fleet.anchor_time[n, at] = np.maximum(reals([time for _, time, _ in here]), fleet.shift_start[n, at])
        fleet.anchor_place[n, at] = place_rows([place for _, _, place in here])


def _begun(trips: Sequence[Trip]) -> Trip | None:
    """The first trip on the road."""
    for trip in trips:
        if trip.status is _EN_ROUTE or trip.status is _ONBOARD:
            return trip
    return None


def _last_done(trips: Sequence[Trip]) -> Trip | None:
    for trip in reversed(trips):
        if trip.status is _DONE:
            return trip
    return None


def _idle(driver: Driver, now: float) -> Location | None:
    """Where a driver without a running trip is."""
    done, seen = _last_done(driver.trips) if driver.trips else None, driver.position
    if (
        seen is not None
        and now - seen.observed_at <= RULES.position_max_age_min + EPS
        and (done is None or done.done_at is None or seen.observed_at >= done.done_at)
    ):
        return seen.location
    if done is not None:
        return done.dropoff
    if driver.start_location is not None and driver.shift_start is not None and now <= driver.shift_start:
        return driver.start_location
    return None


def _running(row: int, driver: Driver, trip: Trip) -> _Running | None:
    """What a driver on a running trip is timed by; None when nothing says where the trip began."""
    if trip.status is _ONBOARD:
        if trip.picked_up_at is None:
            raise ValueError("Expected picked_up_at on an ONBOARD trip.")
        return _Running(row, trip, trip.picked_up_at, trip.pickup)
    if trip.departed_at is None:
        raise ValueError("Expected departed_at on an EN_ROUTE trip.")
    if driver.position is not None:
        return _Running(row, trip, max(trip.departed_at, driver.position.observed_at), driver.position.location)
    done = _last_done(driver.trips)
    origin = driver.start_location if done is None else done.dropoff
    return None if origin is None else _Running(row, trip, trip.departed_at, origin)


def _ends(travel: Travel, moving: Sequence[_Running], now: float) -> F64:
    """The predicted ends of running trips, service-day minutes, [M]."""
    trips = [row.trip for row in moving]
    places = [row.origin for row in moving] + [t.pickup for t in trips] + [t.dropoff for t in trips]
    origin, pickup, dropoff = place_rows(places).reshape(3, len(trips), PLACE)
    since = reals([row.since for row in moving])
    arrival = travel.arrive(since, travel.free_flow(origin, pickup))
    start = np.where(
        flags([t.status is _ONBOARD for t in trips]),
        since,
        np.maximum(np.maximum(arrival, reals([t.scheduled_time for t in trips])), now),
    )
    served = start + reals([t.pickup_service_min for t in trips])
    done = travel.arrive(served, travel.free_flow(pickup, dropoff)) + reals([t.dropoff_service_min for t in trips])
    end: F64 = np.maximum(done, now)
    return end
