"""What a played day leaves for the validator: its bookings, the trips as driven, and every decision with picks."""

from __future__ import annotations

import math

import numpy as np

from qdispatch_domain.day_record import (
    BookingRecord,
    DayRecord,
    DecisionEntry,
    HomeDrive,
    NoiseBounds,
    TripRecord,
    UnservedCause,
    UnservedRecord,
)
from qdispatch_domain.decision import Pick
from qdispatch_domain.insertion import Insertions
from qdispatch_trainer.day import F64
from qdispatch_trainer.generator import noise_range
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.day_cost import home_drives
from qdispatch_trainer.simulator.progress import IDLE, Fate
from qdispatch_trainer.simulator.snapshots import SnapshotWriter


class DayLog:
    """The decisions of a batch as they are made. Snapshots are big: log the days that are to be validated, not all."""

    def __init__(self) -> None:
        self._entries: dict[int, list[DecisionEntry]] = {}

    def add(self, batch: DayBatch, chosen: Insertions, promised: F64) -> None:
        """Log one pass of picks [M], before it is committed to `batch`."""
        for n in np.unique(chosen.day):
            snapshot = batch.snapshot(int(n))
            row = {booking.id: index for index, booking in enumerate(snapshot.bookings)}
            ids = batch.truth.days[n].bookings.ids
            picks = tuple(
                Pick(
                    booking=row[ids[chosen.booking[k]]],
                    driver=int(chosen.driver[k]),
                    position=int(chosen.position[k]),
                    pickup_time=float(chosen.pickup[k]),
                    promised_pickup_time=float(promised[k]),
                )
                for k in np.flatnonzero(chosen.day == n)
            )
            self._entries.setdefault(int(n), []).append(DecisionEntry(snapshot, picks))

    def decisions(self, n: int) -> tuple[DecisionEntry, ...]:
        """The decisions of day `n` so far."""
        return tuple(self._entries.get(n, ()))


def day_record(batch: DayBatch, n: int, log: DayLog) -> DayRecord:
    """Day `n` of a finished batch as the validator reads it. ValueError while the day still runs."""
    if not batch.over[n]:
        raise ValueError(f"Expected day {n} to be over.")
    truth, progress = batch.truth, batch.progress
    day = truth.days[n]
    rows = day.bookings
    writer = SnapshotWriter(truth)
    places = writer.places(n)
    low, high = noise_range(day.scenario.travel_sigma)
    service_low, service_high = noise_range(day.scenario.service_sigma)
    bookings = tuple(
        BookingRecord(
            booking=writer.booking(n, b, math.inf, other_leg_seen=True),
            known_at=float(rows.known_since[b]),
            needs_call=bool(rows.call_when_ready[b]),
            called_at=float(rows.ready_at[b]) if rows.call_when_ready[b] else None,
        )
        for b in range(len(rows))
    )
    trips = []
    for b in np.flatnonzero(progress.fate[n] == Fate.DONE):
        driver = day.drivers[int(progress.driver[n, b])]
        before = int(progress.came_from[n, b])
        start = driver.start_location if before == IDLE else places[before][1]
        if start is None:
            raise ValueError(f"Expected a start_location of driver {driver.id!r}.")
        trips.append(
            TripRecord(
                booking_id=rows.ids[b],
                driver_id=driver.id,
                departed_from=start,
                departed_at=float(progress.departed_at[n, b]),
                arrived_at=float(progress.arrived_at[n, b]),
                picked_up_at=float(progress.picked_up_at[n, b]),
                left_pickup_at=float(progress.left_pickup_at[n, b]),
                reached_dropoff_at=float(progress.reached_dropoff_at[n, b]),
                done_at=float(progress.done_at[n, b]),
            )
        )
    homeward = home_drives(truth, progress)
    return DayRecord(
        drivers=day.drivers,
        bookings=bookings,
        trips=tuple(trips),
        unserved=tuple(
            UnservedRecord(rows.ids[b], UnservedCause.EXPIRED, float(truth.expires[n, b]))
            for b in np.flatnonzero(progress.fate[n] == Fate.UNSERVED)
        ),
        decisions=log.decisions(n),
        noise=NoiseBounds(low, high, service_low, service_high),
        home_drives=tuple(
            HomeDrive(day.drivers[int(d)].id, places[int(progress.last_done[n, d])][1], float(departed), float(arrived))
            for m, d, departed, arrived in zip(
                homeward.day, homeward.driver, homeward.departed_at, homeward.arrived_at, strict=True
            )
            if m == n
        ),
    )
