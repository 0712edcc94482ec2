"""What N days hold, stacked into arrays: drivers, bookings and everything that will happen. Never changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from qdispatch_domain.snapshot import DriverKind, Location
from qdispatch_domain.travel import Travel, places_from_degrees
from qdispatch_domain.weights import RULES
from qdispatch_trainer.day import BOOL, F64, I64, Day


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """N days of up to D drivers and B bookings; rows beyond a day's own are padding. Times in service-day minutes."""

    days: tuple[Day, ...]
    travel: Travel
    start: F64  # [N]
    # drivers, [N, D]
    driver_real: BOOL
    regular: BOOL
    start_place: F64  # [N, D, 4]
    home: F64  # [N, D, 4]
    has_home: BOOL
    homeward_factor: F64
    # bookings, [N, B]
    booking_real: BOOL
    pickup: F64  # [N, B, 4]
    dropoff: F64  # [N, B, 4]
    loaded: F64  # free-flow minutes from pickup to dropoff
    is_return: BOOL
    urgent: BOOL
    wheelchair: BOOL
    passengers: I64
    scheduled: F64
    tolerance: F64
    known_since: F64  # never (infinite) in padding
    ready_at: F64  # never (infinite) in padding
    linked: I64
    deadhead_factor: F64
    loaded_factor: F64
    pickup_service: F64  # realised minutes
    dropoff_service: F64  # realised minutes

    @property
    def expires(self) -> F64:
        """When a booking that was not inserted is UNSERVED for good, [N, B]."""
        return self.scheduled + RULES.latest_insertion_min

    def take(self, rows: I64) -> Truth:
        """Days `rows` [M], in that order; a day may come several times."""
        parts = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name not in ("days", "travel")}
        return Truth(days=tuple(self.days[row] for row in rows.tolist()), travel=self.travel, **parts)


def stack(days: Sequence[Day]) -> Truth:
    """Truth of the given days; padded to the largest scenario's maxima, so that a day is the same in any batch."""
    if not days:
        raise ValueError("Expected at least one day.")
    drivers = max(day.scenario.max_drivers for day in days)
    bookings = max(day.scenario.max_bookings for day in days)

    def of_bookings(name: str, fill: float = 0.0) -> F64:
        out = np.full((len(days), bookings), fill)
        for n, day in enumerate(days):
            out[n, : len(day.bookings)] = getattr(day.bookings, name)
        return out

    def of_drivers(values: Sequence[Sequence[float]], fill: float = 0.0) -> F64:
        out = np.full((len(days), drivers), fill)
        for n, row in enumerate(values):
            out[n, : len(row)] = row
        return out

    def places(which: Sequence[Sequence[Location | None]]) -> F64:
        nowhere = Location(0.0, 0.0)
        latitude = of_drivers([[(p or nowhere).latitude for p in row] for row in which])
        longitude = of_drivers([[(p or nowhere).longitude for p in row] for row in which])
        return places_from_degrees(latitude, longitude)

    real = of_bookings("passengers") > 0
    is_return = of_bookings("is_return") > 0
    pickup = places_from_degrees(of_bookings("pickup_latitude"), of_bookings("pickup_longitude"))
    dropoff = places_from_degrees(of_bookings("dropoff_latitude"), of_bookings("dropoff_longitude"))
    travel = Travel()
    return Truth(
        days=tuple(days),
        travel=travel,
        start=np.array([day.start for day in days]),
        driver_real=of_drivers([[1.0] * len(day.drivers) for day in days]) > 0,
        regular=of_drivers([[d.kind is DriverKind.REGULAR for d in day.drivers] for day in days]) > 0,
        start_place=places([[d.start_location for d in day.drivers] for day in days]),
        home=places([[d.end_location for d in day.drivers] for day in days]),
        has_home=of_drivers([[d.end_location is not None for d in day.drivers] for day in days]) > 0,
        homeward_factor=of_drivers([day.homeward_factor.tolist() for day in days], fill=1.0),
        booking_real=real,
        pickup=pickup,
        dropoff=dropoff,
        loaded=travel.free_flow(pickup, dropoff),
        is_return=is_return,
        urgent=of_bookings("urgent") > 0,
        wheelchair=of_bookings("wheelchair") > 0,
        passengers=of_bookings("passengers").astype(np.int64),
        scheduled=of_bookings("scheduled_time"),
        tolerance=np.where(is_return, RULES.return_tolerance_min, RULES.outbound_tolerance_min),
        known_since=of_bookings("known_since", fill=np.inf),
        ready_at=of_bookings("ready_at", fill=np.inf),
        linked=of_bookings("linked", fill=-1).astype(np.int64),
        deadhead_factor=of_bookings("deadhead_factor", fill=1.0),
        loaded_factor=of_bookings("loaded_factor", fill=1.0),
        pickup_service=RULES.pickup_service_min * of_bookings("pickup_service_factor", fill=1.0),
        dropoff_service=RULES.dropoff_service_min * of_bookings("dropoff_service_factor", fill=1.0),
    )
