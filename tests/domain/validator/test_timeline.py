"""The validator's own schedule: anchors and times of tiny drivers by hand (every drive takes 10 minutes)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qdispatch_domain.reasons import DriverGap
from qdispatch_domain.snapshot import Break, Driver, Location, Position, TripStatus
from qdispatch_domain.validator.roads import Roads
from qdispatch_domain.validator.timeline import Anchor, anchor_of, drive, driver_gap
from tests.domain.validator.tiny_fleet import PLACES, driver, matrix, trip

ROADS = Roads(matrix())
DONE = trip("done", 440.0, status=TripStatus.DONE, dropoff=PLACES[7], done_at=470.0)
RIDING = trip("on", 470.0, status=TripStatus.ONBOARD, picked_up_at=470.0, dropoff=PLACES[5])
LEAVING = trip("way", 470.0, status=TripStatus.EN_ROUTE, departed_at=476.0, dropoff=PLACES[5])
START = PLACES[8]


@pytest.mark.parametrize(
    "row, time, place, reason",
    [
        (driver("a"), 480.0, PLACES[0], "fresh position"),
        (driver("a", shift_start=500.0), 500.0, PLACES[0], "the shift starts later"),
        (driver("a", trips=(DONE,)), 480.0, PLACES[0], "the position is newer than the last trip's end"),
        (driver("a", trips=(DONE,), position=Position(PLACES[0], 469.0)), 480.0, PLACES[7], "the last trip is newer"),
        (driver("a", trips=(DONE,), position=None), 480.0, PLACES[7], "no position, but a trip done"),
        (driver("a", position=None, shift_start=480.0, start_location=START), 480.0, START, "the shift starts now"),
        (driver("a", trips=(RIDING,)), 495.0, PLACES[5], "picked up 470, 5 + 10 + 10 minutes later"),
        (driver("a", trips=(replace(RIDING, picked_up_at=440.0),)), 480.0, PLACES[5], "overdue: not before now"),
        (driver("a", trips=(LEAVING,)), 515.0, PLACES[5], "drives from the position of 480 on: there at 490"),
        (
            driver("a", trips=(LEAVING,), position=Position(PLACES[0], 460.0)),
            511.0,
            PLACES[5],
            "an old position: drives since its departure at 476, there at 486",
        ),
        (driver("a", trips=(DONE, LEAVING), position=None), 511.0, PLACES[5], "from the last dropoff at 476"),
        (driver("a", trips=(LEAVING,), position=None, start_location=START), 511.0, PLACES[5], "from the start at 476"),
        (
            driver("a", trips=(replace(LEAVING, scheduled_time=500.0),)),
            525.0,
            PLACES[5],
            "waits for the scheduled time",
        ),
    ],
)
def test_where_a_driver_is(row: Driver, time: float, place: Location, reason: str) -> None:
    assert anchor_of(row, 480.0, ROADS) == Anchor(pytest.approx(time), place), reason  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "row, gap, reason",
    [
        (driver("a"), DriverGap.NONE, "all there"),
        (driver("a", available=False, shift_start=None), DriverGap.UNAVAILABLE, "the first reason counts"),
        (driver("a", shift_end=None), DriverGap.NO_SHIFT, "half a shift is none"),
        (driver("a", position=Position(PLACES[0], 464.9)), DriverGap.POSITION_UNKNOWN, "15.1 minutes old"),
        (driver("a", position=Position(PLACES[0], 465.0)), DriverGap.NONE, "15 minutes old"),
        (driver("a", position=None, start_location=START), DriverGap.POSITION_UNKNOWN, "the shift started long ago"),
        (driver("a", position=None, trips=(LEAVING,)), DriverGap.POSITION_UNKNOWN, "on the way from nowhere"),
    ],
)
def test_why_a_driver_is_left_out(row: Driver, gap: DriverGap, reason: str) -> None:
    assert driver_gap(row, 480.0, ROADS) is gap, reason


def test_leaves_to_be_there_five_minutes_early() -> None:
    (leg,) = drive(driver("a"), Anchor(480.0, PLACES[0]), [trip("k", 600.0)], ROADS).legs
    assert (leg.departed, leg.arrived, leg.pickup, leg.end) == (585.0, 595.0, 600.0, 625.0)


def test_not_before_the_shift_starts() -> None:
    (leg,) = drive(driver("a", shift_start=598.0), Anchor(480.0, PLACES[0]), [trip("k", 600.0)], ROADS).legs
    assert (leg.departed, leg.pickup) == (598.0, 608.0)


@pytest.mark.parametrize(
    "breaks, departed, reason",
    [
        ((Break(625.0, 655.0),), 585.0, "the trip ends as the break begins"),
        ((Break(624.0, 654.0),), 654.0, "it would end a minute into it"),
        ((Break(555.0, 585.0),), 585.0, "the break ends as the driver leaves"),
        ((Break(556.0, 586.0),), 586.0, "a minute more"),
        ((Break(690.0, 700.0), Break(624.0, 654.0)), 654.0, "654 + 35 ends before the second one"),
        ((Break(680.0, 700.0), Break(624.0, 654.0)), 700.0, "pushed by one break into the next"),
    ],
)
def test_work_never_overlaps_a_break(breaks: tuple[Break, ...], departed: float, reason: str) -> None:
    (leg,) = drive(driver("a", breaks=breaks), Anchor(480.0, PLACES[0]), [trip("k", 600.0)], ROADS).legs
    assert leg.departed == departed, reason


def test_deadhead_counts_the_empty_legs_and_the_drive_home() -> None:
    row = driver("a", end_location=PLACES[0])
    trips = [trip("k", 600.0), trip("l", 600.0, pickup=PLACES[2])]
    line = drive(row, Anchor(480.0, PLACES[0]), trips, ROADS)
    # 10 to k, none to l (it begins where k ends), 10 home: l is picked up at 625 and ends at 640
    assert [leg.pickup for leg in line.legs] == [600.0, 625.0]
    assert (line.deadhead_min, line.deadhead_km, line.end) == (20.0, 10.0, 650.0)


def test_a_held_driver_leaves_later() -> None:
    legs = drive(driver("a"), Anchor(480.0, PLACES[0]), [trip("k", 600.0)], ROADS, hold={0: 592.0}).legs
    assert legs[0].pickup == 602.0


def test_a_running_trip_without_its_times_is_an_error() -> None:
    with pytest.raises(ValueError, match="picked_up_at"):
        anchor_of(driver("a", trips=(replace(RIDING, picked_up_at=None),)), 480.0, ROADS)
    with pytest.raises(ValueError, match="departed_at"):
        anchor_of(driver("a", trips=(replace(LEAVING, departed_at=None),)), 480.0, ROADS)
    with pytest.raises(ValueError, match="at most one"):
        anchor_of(driver("a", trips=(RIDING, LEAVING)), 480.0, ROADS)
