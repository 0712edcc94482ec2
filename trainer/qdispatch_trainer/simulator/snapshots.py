"""Row form of a running day: the snapshot that an engine would send at this instant."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.fleet import Fleet
from qdispatch_domain.snapshot import Booking, Driver, Leg, Location, Position, Snapshot, Trip, TripStatus
from qdispatch_domain.weights import RULES
from qdispatch_trainer.day import Day
from qdispatch_trainer.simulator.progress import IDLE, Fate, Progress
from qdispatch_trainer.simulator.truth import Truth


class SnapshotWriter:
    """Writes snapshots of the days of one batch; places are made once."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._places: dict[int, tuple[tuple[Location, Location], ...]] = {}

    def places(self, n: int) -> tuple[tuple[Location, Location], ...]:
        """Pickup and dropoff of every booking of day `n`."""
        if n not in self._places:
            rows = self._truth.days[n].bookings
            self._places[n] = tuple(
                (Location(float(a), float(b)), Location(float(c), float(d)))
                for a, b, c, d in zip(
                    rows.pickup_latitude,
                    rows.pickup_longitude,
                    rows.dropoff_latitude,
                    rows.dropoff_longitude,
                    strict=True,
                )
            )
        return self._places[n]

    def snapshot(self, progress: Progress, fleet: Fleet, n: int) -> Snapshot:
        """Day `n` at `progress.now`; `fleet` holds the order of the COMMITTED trips."""
        day = self._truth.days[n]
        now = float(progress.now[n])
        fate = progress.fate[n]
        known = (fate == Fate.OPEN) & (self._truth.known_since[n] <= now)
        seen = known | ((fate >= Fate.COMMITTED) & (fate <= Fate.DONE))
        trips: list[list[int]] = [[] for _ in day.drivers]
        done = np.flatnonzero(fate == Fate.DONE)
        for b in done[np.argsort(progress.done_at[n, done], kind="stable")]:
            trips[int(progress.driver[n, b])].append(int(b))
        for d in range(len(day.drivers)):
            if progress.running[n, d] != IDLE:
                trips[d].append(int(progress.running[n, d]))
            trips[d] += [int(b) for b in fleet.trip_code[n, d, : fleet.n_trips[n, d]]]
        return Snapshot(
            now=now,
            drivers=tuple(self._driver(progress, fleet, n, d, trips[d]) for d in range(len(day.drivers))),
            bookings=tuple(
                self.booking(n, int(b), now, bool(seen[day.bookings.linked[b]])) for b in np.flatnonzero(known)
            ),
        )

    def booking(self, n: int, b: int, now: float, other_leg_seen: bool) -> Booking:
        """Booking `b` of day `n` as known at `now`; infinite: with its true data."""
        day: Day = self._truth.days[n]
        rows = day.bookings
        pickup, dropoff = self.places(n)[b]
        linked = int(rows.linked[b])
        ready = bool(rows.ready_at[b] <= now)
        return Booking(
            id=rows.ids[b],
            pickup=pickup,
            dropoff=dropoff,
            scheduled_time=float(rows.scheduled_time[b]) if ready else None,
            leg=Leg.RETURN if rows.is_return[b] else Leg.OUTBOUND,
            time_confirmed=ready,
            urgent=bool(rows.urgent[b]),
            wheelchair=bool(rows.wheelchair[b]),
            passengers=int(rows.passengers[b]),
            linked_booking_id=rows.ids[linked] if linked >= 0 and other_leg_seen else None,
            known_since=float(rows.known_since[b]),
        )

    def _driver(self, progress: Progress, fleet: Fleet, n: int, d: int, trips: list[int]) -> Driver:
        row = self._truth.days[n].drivers[d]
        now = float(progress.now[n])
        untouched = progress.running[n, d] == IDLE and progress.last_done[n, d] == IDLE
        # Until the first trip the driver waits at the start location; from the shift's start on, that has to be said.
        seen = None
        if untouched and row.start_location is not None and row.shift_start is not None and now > row.shift_start:
            seen = Position(row.start_location, now)
        return Driver(
            id=row.id,
            kind=row.kind,
            available=row.available,
            wheelchair_access=row.wheelchair_access,
            seats=row.seats,
            shift_start=row.shift_start,
            shift_end=row.shift_end,
            position=seen,
            start_location=row.start_location,
            end_location=row.end_location,
            breaks=row.breaks,
            trips=tuple(self._trip(progress, n, b) for b in trips),
            trips_done_today=int(fleet.trips_done[n, d]),
            minutes_driven_today=float(fleet.minutes_driven[n, d]),
            contract_share=row.contract_share,
            window_trips=row.window_trips,
            window_minutes=row.window_minutes,
        )

    def _trip(self, progress: Progress, n: int, b: int) -> Trip:
        rows = self._truth.days[n].bookings
        pickup, dropoff = self.places(n)[b]
        now, fate = progress.now[n], progress.fate[n, b]
        departed = bool(fate >= Fate.RUNNING)
        on_board = departed and bool(progress.picked_up_at[n, b] <= now)
        if fate == Fate.DONE:
            status = TripStatus.DONE
        elif departed:
            status = TripStatus.ONBOARD if on_board else TripStatus.EN_ROUTE
        else:
            status = TripStatus.COMMITTED
        return Trip(
            booking_id=rows.ids[b],
            status=status,
            pickup=pickup,
            dropoff=dropoff,
            leg=Leg.RETURN if rows.is_return[b] else Leg.OUTBOUND,
            scheduled_time=float(rows.scheduled_time[b]),
            promised_pickup_time=float(progress.promised[n, b]),
            tolerance_min=float(self._truth.tolerance[n, b]),
            pickup_service_min=RULES.pickup_service_min,
            dropoff_service_min=RULES.dropoff_service_min,
            urgent=bool(rows.urgent[b]),
            picked_up_at=float(progress.picked_up_at[n, b]) if on_board else None,
            done_at=float(progress.done_at[n, b]) if fate == Fate.DONE else None,
            departed_at=float(progress.departed_at[n, b]) if departed else None,
        )
