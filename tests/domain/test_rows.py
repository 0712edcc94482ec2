"""The rows of an answer say what the arrays say, figure by figure."""

import numpy as np
import pytest

from qdispatch_domain.decoder import decide
from qdispatch_domain.fleet import Fleet
from qdispatch_domain.observation import Scores
from qdispatch_domain.packing import pack
from qdispatch_domain.picking import PassPicks
from qdispatch_domain.rows import candidate_rows
from qdispatch_domain.situation import Situation
from qdispatch_domain.snapshot import DriverKind, Snapshot
from tests.domain.random_snapshots import random_snapshot
from tests.domain.situations import booking, driver, snapshot

NOBODY = np.zeros(0, dtype=np.int64)


def _done(day: Snapshot, seed: int = 0) -> PassPicks:
    """A pass over the day with random values and without picks; waiting is worth 0.5."""
    situation = Situation(pack([day]))
    scores = Scores(np.random.default_rng(seed).normal(size=len(situation.table.rank)), 0.5)
    return PassPicks(situation, scores, NOBODY, np.zeros(0))


def _gap_with_one_more(fleet: Fleet, chosen: int) -> float:
    """Max - min of trips per share, counted one driver after another."""
    loads = []
    for d in np.flatnonzero(fleet.regular[0] & np.isin(fleet.driver_gap[0], (0, 3))):
        trips = fleet.trips_done[0, d] + fleet.locked[0, d] + fleet.n_trips[0, d]
        share = fleet.contract_share[0, d]
        loads.append(trips / share + (1.0 / share if d == chosen else 0.0))
    return max(loads) - min(loads) if loads else 0.0


@pytest.mark.parametrize("drivers", [(1, 2), (3, 12), (17, 30)])
def test_the_gap_is_that_of_one_more_trip(drivers: tuple[int, int]) -> None:
    seen, apart = 0, 0
    for seed in range(40):
        done = _done(random_snapshot(np.random.default_rng(seed), drivers=drivers, bookings=(1, 8)))
        fleet, every = done.situation.fleet, np.arange(len(done.scores.q_pair))
        for row in candidate_rows(done, every, np.zeros((fleet.open.shape[1], fleet.regular.shape[1]), bool), False):
            assert row.resulting_gap == pytest.approx(_gap_with_one_more(fleet, row.driver), abs=1e-12)
            seen, apart = seen + 1, apart + (row.resulting_gap > 1.0)
    assert seen > 30
    assert apart > 5


@pytest.mark.parametrize("drivers", [(1, 12), (17, 30)])
def test_every_figure_is_that_of_its_pair(drivers: tuple[int, int]) -> None:
    for seed in range(20):
        day = random_snapshot(np.random.default_rng(seed), drivers=drivers)
        done = _done(day, seed)
        fleet, table, q = done.situation.fleet, done.situation.table, done.scores.q_pair
        which = np.random.default_rng(seed).permutation(len(q))
        recommended = np.random.default_rng(seed).random((fleet.open.shape[1], fleet.regular.shape[1])) < 0.5
        for pair, row in zip(which.tolist(), candidate_rows(done, which, recommended, True), strict=True):
            made, b, d = table.insertion, int(table.insertion.booking[pair]), int(table.insertion.driver[pair])
            assert (row.driver, row.position, row.on_time) == (d, made.position[pair], made.on_time[pair])
            assert (row.pickup_time, row.added_deadhead_min) == (made.pickup[pair], made.deadhead[pair])
            assert row.lateness_min == max(made.pickup[pair] - fleet.scheduled[0, b], 0.0)
            assert (row.slack_min, row.score, row.q_value) == (made.slack[pair], q[pair], q[pair])
            assert row.advantage_min == q[pair] - 0.5
            assert row.recommended == recommended[b, d]
            assert row.resulting_trips == fleet.trips_done[0, d] + fleet.locked[0, d] + fleet.n_trips[0, d] + 1
            assert row.cost.total == pytest.approx(table.total[pair])
            assert row.cost == (
                made.deadhead[pair],
                made.lateness[pair],
                made.downstream[pair],
                table.emergency[pair],
                table.driver_change[pair],
                table.spread[pair],
            )
            assert {type(value) for value in row if value is not None} <= {int, float, bool, type(row.cost)}


class _Equal:
    """A scorer to which all is the same."""

    def score(self, situation: Situation) -> Scores:
        return Scores(np.zeros(len(situation.table.rank)), 1.0)


def test_equal_values_stay_in_the_order_of_cost() -> None:
    who = [driver("far", 9.0), driver("near", 1.0), driver("middle", 5.0)]
    answer = decide(snapshot(who, [booking("x", 0, 3, 700.0), booking("y", 10, 3, 900.0)]), _Equal())
    assert [[c.driver for c in row.candidates] for row in answer.bookings] == [[1, 2, 0], [0, 2, 1]]


def test_one_driver_who_counts_has_no_gap() -> None:
    who = [driver("a", 1.0, trips_done_today=4), driver("e", 1.0, kind=DriverKind.EMERGENCY, trips_done_today=1)]
    answer = decide(snapshot(who, [booking("x", 0, 3, 700.0)]), _Equal())
    assert [c.resulting_gap for c in answer.bookings[0].candidates] == [0.0]
