"""The simulator: N days at once, from decision to decision. There is no other; one day is N = 1.

A decision is an insertion of a booking or waiting until the next event (docs/dispatch-rules.md). Randomness was drawn
with the days, so a policy's choices never change another draw, and a day runs the same in any batch of its scenario.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from qdispatch_domain.cost import committed_cost
from qdispatch_domain.events import next_event
from qdispatch_domain.fleet import NEVER, Fleet, commit
from qdispatch_domain.picking import promised_time
from qdispatch_domain.situation import Situation
from qdispatch_domain.snapshot import Snapshot
from qdispatch_trainer.day import BOOL, F64, I64, Day
from qdispatch_trainer.simulator.day_cost import CostTerms, final_cost, started_cost
from qdispatch_trainer.simulator.live_fleet import live_fleet, refresh
from qdispatch_trainer.simulator.motion import advance
from qdispatch_trainer.simulator.progress import Fate, Progress, begin
from qdispatch_trainer.simulator.snapshots import SnapshotWriter
from qdispatch_trainer.simulator.truth import Truth, stack

WAIT = -1
WAITING_IS_MASKED = "Expected no waiting while a booking has reached its decide_by."


class DayBatch:
    """N running days. `truth`, `progress` and `fleet` are read-only for everybody else."""

    def __init__(self, days: Sequence[Day]) -> None:
        truth = stack(days)
        self._hold(truth, begin(truth), live_fleet(truth), np.zeros(len(days)))
        self._settle()

    def _hold(self, truth: Truth, progress: Progress, fleet: Fleet, final: F64) -> None:
        self.truth, self.progress, self.fleet, self._final = truth, progress, fleet, final
        self._writer = SnapshotWriter(truth)
        self._changed()

    def _changed(self) -> None:
        """Forget what was computed from the state before."""
        self._situation: Situation | None = None
        self._cost: F64 | None = None

    def take(self, rows: I64) -> DayBatch:
        """Copies of days `rows` [M] as they stand; a day may come several times, each copy then lives its own life."""
        out = object.__new__(DayBatch)
        out._hold(self.truth.take(rows), self.progress.take(rows), self.fleet.select(rows), self._final[rows])
        return out

    @staticmethod
    def join(batches: Sequence[DayBatch]) -> DayBatch:
        """Copies of the days of several batches as they stand, in one. ValueError unless all have the same padding."""
        if len({(b.fleet.driver_real.shape[1], b.fleet.open.shape[1]) for b in batches}) != 1:
            raise ValueError("Expected at least one batch, and all padded to the same drivers and bookings.")
        first = batches[0]
        out = object.__new__(DayBatch)
        days = tuple(day for b in batches for day in b.truth.days)
        out._hold(
            Truth(days=days, travel=first.truth.travel, **_stacked([b.truth for b in batches])),
            Progress(**_stacked([b.progress for b in batches])),
            Fleet(travel=first.fleet.travel, **_stacked([b.fleet for b in batches])),
            np.concatenate([b._final for b in batches]),
        )
        return out

    def __len__(self) -> int:
        return len(self.truth.days)

    @property
    def now(self) -> F64:
        """Where every day stands, [N] service-day minutes."""
        return self.progress.now.copy()

    @property
    def over(self) -> BOOL:
        """Days [N] on which nothing is open or to come and all trips are done."""
        return self.progress.over.copy()

    def situation(self) -> Situation:
        """The N days as they stand, with their candidate table. Days that are over have neither drivers nor pairs."""
        if self._situation is None:
            self._situation = Situation(self.fleet)
        return self._situation

    def decidable(self) -> BOOL:
        """Days [N] with at least one permitted insertion; on the others there is nothing to do but wait."""
        out = np.zeros(len(self), dtype=np.bool_)
        out[self.situation().table.insertion.day] = True
        return out

    def must_decide(self) -> BOOL:
        """Days [N] on which waiting is masked."""
        return np.asarray(self.situation().table.must.any(axis=1))

    def cost(self) -> F64:
        """C(s) of every day, [N] minutes-equivalent."""
        if self._cost is None:
            table = self.situation().table
            committed = table.committed_cost
            if committed is None:
                committed = committed_cost(self.fleet, table.schedules)
            live = started_cost(self.truth, self.progress) + committed
            self._cost = np.where(self.progress.over, self._final, live)
        return self._cost.copy()

    def final_terms(self) -> CostTerms:
        """C(end) by term, each [N]. ValueError while a day still runs."""
        if not self.progress.over.all():
            raise ValueError("Expected all days to be over.")
        self.fleet.driver_real[:] = self.truth.driver_real
        terms = final_cost(self.truth, self.progress, self.fleet)
        self.fleet.driver_real[:] = False
        return terms

    def snapshot(self, n: int) -> Snapshot:
        """Row form of day `n`: packing and encoding it gives this batch's own observation of the day."""
        return self._writer.snapshot(self.progress, self.fleet, n)

    def insert_pairs(self, pairs: I64) -> None:
        """Commit pairs [M] of the current situation's table, at most one per driver and per booking of a day."""
        chosen = self.situation().table.insertion.take(pairs)
        promised = promised_time(self.fleet, chosen.day, chosen.booking, chosen.pickup)
        self.insert(chosen.day, chosen.driver, chosen.booking, chosen.position, promised)

    def insert(self, day: I64, driver: I64, booking: I64, position: I64, promised: F64) -> None:
        """Commit bookings before the `position`-th COMMITTED trip of the drivers, all [M]. ValueError if not open.

        The caller answers for the hard rules: positions come from a candidate table of these schedules. At most one
        insertion per (day, driver) and per (day, booking).
        """
        if len(np.unique(day * self.fleet.open.shape[1] + booking)) < len(booking):
            raise ValueError("Expected every booking at most once.")
        if len(np.unique(day * self.fleet.driver_real.shape[1] + driver)) < len(driver):
            raise ValueError("Expected every driver at most once.")
        commit(self.fleet, day, driver, booking, position, promised)
        self.progress.fate[day, booking] = Fate.COMMITTED
        self.progress.driver[day, booking] = driver
        self.progress.promised[day, booking] = promised
        self.progress.decided_at[day, booking] = self.progress.now[day]
        self._settle()

    def wait(self, days: BOOL) -> None:
        """Let the days of mask [N] run on to their next event. ValueError if waiting is masked on one of them."""
        self.wait_until(days, self.waiting_ends())

    def waiting_ends(self) -> F64:
        """The next event of every day, [N]; NaN where waiting is masked. Insertions on other days do not change it."""
        return np.where(self.must_decide() & ~self.progress.over, np.nan, self._next_event())

    def wait_until(self, days: BOOL, until: F64) -> None:
        """As `wait`, when `waiting_ends` has been asked before; only other days than these have changed since."""
        days = days & ~self.progress.over
        if bool(np.isnan(until[days]).any()):
            raise ValueError(WAITING_IS_MASKED)
        if days.any():
            self._advance(np.where(days, until, self.progress.now))

    def step(self, pairs: I64) -> F64:
        """One decision on every day that is not over: a pair of the current table, or WAIT; both [N].

        Returns the rewards C(s) - C(s'), [N] minutes-equivalent; 0 where the day was over. ValueError for a pair of
        another day or for waiting where it is masked.
        """
        before = self.cost()
        chosen = np.where(self.progress.over, WAIT, pairs)
        waits = chosen == WAIT
        if bool(np.any(waits & self.must_decide())):
            raise ValueError(WAITING_IS_MASKED)
        index = chosen[~waits]
        if not np.array_equal(self.situation().table.insertion.day[index], np.flatnonzero(~waits)):
            raise ValueError("Expected every pair to belong to its own day.")
        until = np.where(waits & ~self.progress.over, self._next_event(), self.progress.now)
        if len(index):
            self.insert_pairs(index)
        if waits.any():
            # a day that its last insertion has ended stands at its end already
            self._advance(np.maximum(until, self.progress.now))
        return before - self.cost()

    def _next_event(self) -> F64:
        """When waiting ends, [N]: the next event of the rules; without open bookings, the next one that is ready."""
        now = self.progress.now[:, None]
        untouched = self.progress.fate == Fate.OPEN
        ready = np.where(untouched & (self.truth.ready_at > now), self.truth.ready_at, NEVER).min(axis=1)
        known = np.where(untouched & (self.truth.known_since > now), self.truth.known_since, NEVER).min(axis=1)
        n, d = np.nonzero(self.progress.running >= 0)
        ends = np.full(self.progress.running.shape, NEVER)
        ends[n, d] = self.progress.done_at[n, self.progress.running[n, d]]
        event = np.minimum(np.minimum(ready, known), ends.min(axis=1))
        event = np.minimum(event, next_event(self.fleet, self.situation().table))
        event = np.asarray(np.where(self.fleet.open.any(axis=1), event, ready))
        if bool(np.any((event >= NEVER) & ~self.progress.over)):
            raise AssertionError("a running day always has a next event")
        return event

    def _advance(self, to: F64) -> None:
        advance(self.fleet, self.truth, self.progress, to)
        self._settle()

    def _settle(self) -> None:
        """Run days with nothing open or to come to the end of their last trip; then show the instant to policies."""
        ending = ~self.progress.over & ~(self.progress.fate == Fate.OPEN).any(axis=1)
        if ending.any():
            advance(self.fleet, self.truth, self.progress, np.where(ending, np.inf, self.progress.now))
            last = np.where(np.isnan(self.progress.done_at), -np.inf, self.progress.done_at).max(axis=1)
            self.progress.now[ending] = np.maximum(self.progress.now, last)[ending]
            refresh(self.fleet, self.truth, self.progress)
            self._final[ending] = final_cost(self.truth, self.progress, self.fleet).total[ending]
            self.progress.over |= ending
        refresh(self.fleet, self.truth, self.progress)
        self._changed()


def _stacked(parts: Sequence[Truth] | Sequence[Progress] | Sequence[Fleet]) -> dict[str, np.ndarray]:
    """Every array of the parts, one after another along the axis of the days."""
    names = [f.name for f in fields(parts[0]) if f.name not in ("days", "travel")]
    return {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
