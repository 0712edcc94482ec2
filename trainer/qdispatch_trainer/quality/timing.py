"""How long one decision takes, in the server's own code path: rows in, rows out, one situation, one thread.

`decide` is what the server calls: pack -> candidates -> features -> scores -> picks -> rows (`docs/architecture.md`).
The time until the last scores is told apart: features, network and search, without the answer's rows.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qdispatch_domain.decoder import decide
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Scorer, Situation
from qdispatch_domain.snapshot import Snapshot

REPEATS = 5
PACES = 3  # times the reference work is done before, and after
SLOW_MS = 30.0  # a decision this long is timed once
WARM_UP_SLOW = 2  # every moment is decided before the clock counts (a kernel may load), until so many were slow


@dataclass(frozen=True, slots=True)
class DecisionTime:
    """Wall time of a decision over real moments, milliseconds; of each moment the median of its repeats."""

    moments: int
    drivers: float  # mean number in the snapshots
    open_bookings: float  # mean number of those that may be assigned now
    mean_ms: float
    p50_ms: float
    p95_ms: float
    scored_mean_ms: float  # until the scores: features, network and search
    scored_p95_ms: float
    cpu_mean_ms: float  # processor time of the thread: what a busy neighbour cannot lengthen
    load: float  # 1-minute load average before, to judge how quiet the machine was
    pace_ms: float | None = None  # what a million additions in Python took before and after; None: not measured


def time_decisions(snapshots: Sequence[Snapshot], scorer: Scorer) -> DecisionTime:
    """Decide every moment REPEATS times. ValueError without any moment."""
    if not snapshots:
        raise ValueError("Expected at least one moment.")
    load = os.getloadavg()[0]
    paces = [_pace() for _ in range(PACES)]
    gc.collect()
    gc.freeze()  # as the server does before it serves
    try:
        wall, scored, cpu = _medians(snapshots, scorer)
    finally:
        gc.unfreeze()
    paces += [_pace() for _ in range(PACES)]
    return DecisionTime(
        moments=len(snapshots),
        drivers=float(np.mean([len(snapshot.drivers) for snapshot in snapshots])),
        open_bookings=float(np.mean([sum(b.time_confirmed for b in snapshot.bookings) for snapshot in snapshots])),
        mean_ms=float(np.mean(wall)),
        p50_ms=float(np.percentile(wall, 50)),
        p95_ms=float(np.percentile(wall, 95)),
        scored_mean_ms=float(np.mean(scored)),
        scored_p95_ms=float(np.percentile(scored, 95)),
        cpu_mean_ms=float(np.mean(cpu)),
        load=load,
        pace_ms=float(np.median(paces)),
    )


def _pace() -> float:
    """Milliseconds that a million additions take: a virtual machine may run at half its speed for hours, unseen.

    They stay in the registers: a neighbour who fills the shared cache slows a decision and not them.
    """
    started, total = time.perf_counter(), 0
    for number in range(1_000_000):
        total += number
    return 1e3 * (time.perf_counter() - started)


def _medians(snapshots: Sequence[Snapshot], scorer: Scorer) -> tuple[list[float], list[float], list[float]]:
    """Of each moment the medians of what `_once` measures."""
    slow = 0
    for snapshot in snapshots:
        slow += _once(snapshot, scorer)[0] >= SLOW_MS
        if slow == WARM_UP_SLOW:
            break
    wall, scored, cpu = [], [], []
    for snapshot in snapshots:
        samples = [_once(snapshot, scorer)]
        if samples[0][0] < SLOW_MS:
            samples += [_once(snapshot, scorer) for _ in range(REPEATS - 1)]
        wall.append(float(np.median([sample[0] for sample in samples])))
        scored.append(float(np.median([sample[1] for sample in samples])))
        cpu.append(float(np.median([sample[2] for sample in samples])))
    return wall, scored, cpu


class _Clocked:
    """A scorer that notes when it has scored."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self.done_at = 0.0

    def score(self, situation: Situation) -> Scores:
        """The scorer's own."""
        scores = self._scorer.score(situation)
        self.done_at = time.perf_counter()
        return scores


def _once(snapshot: Snapshot, scorer: Scorer) -> tuple[float, float, float]:
    """Wall time of the decision, wall time until its last scores, processor time; milliseconds."""
    clocked = _Clocked(scorer)
    wall, cpu = time.perf_counter(), time.thread_time()
    decide(snapshot, clocked)
    ended, spent = time.perf_counter(), time.thread_time() - cpu
    return 1e3 * (ended - wall), 1e3 * (clocked.done_at - wall), 1e3 * spent
