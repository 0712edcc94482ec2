"""Why a driver cannot take a booking: the first reason that applies, by hand (every drive takes 10 minutes)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qdispatch_domain.reasons import Refusal
from qdispatch_domain.snapshot import Booking, Break, Driver, DriverKind
from qdispatch_domain.validator.brute_force import refusal
from qdispatch_domain.validator.situation import Situation
from tests.domain.validator.tiny_fleet import PLACES, booking, driver, situation, trip

B = booking("b", 600.0)
FAR_OFF = booking("b", 425.0)  # expires at 485; the earliest pickup is 490


@pytest.mark.parametrize(
    "row, one, reason, why",
    [
        (driver("a", available=False, shift_start=None), B, Refusal.UNAVAILABLE, "before the missing shift"),
        (driver("a", shift_start=None, position=None), B, Refusal.NO_SHIFT, "before the unknown position"),
        (driver("a", position=None), replace(B, pinned=True), Refusal.POSITION_UNKNOWN, "before the pin"),
        (driver("a", wheelchair_access=False), replace(B, pinned=True, wheelchair=True), Refusal.PINNED, "first"),
        (driver("a", wheelchair_access=False, seats=1), replace(B, wheelchair=True, passengers=2),
         Refusal.WHEELCHAIR, "before the seats"),
        (driver("a", shift_end=500.0), replace(B, passengers=9), Refusal.SEATS, "before the shift"),
        (driver("a", shift_start=490.0), FAR_OFF, Refusal.TOO_LATE, "not even without the shift"),
        (driver("a", shift_end=624.0), B, Refusal.SHIFT, "it ends at 625"),
        (driver("a", shift_start=651.0), B, Refusal.SHIFT, "the shift starts too late for 660"),
        (driver("a", shift_end=630.0, end_location=PLACES[0]), B, Refusal.SHIFT, "the drive home ends at 635"),
        (driver("a", breaks=(Break(600.0, 660.0),)), B, Refusal.BREAK, "after the break it is 670, 660 is the latest"),
        (driver("a", breaks=(Break(600.0, 645.0),), shift_end=660.0), B, Refusal.BREAK, "the break and the shift"),
        (driver("a", trips=(trip("k", 590.0), trip("l", 650.0))), B, Refusal.TIME_CONFLICT, "no room beside k and l"),
        (driver("a", kind=DriverKind.EMERGENCY), B, None, "the reserve could; that it may not is no reason of its own"),
        (driver("a"), B, None, "nothing speaks against it"),
    ],
)  # fmt: skip
def test_the_first_reason_counts(row: Driver, one: Booking, reason: Refusal | None, why: str) -> None:
    other = driver("other", wheelchair_access=True)
    assert refusal(Situation(situation(one, drivers=(row, other))), one, 0) == reason, why
