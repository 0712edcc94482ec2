import dataclasses
from typing import Any

import numpy as np
import pytest

from qdispatch_domain.snapshot import DriverKind
from qdispatch_trainer import generator
from qdispatch_trainer.day import Day, DayBookings
from qdispatch_trainer.generator import Draw, generate_day, noise_range
from qdispatch_trainer.roster import roster
from qdispatch_trainer.scenarios import SCENARIOS, Scenario
from qdispatch_trainer.seeds import SeedRangeError

FLEET = SCENARIOS["fleet-10x60"]
PINNED = {
    "scheduled_time": [690.0, 959.955523, 600.0, 810.0],
    "pickup_latitude": [46.235272, 46.227176, 46.129076, 46.241745],
    "loaded_factor": [0.76062, 1.314555, 0.811367, 0.976198],
}


def _same(a: Any, b: Any) -> bool:
    return a == b if isinstance(a, tuple) else bool(np.array_equal(a, b))


def _differing(a: DayBookings, b: DayBookings) -> set[str]:
    names = [field.name for field in dataclasses.fields(DayBookings)]
    return {name for name in names if not _same(getattr(a, name), getattr(b, name))}


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_a_day_replays_to_the_bit_and_another_seed_gives_another(name: str) -> None:
    first, again, other = (generate_day(SCENARIOS[name], seed) for seed in (7, 7, 8))
    assert not _differing(first.bookings, again.bookings)
    assert first.drivers == again.drivers
    assert np.array_equal(first.homeward_factor, again.homeward_factor)
    assert {"scheduled_time", "deadhead_factor"} <= _differing(first.bookings, other.bookings)


def test_a_known_day_keeps_its_numbers() -> None:
    """Published tables name seeds: if this test breaks, the days behind those seeds have changed."""
    bookings = generate_day(FLEET, 2_000_000).bookings
    assert bookings.scheduled_time[:4].round(6).tolist() == PINNED["scheduled_time"]
    assert bookings.pickup_latitude[:4].round(6).tolist() == PINNED["pickup_latitude"]
    assert bookings.loaded_factor[:4].round(6).tolist() == PINNED["loaded_factor"]


@pytest.mark.parametrize(
    ("change", "touched"),
    [
        ({"travel_sigma": 0.3}, {"deadhead_factor", "loaded_factor"}),
        ({"service_sigma": 0.4}, {"pickup_service_factor", "dropoff_service_factor"}),
        ({"wheelchair_share": 0.6}, {"wheelchair"}),
        ({"urgent_share": 0.5}, {"urgent", "known_since", "ready_at"}),
    ],
)
def test_numbers_belong_to_a_purpose(change: dict[str, Any], touched: set[str]) -> None:
    """Changing one parameter leaves every number of another purpose as it was."""
    before = generate_day(FLEET, 3).bookings
    after = generate_day(dataclasses.replace(FLEET, **change), 3).bookings
    assert _differing(before, after) == touched


def test_purposes_have_numbers_of_their_own() -> None:
    streams = generator._Streams(FLEET, 1)
    firsts = {float(streams(draw).random()) for draw in Draw}
    assert len(firsts) == len(Draw)


def test_a_seed_of_no_range_is_refused() -> None:
    with pytest.raises(SeedRangeError):
        generate_day(FLEET, -1)


@pytest.fixture(scope="module", params=list(SCENARIOS))
def days(request: pytest.FixtureRequest) -> list[Day]:
    scenario: Scenario = SCENARIOS[request.param]
    count = 200 if scenario.max_bookings <= 60 else 10
    return [generate_day(scenario, seed) for seed in range(count)]


def test_sizes_stay_within_the_scenario(days: list[Day]) -> None:
    for day in days:
        regular = sum(driver.kind is DriverKind.REGULAR for driver in day.drivers)
        assert len(day.drivers) == regular + day.scenario.emergency_drivers(regular) <= day.scenario.max_drivers
        assert len(day.bookings) <= day.scenario.max_bookings
        if day.scenario.legs is not None:
            assert len(day.bookings) == day.scenario.legs


def test_pairs_are_an_outbound_and_its_return(days: list[Day]) -> None:
    for day in days:
        b = day.bookings
        out = np.flatnonzero((b.linked >= 0) & ~b.is_return)
        back = b.linked[out]
        assert np.array_equal(b.linked[back], out)
        assert b.is_return[back].all()
        assert np.array_equal(b.pickup_latitude[out], b.dropoff_latitude[back])
        assert np.array_equal(b.dropoff_longitude[out], b.pickup_longitude[back])
        assert np.array_equal(b.wheelchair[out], b.wheelchair[back])
        assert (b.scheduled_time[back] - b.scheduled_time[out] >= 60.0).all()
        assert (b.known_since[back] >= b.known_since[out]).all()


def test_what_is_known_when(days: list[Day]) -> None:
    for day in days:
        b = day.bookings
        notice = b.scheduled_time - b.known_since
        assert (b.known_since >= day.start).all()
        assert (notice >= 0.0).all()
        assert not b.call_when_ready[~b.is_return].any()
        assert np.array_equal(b.ready_at[b.call_when_ready], b.scheduled_time[b.call_when_ready])
        assert np.array_equal(b.ready_at[~b.call_when_ready], b.known_since[~b.call_when_ready])
        assert (notice[b.urgent & ~b.call_when_ready] <= 15.0).all()
        later = ~b.urgent & ~b.is_return & (b.known_since > day.start)
        assert ((notice[later] >= 60.0) & (notice[later] <= 240.0)).all()


def test_noise_is_bounded_as_stated(days: list[Day]) -> None:
    for day in days:
        for sigma, names in (
            (day.scenario.travel_sigma, ("deadhead_factor", "loaded_factor")),
            (day.scenario.service_sigma, ("pickup_service_factor", "dropoff_service_factor")),
        ):
            low, high = noise_range(sigma)
            for name in names:
                factor = getattr(day.bookings, name)
                assert ((factor >= low) & (factor <= high)).all()


def test_rosters_are_eight_hours_with_a_break_inside(days: list[Day]) -> None:
    for day in days:
        for driver in day.drivers:
            assert driver.shift_start is not None
            assert driver.shift_end is not None
            hours = (driver.shift_end - driver.shift_start) / 60.0
            assert hours == (8.0 if driver.kind is DriverKind.REGULAR else 12.75)
            (pause,) = driver.breaks
            assert pause.end - pause.start == 30.0
            assert driver.shift_start + 90.0 <= pause.start
            assert pause.end <= driver.shift_end - 60.0
            assert driver.start_location is not None
            assert driver.end_location in (None, driver.start_location)


@pytest.mark.parametrize("drivers", [4, 10, 30, 100])
def test_rosters_follow_the_demand(drivers: int) -> None:
    """Most drivers are there for the peaks of 9 h and 13 h, and from four drivers on somebody is from 7 h to 17:30."""
    starts = np.array(roster(drivers, 5.8 * drivers, 480.0))

    def on_duty(at: float) -> float:
        return float(np.mean((starts <= at) & (at < starts + 480.0)))

    assert on_duty(555.0) >= 0.7
    assert on_duty(795.0) == 1.0
    assert min(on_duty(at) for at in range(420, 1050, 15)) > 0.0
    assert on_duty(960.0) < 0.7


def test_half_of_the_vehicles_take_wheelchairs(days: list[Day]) -> None:
    for day in days:
        regular = [d.wheelchair_access for d in day.drivers if d.kind is DriverKind.REGULAR]
        assert sum(regular) == -(-len(regular) // 2)
        assert any(d.wheelchair_access for d in day.drivers if d.kind is DriverKind.EMERGENCY)
