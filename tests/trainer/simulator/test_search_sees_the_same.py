"""What the search knows of calls to come is the same in the simulator and in the snapshot that an engine would send."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="install the extra [trainer]: the search is compiled by numba")

from qdispatch_domain.decoder import decide
from qdispatch_domain.futures_search import FuturesSearch, waiting_of
from qdispatch_domain.heuristics import CheapestInsertion
from qdispatch_domain.packing import pack
from qdispatch_domain.picking import decide_fleet
from qdispatch_domain.situation import Situation
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.play import play_round


@pytest.mark.parametrize("scenario", ["clinic-day", "urgent-heavy"])
def test_live_days_and_their_snapshots_are_searched_alike(scenario: str) -> None:
    batch = DayBatch([generate_day(scenario_named(scenario), seed) for seed in (1_000_000, 1_000_001)])
    policy = FuturesSearch(CheapestInsertion())
    outbound_known, committed, asked = 0, 0, 0
    while not batch.over.all() and asked < 300:
        for n in np.flatnonzero(~batch.over):
            snapshot = batch.snapshot(int(n))
            live, sent = waiting_of(batch.fleet), waiting_of(pack([snapshot]))
            rows = np.flatnonzero(batch.fleet.booking_real[n])
            np.testing.assert_array_equal(live.uncalled[n, rows], sent.uncalled[0])
            uncalled = live.uncalled[n, rows]
            np.testing.assert_array_equal(live.outbound_at[n, rows][uncalled], sent.outbound_at[0, uncalled])
            outbound_known += int(np.isfinite(sent.outbound_at[0, uncalled]).sum())
            asked += 1
            if asked % 5 == 0:
                picks = decide(snapshot, policy).picks
                here = decide_fleet(Situation(batch.fleet.select(np.array([n]))), policy)
                pairs = [pick.situation.table.insertion.take(pick.pairs) for pick in here]
                mine = [
                    (int(np.searchsorted(rows, b)), int(d))
                    for p in pairs
                    for b, d in zip(p.booking, p.driver, strict=True)
                ]
                assert [(pick.booking, pick.driver) for pick in picks] == mine
                committed += len(picks)
        play_round(batch, policy)
    assert outbound_known > 100
    assert committed > 5
