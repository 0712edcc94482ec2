"""The search behind the model: it sees the calls that may come, and is the planner where none can."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="install the extra [search]: the search is compiled by numba")

from qdispatch_domain.calls import call_table
from qdispatch_domain.compiled.future_plans import Looking, _decided, plan_futures
from qdispatch_domain.compiled.local_search import Search
from qdispatch_domain.compiled.sampled_calls import call_time, key_of, uniform
from qdispatch_domain.events import next_event
from qdispatch_domain.fleet import EPS
from qdispatch_domain.futures_search import I64, Effort, FuturesSearch, consensus, searched, waiting_of
from qdispatch_domain.observation import Scores
from qdispatch_domain.packing import pack
from qdispatch_domain.planner import Planner, days_of_fleet
from qdispatch_domain.situation import Scorer, Situation
from qdispatch_domain.snapshot import Booking, Driver, DriverKind, Leg
from tests.domain.random_snapshots import random_snapshot
from tests.domain.situations import booking, driver, snapshot, trip


class MinusCost:
    """Cheapest first, and commits nothing by itself."""

    def score(self, situation: Situation) -> Scores:
        return Scores(-situation.table.total, np.full(situation.fleet.days, 1e9))


class Eager:
    """Commits everything by itself."""

    def score(self, situation: Situation) -> Scores:
        return Scores(-situation.table.total, np.full(situation.fleet.days, -1e9))


def searching(policy: Scorer, looking: Looking, search: Search, lead_min: float = 5.0) -> FuturesSearch:
    """One effort for every fleet."""
    return FuturesSearch(policy, (Effort(1000, looking, search),), lead_min)


@pytest.mark.parametrize("seed", range(30))
def test_without_calls_to_come_it_is_the_planner(seed: int) -> None:
    whole = random_snapshot(np.random.default_rng(seed))
    called = replace(whole, bookings=tuple(b for b in whole.bookings if b.time_confirmed))
    situation = Situation(pack([called]))
    pairs = situation.table.insertion
    found = searching(MinusCost(), Looking(known_moves=0, reserve=False), Search(moves=50)).score(situation)
    plan = Planner(Search(moves=50)).score(situation)
    assert found.commit is not None
    assert plan.commit is not None
    until = max(situation.fleet.now[0] + 5.0, next_event(situation.fleet, situation.table)[0])
    if (pairs.depart <= until + EPS).any():
        assert found.commit.tolist() == plan.commit.tolist()
    else:
        assert not found.commit.any()


def test_a_call_that_may_come_keeps_a_driver_who_is_needed_for_it() -> None:
    """Two vehicles are near; only one takes the wheelchair whose return has to be called for within the hour."""
    now, late = 1030.0, {"now": 1030.0, "shift_end": 1400.0}
    drivers = [driver("lift", 1.0, **late), driver("plain", 0.7, wheelchair_access=False, **late)]
    soon = booking("now", 1.0, 20.0, now + 3.0)
    call = booking("call", 1.0, 5.0, 0.0, wheelchair=True, leg=Leg.RETURN, time_confirmed=False, scheduled_time=None)

    def taken(*bookings: object) -> str:
        situation = Situation(pack([snapshot(drivers, [*bookings], now)]))  # type: ignore[list-item]
        commit = FuturesSearch(MinusCost()).score(situation).commit
        assert commit is not None
        (pair,) = np.flatnonzero(commit)
        return drivers[int(situation.table.insertion.driver[pair])].id

    assert taken(soon) == "lift"
    assert taken(soon, call) == "plain"


def plans_of(situation: Situation, lead_min: float, looking: Looking, how: Search) -> tuple[I64, I64, I64]:
    """What `plan_futures` says of the situation's pairs, of departures within `lead_min`."""
    fleet, table = situation.fleet, situation.table
    pairs = table.insertion
    found: tuple[I64, I64, I64] = plan_futures(
        days_of_fleet(fleet, table),
        waiting_of(fleet),
        call_table(),
        pairs.day,
        pairs.driver,
        pairs.booking,
        fleet.now + lead_min,
        looking,
        how,
    )
    return found


def planned_for(bookings: list[Booking], drivers: list[Driver], looking: Looking) -> int:
    """How many bookings the plan of what is known gives to the pairs of the table, that is, to REGULAR drivers."""
    situation = Situation(pack([snapshot(drivers, bookings)]))
    assert situation.fleet.regular[0, situation.table.insertion.driver].all()
    planned, _, _ = plans_of(situation, 5.0, looking, Search(moves=0))
    return int((planned > 0).sum())


@pytest.mark.parametrize(
    ("changes", "access", "reserve", "planned"),
    [
        ({}, True, True, 1),
        ({}, True, False, 2),  # one late, behind the other
        ({"wheelchair": True}, False, True, 2),
        ({"passengers": 3}, True, True, 2),
        ({"pinned": True, "current_driver_id": "regular"}, True, True, 2),
    ],
)
def test_a_plan_counts_on_the_reserve_for_what_it_could_drive(
    changes: dict[str, Any], access: bool, reserve: bool, planned: int
) -> None:
    """One REGULAR driver is in time for either of two bookings, so neither is the EMERGENCY driver's yet."""
    drivers = [
        driver("regular", 1.0),
        driver("reserve", 1.0, kind=DriverKind.EMERGENCY, wheelchair_access=access, seats=2),
    ]
    asked = [booking(name, 1.0, 9.0, 606.0, **changes) for name in ("a", "b")]
    assert planned_for(asked, drivers, Looking(futures=0, known_moves=200, reserve=reserve)) == planned


def test_a_call_is_planned_for_the_driver_it_is_pinned_to() -> None:
    """The near driver takes the booking at hand, and the other one the call, unless that is pinned to the near one."""
    now, late = 1030.0, {"now": 1030.0, "shift_end": 1400.0}
    drivers = [driver("near", 1.0, **late), driver("other", 4.0, **late)]
    for pinned, expected in ((False, "near"), (True, "other")):
        call = booking("call", 1.0, 5.0, 0.0, leg=Leg.RETURN, time_confirmed=False, scheduled_time=None)
        call = replace(call, pinned=pinned, current_driver_id="near")
        asked = [booking("now", 1.0, 30.0, now + 3.0), call]
        situation = Situation(pack([snapshot(drivers, asked, now)]))
        commit = FuturesSearch(MinusCost()).score(situation).commit
        assert commit is not None
        (pair,) = np.flatnonzero(commit)
        assert drivers[int(situation.table.insertion.driver[pair])].id == expected


class Prefers:
    """One driver, whatever the cost."""

    def __init__(self, number: int) -> None:
        self.number = number

    def score(self, situation: Situation) -> Scores:
        return Scores(100.0 * (situation.table.insertion.driver == self.number), np.full(situation.fleet.days, 1e9))


@pytest.mark.parametrize("preferred", [0, 1])
def test_the_first_plan_is_what_the_policy_chose(preferred: int) -> None:
    fleet = [driver("near", 1.0, shift_end=1400.0), driver("far", 9.0, shift_end=1400.0)]
    asked = [booking(f"b{n}", 1.0, 3.0, 630.0 + 15.0 * n) for n in range(6)]
    situation = Situation(pack([snapshot(fleet, asked)]))

    def of_the_preferred(known_moves: int) -> int:
        search = searching(Prefers(preferred), Looking(known_moves=known_moves), Search(moves=0), lead_min=900.0)
        commit = search.score(situation).commit
        assert commit is not None
        assert commit.sum() == len(asked)
        return int((situation.table.insertion.driver[commit] == preferred).sum())

    assert of_the_preferred(known_moves=1) >= 4  # one move changes two bookings at most
    assert of_the_preferred(known_moves=0) == 3  # from nothing they share


def test_large_fleets_are_left_to_the_policy() -> None:
    few = snapshot([driver(f"d{n}", float(n)) for n in range(3)], [booking("b", 2.0, 9.0, 604.0)])
    many = replace(few, drivers=tuple(driver(f"d{n}", float(n)) for n in range(4)))
    search = FuturesSearch(Eager(), (Effort(3),))
    for day, own in ((few, False), (many, True)):
        situation = Situation(pack([day]))
        commit = search.score(situation).commit
        assert commit is not None
        assert commit.all() == own
        assert commit.any()
    both = Situation(pack([few, many]))
    commit = search.score(both).commit
    assert commit is not None
    assert commit[both.table.insertion.day == 1].all()
    assert commit[both.table.insertion.day == 0].sum() == 1


def test_every_day_of_a_batch_is_searched_with_the_effort_of_its_fleet() -> None:
    efforts = (Effort(4, Looking(futures=2, known_moves=0), Search(moves=3)), Effort(9, Looking(futures=3), Search()))
    search = FuturesSearch(MinusCost(), efforts)
    assert [search.effort_at(drivers) for drivers in (1, 4, 5, 9, 10)] == [*efforts[:1] * 2, *efforts[1:] * 2, None]
    assert (search.moves, search.most_drivers) == (1000 + 3 * 400, 9)
    assert search.with_moves(7).moves == 1000 + 3 * 7
    rng = np.random.default_rng(8)
    days = [random_snapshot(rng, drivers=(n, n), bookings=(12, 12)) for n in (3, 4, 6, 9, 9, 11)]
    days = [replace(day, matrix=None, now=600.0) for day in days]
    together = Situation(pack(days))
    commit = search.score(together).commit
    assert commit is not None
    for n, day in enumerate(days):
        alone = search.score(Situation(pack([day]))).commit
        assert alone is not None
        np.testing.assert_array_equal(commit[together.table.insertion.day == n], alone)
    assert len({int(commit[together.table.insertion.day == n].sum()) for n in range(len(days))}) > 1


def test_without_futures_the_calls_to_come_change_nothing() -> None:
    changed = {0: 0, 4: 0}
    for seed in range(60):
        day = random_snapshot(np.random.default_rng(seed), drivers=(4, 4), bookings=(9, 9))
        waiting = [
            b if n % 2 else replace(b, time_confirmed=False, scheduled_time=None) for n, b in enumerate(day.bookings)
        ]
        nowhere = [b if b.time_confirmed else replace(b, pickup=None) for b in waiting]
        for futures in changed:
            search = searching(MinusCost(), Looking(futures=futures, known_moves=40), Search(moves=40))
            with_calls, without = (
                search.score(Situation(pack([replace(day, bookings=tuple(bookings), now=1020.0)]))).commit
                for bookings in (waiting, nowhere)
            )
            assert with_calls is not None
            assert without is not None
            changed[futures] += with_calls.tolist() != without.tolist()
    assert changed[0] == 0
    assert changed[4] > 0


def test_committing_ahead_is_committing_what_the_plans_let_leave_within_the_time() -> None:
    asked = [booking(f"b{n}", 1.0 + n, 9.0, 640.0 + 30.0 * n) for n in range(3)]
    situation = Situation(pack([snapshot([driver(f"d{n}", 1.0 + n, shift_end=1400.0) for n in range(3)], asked)]))
    counts = []
    for minutes in (0.0, 75.0, 300.0):
        search = searched(MinusCost(), minutes)
        assert search.lead_min == max(minutes, 5.0)
        commit = search.score(situation).commit
        assert commit is not None
        counts.append(int(commit.sum()))
    assert counts == [1, 2, 3]


def test_calls_follow_the_habits_given_the_outbound_and_the_clock() -> None:
    table = call_table()
    edges = table.first_min + table.slot_min * np.arange(table.before.shape[1])
    for outbound, row in ((480.0, int((480.0 - table.first_min) // table.slot_min)), (np.nan, -1)):
        weights = np.diff(table.before[row])
        assert weights.sum() == pytest.approx(1.0)
        sampled = np.array([call_time(table, outbound, 0.0, (n + 0.5) / 4000) for n in range(4000)])
        counts = np.histogram(sampled, edges)[0] / 4000
        np.testing.assert_allclose(counts, weights, atol=1e-3)
        later = np.array([call_time(table, outbound, 700.0, share) for share in (0.0, 0.3, 0.6, 0.99)])
        assert later[0] == pytest.approx(700.0)
        assert (np.diff(later) > 0).all()
    assert call_time(table, 480.0, edges[-1] + 1.0, 0.5) == np.inf  # it should have come


def test_random_numbers_belong_to_the_places() -> None:
    rng = np.random.default_rng(0)
    places = rng.normal(size=(200, 2, 4))
    keys = [np.uint64(key_of(pickup, dropoff)) for pickup, dropoff in places]
    assert len(set(keys)) == 200
    nudged = places[0] + 1e-12
    assert key_of(nudged[0], nudged[1]) == keys[0]  # what another way of computing the same place may differ by
    shares = np.array([[uniform(key, n) for n in range(16)] for key in keys])
    assert shares.min() >= 0.0
    assert shares.max() < 1.0
    assert abs(shares.mean() - 0.5) < 0.02
    assert abs(np.corrcoef(shares[:, 0], shares[:, 1])[0, 1]) < 0.2


def test_the_outbound_is_known_while_it_waits_and_when_it_is_driven() -> None:
    waiting = booking("out", 1.0, 9.0, 660.0, linked_booking_id="back")
    back = booking(
        "back", 9.0, 1.0, 0.0, leg=Leg.RETURN, time_confirmed=False, scheduled_time=None, linked_booking_id="out"
    )
    for day in (
        snapshot([driver("a")], [waiting, back]),
        snapshot([driver("a", trips=(trip("out", 1.0, 9.0, 660.0),))], [back]),
    ):
        seen = waiting_of(pack([day]))
        row = len(day.bookings) - 1
        assert seen.uncalled[0, row]
        assert seen.outbound_at[0, row] == 660.0
    alone = waiting_of(pack([snapshot([driver("a")], [back])]))
    assert np.isnan(alone.outbound_at[0, 0])
    nowhere = replace(back, pickup=None)
    assert not waiting_of(pack([snapshot([driver("a")], [nowhere])])).uncalled.any()


def test_the_consensus_commits_what_leaves_in_more_than_half_of_the_plans() -> None:
    booking_ = np.array([0, 0, 1, 1, 2])
    planned, due = np.array([5, 4, 6, 3, 9]), np.array([2, 4, 2, 2, 0])
    value = np.array([0.0, 1.0, 0.0, 1.0, 0.0])
    most, commit = consensus(booking_, planned, due, np.full(5, 9), value)
    assert commit.tolist() == [False, True, False, False, False]  # 6 of 9 leave, by the second; 4 of 9 do not
    assert most.tolist() == [False, True, True, False, True]


def test_a_tie_goes_to_the_pair_of_more_plans_then_of_more_value_and_to_one_driver_only() -> None:
    due, asked = np.array([3, 3, 2]), np.full(3, 8)
    for planned, value in (([3, 4, 9], [2.0, 1.0, 9.0]), ([3, 3, 9], [1.0, 2.0, 9.0])):
        _, commit = consensus(np.zeros(3, int), np.array(planned), due, asked, np.array(value))
        assert commit.tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("votes", "done", "decided"),
    [
        ((8, 0), 8, False),  # the first may be half of them and no more
        ((9, 0), 9, True),
        ((8, 1), 9, False),
        ((9, 5), 12, False),
        ((9, 4), 12, True),
        ((9, 8), 16, True),
    ],
)
def test_what_is_decided_is_planned_no_further(votes: tuple[int, int], done: int, decided: bool) -> None:
    assert _decided(np.array(votes), np.array([0, 1]), done, 16) == decided


def test_futures_are_left_out_only_when_they_cannot_change_what_leaves() -> None:
    looking, how = Looking(futures=16, known_moves=0), Search(moves=30)
    stopped, mixed = 0, 0
    for seed in range(120):
        day = random_snapshot(np.random.default_rng(seed), drivers=(4, 4), bookings=(9, 9))
        called = [
            b if n % 2 else replace(b, time_confirmed=False, scheduled_time=None) for n, b in enumerate(day.bookings)
        ]
        situation = Situation(pack([replace(day, bookings=tuple(called), now=1020.0)]))
        pairs = situation.table.insertion
        if not len(pairs.day):
            continue
        _, due, asked = plans_of(situation, 20.0, looking, how)
        done = int(asked[0])
        votes = np.bincount(pairs.booking, weights=due)[np.unique(pairs.booking)]
        left = looking.futures - done
        of = looking.futures
        assert ((2 * votes > of) | (2 * (votes + left) <= of)).all()
        stopped += left > 0
        mixed += bool(((votes > 0) & (votes < done)).any())
    assert stopped > 10
    assert mixed > 3
