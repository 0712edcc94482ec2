from __future__ import annotations

import math
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from qdispatch_server.service_day import ServiceDay, known_zones


def seconds(year: int, month: int, day: int, hour: int, minute: int, zone: str) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone)).timestamp())


@pytest.mark.parametrize(
    ("zone", "clock"),
    [
        ("Europe/Zurich", (2026, 11, 23, 9, 10)),
        ("Europe/Zurich", (2026, 7, 1, 23, 59)),
        ("America/New_York", (2026, 11, 23, 0, 0)),
        ("Asia/Kathmandu", (2026, 11, 23, 12, 30)),  # UTC+5:45
        ("Pacific/Kiritimati", (2026, 1, 1, 0, 1)),  # UTC+14
        ("UTC", (2026, 11, 23, 23, 59)),
    ],
)
def test_minutes_are_the_wall_clock_of_an_ordinary_day(zone: str, clock: tuple[int, int, int, int, int]) -> None:
    now = seconds(*clock, zone)
    assert ServiceDay.of(now, zone).minutes(Timestamp(seconds=now)) == clock[3] * 60 + clock[4]


def test_the_offset_is_that_of_now_all_day() -> None:
    """The night of 2026-10-25 turns 3:00 into 2:00."""
    evening = seconds(2026, 10, 25, 20, 0, "Europe/Zurich")
    assert ServiceDay.of(evening, "Europe/Zurich").minutes(Timestamp(seconds=evening)) == 1200.0
    early = seconds(2026, 10, 25, 1, 0, "Europe/Zurich")
    assert ServiceDay.of(early, "Europe/Zurich").minutes(Timestamp(seconds=early)) == 60.0


@given(st.integers(0, 2**31), st.integers(0, 999_999), st.sampled_from(["Europe/Zurich", "Asia/Kathmandu", "UTC"]))
def test_an_instant_comes_back_to_the_microsecond(instant: int, micros: int, zone: str) -> None:
    day = ServiceDay.of(instant, zone)
    there = Timestamp(seconds=instant, nanos=micros * 1000)
    back = Timestamp()
    day.write(day.minutes(there), back)
    assert back == there


@given(st.floats(-3000, 5000))
def test_minutes_come_back_within_a_microsecond(minutes: float) -> None:
    day = ServiceDay.of(seconds(2026, 11, 23, 9, 0, "Europe/Zurich"), "Europe/Zurich")
    there = Timestamp()
    day.write(minutes, there)
    assert 0 <= there.nanos < 10**9
    assert math.isclose(day.minutes(there), minutes, abs_tol=1e-7)


def test_zones_are_there_even_without_the_system_s() -> None:
    assert {"Europe/Zurich", "America/New_York", "UTC"} <= known_zones()
    assert "Europe" not in known_zones()
