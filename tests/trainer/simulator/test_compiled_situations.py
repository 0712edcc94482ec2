"""The kernels say what numpy says on the situations of every scenario, from the first decision of a day to the last."""

import numpy as np
import pytest

from qdispatch_domain.candidates import candidate_table, candidate_table_numpy
from qdispatch_domain.encoding import encode, encode_numpy
from qdispatch_domain.events import next_event, next_event_numpy
from qdispatch_domain.heuristics import CheapestInsertion
from qdispatch_trainer.scenarios import SCENARIOS
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.play import play_round
from tests.domain.same_tables import assert_same, assert_same_observations, assert_same_tables
from tests.trainer.simulator.played import days_of

DAYS = {"clinic-day": 12, "classic-10x20": 4, "fleet-10x60": 3, "urgent-heavy": 3, "fleet-30x200": 1}


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_tables_and_observations_are_the_same_all_day(scenario: str) -> None:
    batch = DayBatch(days_of(scenario, DAYS.get(scenario, 1)))
    policy = CheapestInsertion(window_min=45.0)
    pairs, every = 0, 1 if scenario in DAYS else 40
    rounds = 0
    while not batch.over.all() and rounds < 200:
        if rounds % every == 0:
            table = candidate_table(batch.fleet)
            assert_same_tables(candidate_table_numpy(batch.fleet), table)
            assert_same_observations(encode_numpy(batch.fleet, table), encode(batch.fleet, table))
            assert_same(next_event_numpy(batch.fleet, table), next_event(batch.fleet, table), "next event")
            pairs += len(table.rank)
            assert np.isfinite(table.total).all()
        play_round(batch, policy)
        rounds += 1
    assert pairs > 500
