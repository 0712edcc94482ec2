"""Bookings that may still come up within the next hour or two, sampled: what is known only as a habit of the company.

A future of a day consists of the returns whose patients have not called yet, each at a sampled time, and of the
bookings nobody has announced, those of another day of the same kind. It stays the same all day as far as the clock
permits, so that plans made a minute apart differ by what has happened, not by the draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qdispatch_domain.fleet import Fleet
from qdispatch_domain.reasons import BookingGap
from qdispatch_domain.weights import RULES
from qdispatch_trainer.day import BOOL, F64, I64, Day
from qdispatch_trainer.futures.alike import days_alike
from qdispatch_trainer.futures.calls import CallTimes
from qdispatch_trainer.simulator.truth import Truth, stack

OF_TRUTH = ("scheduled", "tolerance", "loaded", "pickup", "dropoff", "is_return", "urgent", "wheelchair", "passengers")


@dataclass(frozen=True, slots=True)
class Expected:
    """M bookings that may come up, ordered by (day, future)."""

    day: I64  # [M] row of the fleet
    future: I64
    scheduled: F64
    tolerance: F64
    loaded: F64
    pickup: F64  # [M, 4]
    dropoff: F64  # [M, 4]
    outbound: BOOL
    urgent: BOOL
    wheelchair: BOOL
    passengers: I64

    pickup_service: float = RULES.pickup_service_min
    dropoff_service: float = RULES.dropoff_service_min


class Futures:
    """`count` futures of each of N days that are played side by side. `seed` keys all random numbers."""

    def __init__(self, days: Sequence[Day], count: int, ahead_min: float, seed: Sequence[int]) -> None:
        self.count = count
        self._ahead_min = ahead_min
        self._truth: Truth = stack(days)
        self._alike = days_alike(days, count, (*seed, 1))
        self._calls = CallTimes(self._truth)
        shape = (len(days), count, self._truth.scheduled.shape[1])
        self._share = np.random.default_rng((*seed, 2)).random(shape)  # which part of the possible calls comes before

    def expected(self, fleet: Fleet, days: I64) -> Expected:
        """What may come up on the fleet's rows `days` until `ahead_min` minutes from their now."""
        returns, unknown = self._returns(fleet, days), self._unknown(fleet, days)
        day, future, *rest = (np.concatenate(parts) for parts in zip(returns, unknown, strict=True))
        order = np.lexsort((future, day))
        scheduled, tolerance, loaded, pickup, dropoff, is_return, urgent, wheelchair, passengers = (
            part[order] for part in rest
        )
        return Expected(
            day[order],
            future[order],
            scheduled,
            tolerance,
            loaded,
            pickup,
            dropoff,
            ~is_return.astype(np.bool_),
            urgent,
            wheelchair,
            passengers,
        )

    def _returns(self, fleet: Fleet, days: I64) -> list[np.ndarray]:
        """Returns that have not been called for."""
        waiting = (fleet.booking_gap[days] == BookingGap.NOT_READY) & fleet.booking_real[days]
        row, booking = np.nonzero(waiting)
        day = np.repeat(days[row], self.count)
        booking = np.repeat(booking, self.count)
        future = np.tile(np.arange(self.count), len(row))
        call = self._calls.at(day, booking, fleet.now[day], self._share[day, future, booking])
        soon = call < fleet.now[day] + self._ahead_min
        day, booking, future = day[soon], booking[soon], future[soon]
        parts = [getattr(self._truth, name)[day, booking] for name in OF_TRUTH]
        return [day, future, call[soon], *parts[1:]]

    def _unknown(self, fleet: Fleet, days: I64) -> list[np.ndarray]:
        """Bookings of the days alike that nobody would know of by now."""
        other = (days[:, None] * self.count + np.arange(self.count)).ravel()  # [days * count]
        now = np.repeat(fleet.now[days], self.count)[:, None]
        alike = self._alike
        coming = alike.booking_real[other] & (alike.known_since[other] > now)
        coming &= alike.scheduled[other] < now + self._ahead_min
        row, booking = np.nonzero(coming)
        source = other[row]
        return [
            source // self.count,
            source % self.count,
            *(getattr(alike, name)[source, booking] for name in OF_TRUTH),
        ]
