"""A simulated day on which somebody else is asked what to do, at every event, as a dispatch engine asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from qdispatch_domain.day_record import DayRecord, DecisionEntry
from qdispatch_domain.decision import Decision, Pick
from qdispatch_domain.snapshot import Snapshot
from qdispatch_trainer.day import Day
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.day_log import DayLog, day_record


@dataclass(frozen=True, slots=True)
class Advice:
    """What was advised: picks as indices into the snapshot, and when to ask again (service-day minutes)."""

    picks: tuple[Pick, ...]
    reevaluate_at: float | None


def advice_of(decision: Decision) -> Advice:
    """The part of a decision that a day depends on."""
    return Advice(decision.picks, decision.reevaluate_at)


@dataclass(slots=True)
class AskedDay:
    """A day that is over: every event with what was advised, the driven truth, and what it cost."""

    events: list[tuple[Snapshot, Advice]]
    batch: DayBatch = field(repr=False)

    @property
    def cost(self) -> float:
        """C(end), minutes-equivalent."""
        return float(self.batch.cost()[0])

    @property
    def record(self) -> DayRecord:
        """The day for the validator, with the decisions as they were advised."""
        entries = tuple(DecisionEntry(snapshot, advice.picks) for snapshot, advice in self.events if advice.picks)
        return replace(day_record(self.batch, 0, DayLog()), decisions=entries)

    def moves(self) -> list[tuple[float, list[tuple[str, str, int]]]]:
        """Per event: now, and the picks in order as (booking, driver, position)."""
        return [
            (
                snapshot.now,
                [(snapshot.bookings[p.booking].id, snapshot.drivers[p.driver].id, p.position) for p in advice.picks],
            )
            for snapshot, advice in self.events
        ]


def ask_through(day: Day, ask: Callable[[Snapshot], Advice]) -> AskedDay:
    """Plays a day: asks at every event, commits the picks in their order; asks again at once after picks."""
    batch = DayBatch([day])
    row_of = {name: row for row, name in enumerate(day.bookings.ids)}
    events = []
    while not batch.over[0]:
        snapshot = batch.snapshot(0)
        advice = ask(snapshot)
        events.append((snapshot, advice))
        for pick in advice.picks:
            booking = row_of[snapshot.bookings[pick.booking].id]
            n, d, b, i = np.array([[0], [pick.driver], [booking], [pick.position]], dtype=np.int64)
            batch.insert(n, d, b, i, np.array([pick.promised_pickup_time]))
        if not advice.picks:
            batch.wait(np.ones(1, dtype=np.bool_))
    return AskedDay(events, batch)
