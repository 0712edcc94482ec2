"""How long one decision takes, in the server's own code path: rows in, rows out, one situation, one thread.

`decide` is what the server calls: pack -> candidates -> features -> scores -> picks -> rows (`docs/architecture.md`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qdispatch_domain.decoder import decide
from qdispatch_domain.situation import Scorer
from qdispatch_domain.snapshot import Snapshot

REPEATS = 5
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
    cpu_mean_ms: float  # processor time of the thread: what a busy neighbour cannot lengthen
    load: float  # 1-minute load average before, to judge how quiet the machine was


def time_decisions(snapshots: Sequence[Snapshot], scorer: Scorer) -> DecisionTime:
    """Decide every moment REPEATS times. ValueError without any moment."""
    if not snapshots:
        raise ValueError("Expected at least one moment.")
    load = os.getloadavg()[0]
    slow = 0
    for snapshot in snapshots:
        slow += _once(snapshot, scorer)[0] >= SLOW_MS
        if slow == WARM_UP_SLOW:
            break
    wall, cpu = [], []
    for snapshot in snapshots:
        samples = [_once(snapshot, scorer)]
        if samples[0][0] < SLOW_MS:
            samples += [_once(snapshot, scorer) for _ in range(REPEATS - 1)]
        wall.append(float(np.median([sample[0] for sample in samples])))
        cpu.append(float(np.median([sample[1] for sample in samples])))
    return DecisionTime(
        moments=len(snapshots),
        drivers=float(np.mean([len(snapshot.drivers) for snapshot in snapshots])),
        open_bookings=float(np.mean([sum(b.time_confirmed for b in snapshot.bookings) for snapshot in snapshots])),
        mean_ms=float(np.mean(wall)),
        p50_ms=float(np.percentile(wall, 50)),
        p95_ms=float(np.percentile(wall, 95)),
        cpu_mean_ms=float(np.mean(cpu)),
        load=load,
    )


def _once(snapshot: Snapshot, scorer: Scorer) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.thread_time()
    decide(snapshot, scorer)
    return 1e3 * (time.perf_counter() - wall), 1e3 * (time.thread_time() - cpu)
