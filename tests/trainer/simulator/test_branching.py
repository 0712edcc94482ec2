"""Branches of running days: a copy that is not forced to anything new ends exactly as its original."""

from __future__ import annotations

import numpy as np
import pytest

from qdispatch_domain.heuristics import CheapestInsertion, RegretInsertion
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.simulator.branching import HOLD, Branches, branch, join_branches, play_branches
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.play import play_round

CLINIC = scenario_named("clinic-day")
DAYS = [generate_day(CLINIC, seed) for seed in range(5)]
POLICY = RegretInsertion()


def played_for(rounds: int) -> DayBatch:
    batch = DayBatch(DAYS)
    for _ in range(rounds):
        play_round(batch, POLICY)
    return batch


def finish(batch: DayBatch) -> np.ndarray:
    while not batch.over.all():
        play_round(batch, POLICY)
    return batch.cost()


def own_choice(batch: DayBatch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The policy's first pick on every day that has one: day, booking, driver."""
    situation = batch.situation()
    scores = POLICY.score(situation)
    pairs = situation.table.insertion
    index = np.flatnonzero(np.asarray(scores.commit))
    order = index[np.lexsort((-scores.q_pair[index], pairs.day[index]))]
    first = order[np.diff(pairs.day[order], prepend=-1) != 0]
    return pairs.day[first], pairs.booking[first], pairs.driver[first]


@pytest.mark.parametrize("rounds", [0, 10, 25, 40])
def test_copies_live_their_own_lives_and_end_as_the_original(rounds: int) -> None:
    batch = played_for(rounds)
    now, cost = batch.now, batch.cost()
    rows = np.array([4, 0, 0, 2])
    copies = DayBatch.join([batch.take(rows), batch.take(np.array([3]))])
    ends = finish(copies)
    np.testing.assert_array_equal(batch.now, now)  # the original has not moved
    np.testing.assert_array_equal(batch.cost(), cost)
    np.testing.assert_array_equal(ends, finish(batch)[[4, 0, 0, 2, 3]])


def test_forcing_what_the_policy_does_anyway_changes_nothing() -> None:
    tried = 0
    for rounds in range(0, 40, 4):
        batch = played_for(rounds)
        day, booking, driver = own_choice(batch)
        if len(day):
            forced = play_branches(branch(batch, day, booking, driver), POLICY)
            np.testing.assert_allclose(forced, finish(batch)[day], atol=1e-9)
            tried += len(day)
    assert tried > 10


def test_branches_of_several_instants_play_together_as_they_do_alone() -> None:
    parts, alone = [], []
    for rounds in (3, 12, 20):
        batch = played_for(rounds)
        pairs = batch.situation().table.insertion
        chosen = np.flatnonzero(np.diff(pairs.day, prepend=-1) != 0)  # a pair of every day, whatever the policy wants
        parts.append(branch(batch, pairs.day[chosen], pairs.booking[chosen], pairs.driver[chosen]))
        again = branch(batch, pairs.day[chosen], pairs.booking[chosen], pairs.driver[chosen])
        alone.append(play_branches(again, CheapestInsertion()))
    together = play_branches(join_branches(parts), CheapestInsertion())
    np.testing.assert_array_equal(together, np.concatenate(alone))


def test_a_held_booking_waits_and_a_forced_one_goes_to_its_driver() -> None:
    held = 0
    for rounds in range(0, 30, 3):
        batch = played_for(rounds)
        day, booking, _ = own_choice(batch)
        must = batch.situation().table.must[day, booking]
        day, booking = day[~must], booking[~must]
        copies = branch(batch, day, booking, np.full(len(day), HOLD))
        before = copies.batch.now
        play_branches(copies, POLICY)
        decided = copies.batch.progress.decided_at[np.arange(len(day)), booking]
        assert np.all((decided > before) | np.isnan(decided))
        held += len(day)
        pairs = batch.situation().table.insertion
        last = np.flatnonzero(np.diff(pairs.day, append=-1) != 0)
        copies = branch(batch, pairs.day[last], pairs.booking[last], pairs.driver[last])
        play_branches(copies, POLICY)
        where = copies.batch.progress.driver[np.arange(len(last)), pairs.booking[last]]
        np.testing.assert_array_equal(where, pairs.driver[last])
    assert held > 10


def test_what_cannot_be_forced_is_refused() -> None:
    batch = played_for(5)
    row = np.array([0])
    with pytest.raises(ValueError, match="a candidate"):
        play_branches(branch(batch, row, np.array([0]), np.array([99])), POLICY)
    with pytest.raises(ValueError, match="one forced decision per copy"):
        Branches(batch.take(row), np.array([0, 1]), np.array([0, 1]))
    other = DayBatch([generate_day(scenario_named("fleet-10x60"), 0)])
    with pytest.raises(ValueError, match="same drivers and bookings"):
        DayBatch.join([batch, other])
