"""The growth of cost a pair promises is exactly what the day's cost grows by when the pair is committed."""

import numpy as np
import pytest

from qdispatch_domain.candidates import candidate_table
from qdispatch_domain.cost import committed_cost
from qdispatch_domain.fleet import commit
from qdispatch_domain.packing import pack
from qdispatch_domain.picking import promised_time
from qdispatch_domain.schedule import schedules
from tests.domain.random_snapshots import random_snapshot


@pytest.mark.parametrize("seed", range(60))
def test_committing_a_pair_costs_what_the_table_says(seed: int) -> None:
    fleet = pack([random_snapshot(np.random.default_rng(seed))])
    table = candidate_table(fleet)
    before = committed_cost(fleet)[0]
    for p in range(len(table.rank)):
        chosen = table.insertion.take(np.array([p]))
        after = fleet.select(np.array([0]))
        promised = promised_time(fleet, chosen.day, chosen.booking, chosen.pickup)
        commit(after, chosen.day, chosen.driver, chosen.booking, chosen.position, promised)
        grown = committed_cost(after)[0] - before + table.driver_change[p]
        assert grown == pytest.approx(table.total[p], abs=1e-6)


@pytest.mark.parametrize("seed", range(60, 100))
def test_no_insertion_moves_a_promise_or_the_end_of_work(seed: int) -> None:
    fleet = pack([random_snapshot(np.random.default_rng(seed))])
    table = candidate_table(fleet)
    s = table.schedules
    for p in range(len(table.rank)):
        chosen = table.insertion.take(np.array([p]))
        after = fleet.select(np.array([0]))
        promised = promised_time(fleet, chosen.day, chosen.booking, chosen.pickup)
        commit(after, chosen.day, chosen.driver, chosen.booking, chosen.position, promised)
        new = schedules(after, chosen.day, chosen.driver)
        row, position, count = chosen.row[0], chosen.position[0], s.count[chosen.row[0]]
        assert new.pickup[0, position] == pytest.approx(chosen.pickup[0], abs=1e-6)
        kept = np.delete(new.pickup[0, : count + 1], position)
        assert np.all(kept <= s.latest_pickup[row, :count] + 1e-6)
        assert new.finish[0] <= s.latest_finish[row] + 1e-6
