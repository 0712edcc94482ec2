"""What a policy commits ahead of its own choice, and what it leaves alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from qdispatch_domain.committing_ahead import CommittingAhead, committing_ahead
from qdispatch_domain.decoder import decide
from qdispatch_domain.observation import Scores
from qdispatch_domain.packing import pack
from qdispatch_domain.situation import Situation
from tests.domain.random_snapshots import random_snapshot
from tests.domain.situations import booking, driver, snapshot

DAY = snapshot([driver("near", 5.0), driver("far", 1.0)], [booking("x", 6, 9, 660.0), booking("y", 1, 0, 900.0)])


@dataclass
class Waiting:
    """Prefers cheap pairs and would commit none of them; `own` commits those of that rank."""

    own: int | None = None

    def score(self, situation: Situation) -> Scores:
        commit = None if self.own is None else situation.table.rank == self.own
        return Scores(-situation.table.total, np.zeros(situation.fleet.days) + 1e6, commit)


def test_zero_minutes_is_the_policy_itself() -> None:
    policy = Waiting()
    assert committing_ahead(policy, 0.0) is policy
    assert committing_ahead(policy, 5.0) == CommittingAhead(policy, 5.0)


@pytest.mark.parametrize(("minutes", "picks"), [(1.0, []), (70.0, [(0, 0)]), (400.0, [(0, 0), (1, 1)])])
def test_the_first_pair_is_committed_when_it_leaves_so_soon(minutes: float, picks: list[tuple[int, int]]) -> None:
    assert decide(DAY, Waiting()).picks == ()
    found = decide(DAY, CommittingAhead(Waiting(), minutes)).picks
    assert sorted((pick.booking, pick.driver) for pick in found) == picks


@pytest.mark.parametrize("seed", range(20))
def test_values_stay_and_own_commitments_are_kept(seed: int) -> None:
    situation = Situation(pack([random_snapshot(np.random.default_rng(seed))]))
    pairs = situation.table.insertion
    for own in (None, 1):
        policy = Waiting(own)
        plain, ahead = policy.score(situation), CommittingAhead(policy, 30.0).score(situation)
        assert np.array_equal(plain.q_pair, ahead.q_pair)
        assert np.array_equal(plain.q_wait, ahead.q_wait)
        assert ahead.commit is not None
        for pair in range(len(pairs.day)):
            alike = pairs.booking == pairs.booking[pair]
            first = plain.q_pair[pair] == plain.q_pair[alike].max()
            soon = pairs.depart[pair] <= situation.fleet.now[0] + 30.0 + 1e-6
            chosen = plain.commit is not None and plain.commit[pair]
            assert ahead.commit[pair] == ((first and soon) or chosen)
