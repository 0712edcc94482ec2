from dataclasses import dataclass

import numpy as np
import pytest

from qdispatch_domain.decoder import decide
from qdispatch_domain.heuristics import CheapestInsertion
from qdispatch_domain.observation import Scores
from qdispatch_domain.reasons import BookingGap, DriverGap, Refusal
from qdispatch_domain.situation import Situation
from qdispatch_domain.snapshot import Break, DriverKind, Location, Position, Snapshot, TravelMatrix
from qdispatch_domain.validator import validate_plan
from tests.domain.random_snapshots import random_snapshot
from tests.domain.situations import at, booking, driver, snapshot, trip


@dataclass
class Constant:
    """A scorer that gives every pair the same value: `pair` above or below `wait`."""

    pair: float
    wait: float
    calls: int = 0

    def score(self, situation: Situation) -> Scores:
        self.calls += 1
        return Scores(np.full(len(situation.table.rank), self.pair), np.full(situation.fleet.days, self.wait))


@dataclass
class MinusCost:
    """A scorer that commits whatever is feasible, cheapest first."""

    def score(self, situation: Situation) -> Scores:
        return Scores(-situation.table.total, np.full(situation.fleet.days, -1e9))


@dataclass
class Noise:
    """A scorer with random values, so that any joint choice may come up."""

    seed: int

    def score(self, situation: Situation) -> Scores:
        random = np.random.default_rng(self.seed)
        return Scores(random.normal(size=len(situation.table.rank)), random.normal(size=situation.fleet.days))


def test_waits_when_waiting_is_better_and_nothing_presses() -> None:
    day = snapshot([driver("a", 5.0)], [booking("x", 0, 3, 660.0)])
    decision = decide(day, Constant(pair=0.0, wait=1.0))
    assert decision.picks == ()
    assert decision.reevaluate_at == pytest.approx(650.0)
    assert decision.bookings[0].decide_by == pytest.approx(650.0)
    assert not decision.bookings[0].assign_now


def test_a_booking_that_can_wait_no_longer_is_served_whatever_waiting_is_worth() -> None:
    day = snapshot([driver("a", 5.0)], [booking("x", 0, 3, 610.0), booking("y", 9, 3, 900.0)])
    scorer = Constant(pair=0.0, wait=1.0)
    decision = decide(day, scorer)
    assert [(p.booking, p.driver) for p in decision.picks] == [(0, 0)]
    assert decision.reevaluate_at == day.now
    assert scorer.calls == 2, "scored anew for the forced pick"
    assert decision.bookings[0].assign_now
    assert not decision.bookings[1].assign_now


def test_one_pick_per_driver_best_first() -> None:
    day = snapshot(
        [driver("a", 0.0), driver("b", 10.0)],
        [booking("x", 0.1, 3, 700.0), booking("y", 9, 3, 700.0), booking("z", 0.2, 3, 900.0)],
    )
    decision = decide(day, MinusCost())
    assert sorted((p.booking, p.driver) for p in decision.picks) == [(0, 0), (1, 1)]
    recommended = [(b, c.driver) for b, a in enumerate(decision.bookings) for c in a.candidates if c.recommended]
    assert sorted(recommended) == [(0, 0), (1, 1)]


def test_the_promise_is_the_schedule_when_on_time_and_the_prediction_when_late() -> None:
    day = snapshot([driver("a", 5.0)], [booking("x", 0, 3, 605.0)])
    pick = decide(day, MinusCost()).picks[0]
    assert pick.pickup_time == pick.promised_pickup_time == pytest.approx(610.0)
    day = snapshot([driver("a", 5.0)], [booking("x", 0, 3, 630.0)])
    pick = decide(day, MinusCost()).picks[0]
    assert pick.promised_pickup_time == 630.0


@pytest.mark.parametrize(
    ("who", "row", "reason"),
    [
        (driver("d", available=False), {}, Refusal.UNAVAILABLE),
        (driver("d", shift_start=None), {}, Refusal.NO_SHIFT),
        (driver("d", position=None), {}, Refusal.POSITION_UNKNOWN),
        (driver("d"), {"current_driver_id": "other", "pinned": True}, Refusal.PINNED),
        (driver("d", wheelchair_access=False), {"wheelchair": True}, Refusal.WHEELCHAIR),
        (driver("d", seats=1), {"passengers": 2}, Refusal.SEATS),
        (driver("d", 100.0), {}, Refusal.TOO_LATE),
        (driver("d", shift_end=640.0), {}, Refusal.SHIFT),
        (driver("d", shift_start=800.0), {}, Refusal.SHIFT),
        (driver("d", breaks=(Break(620.0, 720.0),)), {}, Refusal.BREAK),
        (driver("d", trips=(trip("t", 0, 40, 650.0),)), {}, Refusal.TIME_CONFLICT),
    ],
)
def test_why_nobody_can(who: object, row: dict[str, object], reason: Refusal) -> None:
    other = driver("other", available=False)
    day = snapshot([who, other], [booking("x", 1, 2, 650.0, **row)])  # type: ignore[list-item]  # drivers by name
    advice = decide(day, MinusCost()).bookings[0]
    assert advice.candidates == ()
    counts = dict(advice.refusals)
    assert counts.pop(reason) >= 1
    assert sum(advice.refusals.values()) == 2
    assert set(counts) <= {Refusal.UNAVAILABLE}


def test_gaps_are_answered_not_failed() -> None:
    day = snapshot(
        [driver("a"), driver("b", position=None)],
        [booking("x", 1, 2, 650.0, time_confirmed=False), booking("y", 1, 2, 650.0, pickup=None)],
    )
    decision = decide(day, MinusCost())
    assert [a.gap for a in decision.bookings] == [BookingGap.NOT_READY, BookingGap.NO_PICKUP]
    assert decision.driver_gaps == (DriverGap.NONE, DriverGap.POSITION_UNKNOWN)
    assert decision.picks == ()


@pytest.mark.parametrize(("drivers", "bookings"), [(0, 0), (0, 2), (2, 0)])
def test_empty_situations(drivers: int, bookings: int) -> None:
    day = snapshot([driver(f"d{i}") for i in range(drivers)], [booking(f"b{i}", 1, 2, 650.0) for i in range(bookings)])
    decision = decide(day, MinusCost())
    assert decision.picks == ()
    assert len(decision.bookings) == bookings


def test_values_are_reported_only_when_calibrated() -> None:
    day = snapshot([driver("a")], [booking("x", 1, 2, 650.0)])
    plain = decide(day, Constant(-3.0, -5.0)).bookings[0].candidates[0]
    assert (plain.score, plain.q_value, plain.advantage_min) == (-3.0, None, None)
    calibrated = decide(day, Constant(-3.0, -5.0), calibrated=True).bookings[0].candidates[0]
    assert (calibrated.q_value, calibrated.advantage_min) == (-3.0, 2.0)


def test_added_kilometres_and_resulting_gap() -> None:
    busy = driver("a", 0.0, trips=(trip("t", 10, 12, 800.0),), trips_done_today=3)
    idle = driver("b", 8.0)
    reserve = driver("e", 0.0, kind=DriverKind.EMERGENCY)
    row = booking("x", 4, 6, 660.0)
    by_driver = {
        c.driver: c for c in decide(snapshot([busy, idle, reserve], [row]), MinusCost()).bookings[0].candidates
    }
    # 0 -> 4 empty, 4 -> 6 loaded, 6 -> 10 empty instead of 0 -> 10
    assert by_driver[0].added_deadhead_km == pytest.approx(-2.0)
    assert by_driver[1].added_deadhead_km == pytest.approx(4.0)
    assert (by_driver[0].resulting_trips, by_driver[0].resulting_gap) == (5, 5.0)
    assert (by_driver[1].resulting_trips, by_driver[1].resulting_gap) == (1, 3.0)


def test_kilometres_are_absent_without_meters() -> None:
    places = [Location(46.0, 6.0, 0), Location(46.1, 6.1, 1)]
    who = driver("a", position=Position(places[0], 600.0))
    row = booking("x", 0, 0, 660.0, pickup=places[1], dropoff=places[0])
    day = Snapshot(600.0, (who,), (row,), TravelMatrix(np.array([[0.0, 300.0], [300.0, 0.0]])))
    candidate = decide(day, MinusCost()).bookings[0].candidates[0]
    assert candidate.added_deadhead_km is None
    assert candidate.added_deadhead_min == pytest.approx(5.0)


@pytest.mark.parametrize("seed", range(120))
def test_any_values_give_a_plan_without_a_broken_rule(seed: int) -> None:
    day = random_snapshot(np.random.default_rng(seed))
    for scorer in (Noise(seed), MinusCost(), CheapestInsertion()):
        decision = decide(day, scorer)
        assert validate_plan(day, decision) == []


def test_an_equal_start_and_end_place_costs_nothing() -> None:
    day = snapshot([driver("a", 0.0, end_location=at(0.0))], [booking("x", 0, 0, 650.0)])
    assert decide(day, MinusCost()).bookings[0].candidates[0].cost.total == pytest.approx(0.0)
