from dataclasses import replace

import numpy as np
import pytest

from qdispatch_domain.fleet import NEVER, Fleet
from qdispatch_domain.packing import booking_gap, pack
from qdispatch_domain.reasons import BookingGap, DriverGap
from qdispatch_domain.snapshot import Booking, Driver, Position, TripStatus
from qdispatch_domain.travel import degrees_from_places
from tests.domain.random_snapshots import random_snapshot
from tests.domain.situations import at, booking, driver, snapshot, trip

NOW = 600.0


def _km(fleet: Fleet) -> float:
    """Road kilometre of the first driver's anchor."""
    latitude, _ = degrees_from_places(fleet.anchor_place[0, 0])
    return float((latitude - 46.2) / (at(1.0).latitude - 46.2))


DONE = trip("z", 0, 7, 500, status=TripStatus.DONE, done_at=590.0)
ONBOARD = trip("z", 5, 10, 590, status=TripStatus.ONBOARD, picked_up_at=595.0, departed_at=580.0)
EN_ROUTE = trip("z", 5, 10, 600, status=TripStatus.EN_ROUTE, departed_at=596.0)


@pytest.mark.parametrize(
    ("who", "time", "km", "why"),
    [
        (driver("d", 3.0), 600.0, 3.0, "a fresh position"),
        (driver("d", position=Position(at(3.0), 586.0)), 600.0, 3.0, "fresh means 15 minutes"),
        (driver("d", 3.0, trips=(DONE,)), 600.0, 3.0, "seen after the trip"),
        (
            driver("d", position=Position(at(3.0), 589.0), trips=(DONE,)),
            600.0,
            7.0,
            "the trip ended after the sighting",
        ),
        (driver("d", position=None, trips=(DONE,)), 600.0, 7.0, "the last trip's dropoff"),
        (
            driver("d", position=None, start_location=at(4.0), shift_start=620.0),
            620.0,
            4.0,
            "before the shift: the start",
        ),
        (driver("d", trips=(ONBOARD,)), 620.0, 10.0, "595 + 5 + 10 min + 10"),
        (driver("d", position=Position(at(2.0), 598.0), trips=(EN_ROUTE,)), 629.0, 10.0, "seen 3 km before the pickup"),
        (driver("d", position=None, start_location=at(4.0), trips=(EN_ROUTE,)), 625.0, 10.0, "left the start at 596"),
        (driver("d", 3.0, shift_start=640.0), 640.0, 3.0, "not before the shift"),
    ],
)
def test_where_a_driver_is(who: Driver, time: float, km: float, why: str) -> None:
    fleet = pack([snapshot([who], [])])
    assert fleet.driver_gap[0, 0] == DriverGap.NONE, why
    assert fleet.anchor_time[0, 0] == pytest.approx(time), why
    assert _km(fleet) == pytest.approx(km), why


@pytest.mark.parametrize(
    ("who", "gap", "why"),
    [
        (driver("d", available=False), DriverGap.UNAVAILABLE, "says so"),
        (driver("d", shift_end=None), DriverGap.NO_SHIFT, "no roster is not an endless shift"),
        (driver("d", position=None), DriverGap.POSITION_UNKNOWN, "nothing locates the driver"),
        (driver("d", position=Position(at(3.0), 584.0)), DriverGap.POSITION_UNKNOWN, "16 minutes are old"),
        (driver("d", position=None, start_location=at(1.0)), DriverGap.POSITION_UNKNOWN, "the shift has begun"),
        (driver("d", position=None, trips=(EN_ROUTE,)), DriverGap.POSITION_UNKNOWN, "en route from nowhere"),
    ],
)
def test_gaps_of_drivers_are_reported_not_filled(who: Driver, gap: DriverGap, why: str) -> None:
    fleet = pack([snapshot([who], [])])
    assert fleet.driver_gap[0, 0] == gap, why
    assert not fleet.usable.any(), why


@pytest.mark.parametrize(
    ("row", "gap"),
    [
        (booking("b", 1, 2, 650.0), BookingGap.OPEN),
        (booking("b", 1, 2, 650.0, time_confirmed=False), BookingGap.NOT_READY),
        (booking("b", 1, 2, 650.0, scheduled_time=None), BookingGap.NO_SCHEDULED_TIME),
        (booking("b", 1, 2, 650.0, pickup=None), BookingGap.NO_PICKUP),
        (booking("b", 1, 2, 650.0, dropoff=None), BookingGap.NO_DROPOFF),
        (booking("b", 1, 2, 540.0), BookingGap.EXPIRED),
        (booking("b", 1, 2, 540.1), BookingGap.OPEN),
    ],
)
def test_gaps_of_bookings(row: Booking, gap: BookingGap) -> None:
    assert booking_gap(row, NOW) is gap
    fleet = pack([snapshot([], [row])])
    assert bool(fleet.open[0, 0]) is (gap is BookingGap.OPEN)


def test_links_defaults_and_the_planned_driver() -> None:
    rows = [
        booking("out", 1, 2, 650.0, linked_booking_id="back"),
        booking("back", 2, 1, 800.0, linked_booking_id="gone"),
    ]
    who = [driver("a"), driver("b", trips=(trip("gone", 1, 2, 700.0),))]
    fleet = pack([snapshot(who, [rows[0], rows[1]])])
    assert fleet.linked_booking[0].tolist() == [1, -1]
    assert fleet.linked_driver[0].tolist() == [-1, 1]
    assert fleet.tolerance[0].tolist() == [0.0, 0.0]
    assert fleet.pickup_service[0].tolist() == [5.0, 5.0]
    with pytest.raises(ValueError, match="current_driver_id"):
        pack([snapshot(who, [booking("x", 1, 2, 650.0, current_driver_id="nobody")])])


def test_days_of_different_size_are_padded() -> None:
    fleet = pack([snapshot([driver("a")], []), snapshot([driver("a"), driver("b")], [booking("x", 1, 2, 650.0)])])
    assert fleet.driver_real.tolist() == [[True, False], [True, True]]
    assert fleet.open.tolist() == [[False], [True]]
    assert np.all(np.isfinite(fleet.anchor_time))


def test_a_driver_among_others_is_packed_as_alone() -> None:
    names = ("driver_gap", "locked", "shift_start", "shift_end", "anchor_time", "anchor_place", "has_home", "home")
    running = 0
    for seed in range(60):
        day = random_snapshot(np.random.default_rng(seed), drivers=(2, 12))
        fleet = pack([day])
        for i, who in enumerate(day.drivers):
            alone = pack([replace(day, drivers=(who,), bookings=())])
            for name in names:
                np.testing.assert_array_equal(getattr(fleet, name)[0, i], getattr(alone, name)[0, 0], err_msg=name)
            pauses = sorted((pause.start, pause.end) for pause in who.breaks)
            packed = list(zip(fleet.break_start[0, i].tolist(), fleet.break_end[0, i].tolist(), strict=True))
            assert packed[: len(pauses)] == pauses
            assert set(packed[len(pauses) :]) <= {(NEVER, NEVER)}
        running += int((fleet.locked.sum() > 1) and (fleet.driver_gap[fleet.locked] == 0).any())
    assert running > 5, "some days have several trips on the road"


def test_a_running_trip_without_its_times_is_refused() -> None:
    broken = {"picked_up_at": replace(ONBOARD, picked_up_at=None), "departed_at": replace(EN_ROUTE, departed_at=None)}
    for field, running in broken.items():
        with pytest.raises(ValueError, match=field):
            pack([snapshot([driver("d", trips=(running,))], [])])


def test_bookings_with_gaps_keep_the_places_of_the_others() -> None:
    rows = [booking("a", 1, 2, 650.0), booking("b", 3, 4, 650.0, pickup=None), booking("c", 5, 7, 650.0)]
    fleet, apart = pack([snapshot([], rows)]), [pack([snapshot([], [row])]) for row in rows]
    for name in ("pickup", "dropoff", "loaded", "tolerance", "booking_gap", "open", "scheduled", "pickup_service"):
        found = getattr(fleet, name)[0]
        np.testing.assert_array_equal(found, [getattr(alone, name)[0, 0] for alone in apart], err_msg=name)
    assert fleet.loaded[0].tolist() == pytest.approx([2.0, 0.0, 4.0])
