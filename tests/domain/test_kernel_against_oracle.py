"""The vectorised kernel against brute force: random situations, every insertion, two independent programs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qdispatch_domain.candidates import CandidateTable, candidate_table
from qdispatch_domain.decoder import decide
from qdispatch_domain.fleet import Fleet
from qdispatch_domain.heuristics import CheapestInsertion, RandomFeasible, RegretInsertion
from qdispatch_domain.insertion import Insertions, insertions
from qdispatch_domain.packing import pack
from qdispatch_domain.refusals import refusals
from qdispatch_domain.schedule import Schedules, schedules
from qdispatch_domain.snapshot import Booking, Driver, DriverKind, Leg, Location, Position, Snapshot
from qdispatch_domain.validator import validate_plan
from qdispatch_domain.validator.brute_force import (
    best_insertion,
    cost_of,
    insert,
    permitted_drivers,
    refusal,
    unfit,
)
from qdispatch_domain.validator.situation import Situation, promise_for
from tests.domain.oracle.latest_instant import decide_by, expiry
from tests.domain.random_snapshots import random_snapshot

CLOSE = 1e-5  # minutes or minutes-equivalent: far below a second, far above rounding


def _draw(seed: int, drivers: tuple[int, int], bookings: tuple[int, int]) -> Snapshot:
    return random_snapshot(np.random.default_rng(seed), drivers=drivers, bookings=bookings)


def _kernel(snapshot: Snapshot) -> tuple[Fleet, Schedules]:
    fleet = pack([snapshot])
    day, driver = np.nonzero(fleet.usable)
    return fleet, schedules(fleet, day, driver)


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= CLOSE


def _compare_schedules(snapshot: Snapshot, seed: int) -> int:
    fleet, s = _kernel(snapshot)
    situation = Situation(snapshot)
    assert [int(g) for g in situation.gaps] == fleet.driver_gap[0].tolist(), seed
    for row, driver in enumerate(s.driver.tolist()):
        timeline = situation.timeline(driver)
        assert int(s.count[row]) == len(timeline.legs), (seed, driver)
        for index, leg in enumerate(timeline.legs):
            kernel = (s.depart[row, index], s.pickup[row, index], s.end[row, index])
            assert kernel == pytest.approx((leg.departed, leg.pickup, leg.end), abs=CLOSE), (seed, driver, index)
        assert _close(float(s.finish[row]), timeline.end), (seed, driver)
    return len(s.driver)


def _compare_insertions(snapshot: Snapshot, seed: int) -> tuple[int, int]:
    """Every driver x position of every open booking; returns how many were tried and how many were feasible."""
    fleet, s = _kernel(snapshot)
    situation = Situation(snapshot)
    triples = [
        (row, booking, position)
        for booking in np.flatnonzero(fleet.open[0]).tolist()
        for row in range(len(s.driver))
        for position in range(int(s.count[row]) + 1)
    ]
    if not triples:
        return 0, 0
    row, booking, position = (np.array(column) for column in zip(*triples, strict=True))
    found = insertions(fleet, s, row, booking, position)
    keys = zip(found.row.tolist(), found.booking.tolist(), found.position.tolist(), strict=True)
    kernel = {key: index for index, key in enumerate(keys)}
    feasible = 0
    for triple in triples:
        one = snapshot.bookings[triple[1]]
        oracle = insert(situation, one, int(s.driver[triple[0]]), triple[2])
        assert (triple in kernel) == oracle.feasible, (seed, triple, oracle.faults)
        if oracle.feasible:
            feasible += 1
            cost = cost_of(situation, one, oracle)
            index = kernel[triple]
            _compare_one(found, index, oracle.pickup, oracle.on_time, (cost.deadhead, cost.lateness), (seed, triple))
            assert _close(float(found.downstream[index]), cost.downstream_lateness), (seed, triple)
            assert abs(float(found.expiry[index]) - expiry(situation, one, oracle)) <= 1e-4, (seed, triple)
    return len(triples), feasible


def _compare_one(
    found: Insertions, index: int, pickup: float, on_time: bool, cost: tuple[float, float], where: object
) -> None:
    assert _close(float(found.pickup[index]), pickup), where
    assert bool(found.on_time[index]) == on_time, where
    assert _close(float(found.deadhead[index]), cost[0]), where
    assert _close(float(found.lateness[index]), cost[1]), where


def _compare_table(snapshot: Snapshot, seed: int) -> tuple[int, int]:
    """Best positions, cost terms, permitted drivers, `decide_by`, refusals; returns how many pairs and refused."""
    fleet = pack([snapshot])
    table = candidate_table(fleet, keep=len(snapshot.drivers))
    situation = Situation(snapshot)
    hopeless = np.flatnonzero(fleet.open[0] & ~table.has_pair[0])
    counted = dict(zip(hopeless.tolist(), refusals(fleet, 0, hopeless), strict=True))
    for booking in np.flatnonzero(fleet.open[0]).tolist():
        one = snapshot.bookings[booking]
        rows = np.flatnonzero(table.insertion.booking == booking)
        drivers = table.insertion.driver[rows].tolist()
        assert sorted(drivers) == permitted_drivers(situation, one), (seed, booking)
        latest = decide_by(situation, one)
        if latest is None:
            reasons = [refusal(situation, one, row) for row in range(len(snapshot.drivers))]
            assert None not in reasons, (seed, booking)
            assert {r: reasons.count(r) for r in set(reasons)} == dict(counted[booking]), (seed, booking)
            continue
        assert abs(float(table.decide_by[0, booking]) - latest) <= 1e-4, (seed, booking)
        for k in rows.tolist():
            _compare_pair(situation, table, k, (seed, booking))
        totals = table.total[rows]
        assert bool(np.all(np.diff(totals) >= -CLOSE)), (seed, booking)
    return len(table.rank), len(hopeless)


def _compare_pair(situation: Situation, table: CandidateTable, k: int, where: object) -> None:
    booking = situation.snapshot.bookings[int(table.insertion.booking[k])]
    best = best_insertion(situation, booking, int(table.insertion.driver[k]))
    assert best is not None, where
    insertion, cost = best
    assert int(table.insertion.position[k]) == insertion.position, where
    assert _close(float(table.insertion.pickup[k]), insertion.pickup), where
    terms = (table.emergency[k], table.driver_change[k], table.spread[k], table.total[k])
    assert terms == pytest.approx((cost.emergency, cost.driver_change, cost.spread, cost.total), abs=CLOSE), where


@pytest.mark.parametrize("first", range(0, 600, 200))
def test_schedules_are_timed_as_by_brute_force(first: int) -> None:
    drivers = sum(_compare_schedules(_draw(seed, (1, 12), (0, 2)), seed) for seed in range(first, first + 200))
    assert drivers > 500


@pytest.mark.parametrize("first", range(10_000, 11_200, 200))
def test_every_insertion_agrees_with_brute_force(first: int) -> None:
    counts = [_compare_insertions(_draw(seed, (1, 4), (0, 6)), seed) for seed in range(first, first + 200)]
    assert sum(tried for tried, _ in counts) > 2000
    assert sum(feasible for _, feasible in counts) > 250


@pytest.mark.parametrize("seed", [2520, 3751])
def test_a_trip_that_waits_for_the_end_of_a_break_does_not_refuse_what_stands_before_it(seed: int) -> None:
    # its latest departure is the end of the break, give or take a rounding: the kernel once took that for a clash
    _, feasible = _compare_insertions(_draw(seed, (1, 4), (0, 6)), seed)
    assert feasible > 0


@pytest.mark.parametrize("first", range(20_000, 20_300, 100))
def test_candidate_table_agrees_with_brute_force(first: int) -> None:
    counts = [_compare_table(_draw(seed, (1, 8), (0, 6)), seed) for seed in range(first, first + 100)]
    assert sum(pairs for pairs, _ in counts) > 100
    assert sum(refused for _, refused in counts) > 50


@pytest.mark.parametrize("first", range(30_000, 30_060, 30))
def test_decisions_of_every_heuristic_pass_the_validator(first: int) -> None:
    picks = reserve = 0
    for seed in range(first, first + 30):
        snapshot = _draw(seed, (1, 12), (0, 20))
        for scorer in (CheapestInsertion(), RegretInsertion(200.0), RandomFeasible(seed, 100.0)):
            decision = decide(snapshot, scorer)
            assert validate_plan(snapshot, decision) == [], (seed, scorer)
            picks += len(decision.picks)
            reserve += sum(snapshot.drivers[p.driver].kind is DriverKind.EMERGENCY for p in decision.picks)
    assert picks > 50
    assert reserve > 5


def test_few_drivers_and_a_rush_stay_legal() -> None:
    picks = 0
    for seed in range(40_000, 40_060):
        snapshot = _draw(seed, (1, 2), (12, 20))
        decision = decide(snapshot, CheapestInsertion(60.0))
        assert validate_plan(snapshot, decision) == [], seed
        picks += len(decision.picks)
    assert picks > 10


def test_a_driver_picked_again_in_a_later_pass_gets_the_position_after_the_first_pick() -> None:
    # two patients at the door where the driver stands, both due now: neither can wait for the next event
    door, clinic = Location(46.2, 6.2), Location(46.2, 6.2)
    driver = Driver(
        id="anna",
        kind=DriverKind.REGULAR,
        available=True,
        wheelchair_access=True,
        seats=4,
        shift_start=420.0,
        shift_end=900.0,
        position=Position(door, 480.0),
    )
    due = Booking(
        id="first",
        pickup=door,
        dropoff=clinic,
        scheduled_time=480.0,
        leg=Leg.OUTBOUND,
        time_confirmed=True,
        pickup_service_min=0.0,
        dropoff_service_min=0.0,
    )
    snapshot = Snapshot(now=480.0, drivers=(driver,), bookings=(due, replace(due, id="second")))
    decision = decide(snapshot, CheapestInsertion(0.0))
    assert sorted(pick.booking for pick in decision.picks) == [0, 1]
    assert {pick.position for pick in decision.picks} <= {0, 1}
    assert validate_plan(snapshot, decision) == []


def test_large_fleets_are_pruned_without_breaking_a_rule() -> None:
    for seed in range(50_000, 50_008):
        snapshot = _draw(seed, (17, 30), (10, 20))
        decision = decide(snapshot, CheapestInsertion(120.0))
        assert validate_plan(snapshot, decision) == [], seed
        assert decision.picks, seed


def test_promises_are_those_of_the_rule() -> None:
    kept = late = 0
    for seed in range(60_000, 60_060):
        snapshot = _draw(seed, (1, 6), (2, 12))
        for pick in decide(snapshot, CheapestInsertion(200.0)).picks:
            booking = snapshot.bookings[pick.booking]
            assert _close(pick.promised_pickup_time, promise_for(booking, pick.pickup_time)), seed
            kept += booking.promised_pickup_time is not None
            late += pick.promised_pickup_time != booking.scheduled_time
    assert kept > 5
    assert late > 5


def test_no_unfit_driver_is_ever_a_candidate() -> None:
    seen = 0
    for seed in range(70_000, 70_200):
        snapshot = _draw(seed, (1, 8), (1, 8))
        situation = Situation(snapshot)
        pairs = candidate_table(pack([snapshot])).insertion
        for booking, driver in zip(pairs.booking.tolist(), pairs.driver.tolist(), strict=True):
            assert unfit(situation, snapshot.bookings[booking], driver) == (), (seed, booking, driver)
            seen += 1
    assert seen > 200


@pytest.mark.long
@pytest.mark.parametrize("first", range(100_000, 106_000, 500))
def test_thousands_of_situations_agree_with_brute_force(first: int) -> None:
    for seed in range(first, first + 500):
        _compare_insertions(_draw(seed, (1, 6), (0, 10)), seed)
        _compare_table(_draw(seed, (1, 12), (0, 12)), seed)
