"""Let a policy play whole days: score, decide, commit, wait, until every day is over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qdispatch_domain.picking import decide_fleet
from qdispatch_domain.situation import Scorer
from qdispatch_trainer.day import Day
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.day_log import DayLog


def play(days: Sequence[Day], scorer: Scorer, log: DayLog | None = None) -> DayBatch:
    """Play all days with `scorer` through the domain's decoder and return the finished batch.

    At every event all days are decided at once; a day with picks is asked again at the same instant, as
    `reevaluate_at` says, the others wait for their next event. `log`, if given, records every decision with picks.
    """
    batch = DayBatch(days)
    while not batch.over.all():
        play_round(batch, scorer, log)
    return batch


def play_round(batch: DayBatch, scorer: Scorer, log: DayLog | None = None) -> None:
    """One decision on every day of `batch` that is not over, waiting included."""
    situation = batch.situation()
    until = batch.waiting_ends()  # before anything is committed: the table is still the one decided on
    picked = np.zeros(len(batch), dtype=np.bool_)
    if len(situation.table.rank):
        for picks in decide_fleet(situation, scorer):
            chosen = picks.situation.table.insertion.take(picks.pairs)
            if not len(chosen.day):
                continue
            if log is not None:
                log.add(batch, chosen, picks.promised)
            batch.insert(chosen.day, chosen.driver, chosen.booking, chosen.position, picks.promised)
            picked[chosen.day] = True
    batch.wait_until(~picked, until)
