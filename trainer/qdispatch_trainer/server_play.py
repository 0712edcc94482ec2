"""Playing days through a running server, as a dispatch engine would: ask, commit the picks, ask again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from qdispatch_client import Client, Suggestion
from qdispatch_domain.snapshot import Snapshot
from qdispatch_trainer.day import Day
from qdispatch_trainer.engine_snapshot import EngineDay
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.scenarios import Scenario
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.kpi import DayKpi, day_kpis

DEADLINE_SECONDS = 10.0


class ServerPlayer:
    """Plays days with one server's answers; `answers` counts them by source and reason, `versions` by model, `searched`
    those in which a search followed the model's values.
    """

    def __init__(self, client: Client, company_id: str) -> None:
        self._client = client
        self._company_id = company_id
        self._engine = EngineDay()
        self.answers: Counter[str] = Counter()
        self.versions: Counter[str] = Counter()
        self.searched = 0

    def play(self, scenario: Scenario, seeds: Sequence[int]) -> list[DayKpi]:
        """Key figures of every day. Raises the client's `CallError` when a call gives no answer."""
        return [day_kpis(self._play_day(generate_day(scenario, seed)))[0] for seed in seeds]

    def _play_day(self, day: Day) -> DayBatch:
        batch = DayBatch([day])
        row_of = {booking_id: row for row, booking_id in enumerate(day.bookings.ids)}
        while not batch.over[0]:
            snapshot = batch.snapshot(0)
            answer = self._ask(snapshot)
            drivers = {driver.id: row for row, driver in enumerate(snapshot.drivers)}
            midnight = self._engine.instant(0.0)
            for pick in answer.picks:
                promised = (pick.promised_pickup_time - midnight).total_seconds() / 60.0
                d, b, i = drivers[pick.driver_id], row_of[pick.booking_id], pick.position
                batch.insert(_one(0), _one(d), _one(b), _one(i), np.array([promised]))
            if not answer.picks:
                batch.wait(np.ones(1, dtype=np.bool_))
        return batch

    def _ask(self, snapshot: Snapshot) -> Suggestion:
        answer = self._client.suggest(
            self._engine.snapshot(snapshot), company_id=self._company_id, deadline_seconds=DEADLINE_SECONDS
        )
        provenance = answer.provenance
        reason = "" if provenance.fallback_reason is None else f" {provenance.fallback_reason.value}"
        self.answers[provenance.source.value + reason] += 1
        self.versions[provenance.model_version] += 1
        self.searched += answer.search_moves > 0
        return answer


def _one(value: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([value], dtype=np.int64)
