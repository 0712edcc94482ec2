"""The kernels say what numpy says, on situations with everything that a real day may hold."""

import numpy as np
import pytest

from qdispatch_domain.acceleration import kernels
from qdispatch_domain.candidates import CANDIDATES, candidate_table, candidate_table_numpy
from qdispatch_domain.cost import committed_cost
from qdispatch_domain.encoding import encode, encode_numpy
from qdispatch_domain.events import next_event, next_event_numpy
from qdispatch_domain.fleet import Fleet
from qdispatch_domain.packing import pack
from qdispatch_domain.rows import added_kilometers, added_kilometers_numpy
from tests.domain.random_snapshots import random_snapshot
from tests.domain.same_tables import assert_same, assert_same_observations, assert_same_tables
from tests.domain.situations import booking, driver, snapshot

SMALL, LARGE = (0, 12), (17, 40)  # drivers; above 16 only the nearest are timed


def draw(seed: int, drivers: tuple[int, int], bookings: tuple[int, int], matrix: bool | None = None) -> Fleet:
    return pack([random_snapshot(np.random.default_rng(seed), drivers=drivers, bookings=bookings, matrix=matrix)])


def test_the_kernels_are_what_is_tested_here() -> None:
    assert kernels() is not None


@pytest.mark.parametrize("matrix", [False, True])
@pytest.mark.parametrize(("drivers", "bookings", "count"), [(SMALL, (0, 20), 150), (LARGE, (5, 30), 40)])
def test_candidate_tables_are_the_same(
    drivers: tuple[int, int], bookings: tuple[int, int], count: int, matrix: bool
) -> None:
    pairs, ranks, reserve, behind = 0, 0, 0, 0
    for seed in range(count):
        fleet = draw(seed, drivers if seed % 10 else (max(1, drivers[0]), drivers[1]), bookings, matrix)
        table = candidate_table(fleet)
        assert table.committed_cost is not None
        assert_same_tables(candidate_table_numpy(fleet), table)
        assert_same(committed_cost(fleet), table.committed_cost, "committed cost")
        assert_same(next_event_numpy(fleet, table), next_event(fleet, table), "next event")
        pairs += len(table.rank)
        ranks += int((table.rank == CANDIDATES - 1).sum())
        reserve += int((table.emergency > 0).sum())
        behind += int((table.insertion.downstream > 0).sum())
    assert min(pairs, reserve, behind) > 30, "the draws meet what they should"
    assert ranks > 0, "some bookings have more drivers than are kept"


@pytest.mark.parametrize("matrix", [False, True])
@pytest.mark.parametrize(("drivers", "bookings", "count"), [(SMALL, (0, 20), 150), (LARGE, (5, 30), 20)])
def test_observations_are_the_same(
    drivers: tuple[int, int], bookings: tuple[int, int], count: int, matrix: bool
) -> None:
    values = 0
    for seed in range(1000, 1000 + count):
        fleet = draw(seed, drivers if seed % 10 else (max(1, drivers[0]), drivers[1]), bookings, matrix)
        for table in (candidate_table(fleet), candidate_table_numpy(fleet)):
            observations = encode(fleet, table)
            assert_same_observations(encode_numpy(fleet, table), observations)
            values += observations.pair_features.size
    assert values > 10_000


def test_every_driver_is_kept_when_asked_for() -> None:
    fleet = draw(3, (12, 12), (20, 20))
    assert_same_tables(candidate_table_numpy(fleet, keep=12), candidate_table(fleet, keep=12))
    assert candidate_table(fleet, keep=12).rank.max() >= CANDIDATES


def test_several_days_are_the_same_together() -> None:
    days = [random_snapshot(np.random.default_rng(seed), matrix=False) for seed in range(40)]
    fleet = pack(days)
    table = candidate_table(fleet)
    assert_same_tables(candidate_table_numpy(fleet), table)
    assert_same_observations(encode_numpy(fleet, table), encode(fleet, table))


@pytest.mark.parametrize("now", [-3.0, 0.0, 1435.0, 2000.0])
def test_nights_are_the_same(now: float) -> None:
    who = [
        driver(f"d{i}", 3.0 * i, now=now, shift_start=now - 60.0, shift_end=now + 400.0, end_location=None)
        for i in range(3)
    ]
    rows = [booking(f"b{i}", 2.0 * i, 9.0, now + 15.0 * i) for i in range(5)]
    fleet = pack([snapshot(who, rows, now=now)])
    table = candidate_table(fleet)
    assert_same_tables(candidate_table_numpy(fleet), table)
    assert len(table.rank) > 5


def test_nobody_and_nothing_give_empty_tables() -> None:
    for who, rows in (([], []), ([driver("d")], []), ([], [booking("b", 1, 2, 650.0)])):
        fleet = pack([snapshot(who, rows)])
        table = candidate_table(fleet)
        assert_same_tables(candidate_table_numpy(fleet), table)
        assert_same_observations(encode_numpy(fleet, table), encode(fleet, table))


@pytest.mark.parametrize(("drivers", "bookings", "count"), [((1, 12), (0, 20), 60), (LARGE, (5, 30), 10)])
def test_added_kilometres_are_the_same(drivers: tuple[int, int], bookings: tuple[int, int], count: int) -> None:
    behind, last_home, saved = 0, 0, 0
    for seed in range(2000, 2000 + count):
        fleet = draw(seed, drivers, bookings, matrix=False)
        table = candidate_table(fleet)
        pairs = table.insertion
        km, numpy_km = added_kilometers(fleet, table, pairs), added_kilometers_numpy(fleet, table, pairs)
        assert km is not None
        assert numpy_km is not None
        assert_same(numpy_km, km, "kilometres")
        last = pairs.position == table.schedules.count[pairs.row]
        behind += int((~last).sum())
        last_home += int((last & fleet.has_home[pairs.day, pairs.driver]).sum())
        saved += int((km < 0).sum())
    assert min(behind, last_home, saved) > 10, "the draws meet what they should"


def test_far_kilometres_are_the_same() -> None:
    fleet = pack([snapshot([driver("d", 0.0)], [booking("b", 3000.0, 3300.0, 8000.0)], now=600.0)])
    fleet.shift_end[:] = 1e5
    table = candidate_table(fleet)
    assert len(table.rank) == 1
    km, numpy_km = (way(fleet, table, table.insertion) for way in (added_kilometers, added_kilometers_numpy))
    assert km is not None
    assert numpy_km is not None
    assert_same(numpy_km, km, "kilometres")
    assert km[0] > 2000.0
