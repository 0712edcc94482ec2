"""Sampled calls of patients who call when ready: a booking's own random numbers, the same in any process.

They depend on nothing but the booking's places and the number of the future, so plans made a minute apart, or in
simulator and server, differ by what has happened, not by the draw.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qdispatch_domain.compiled.jit import kernel

GRID = 1e6  # places are hashed on a grid of 1 / GRID earth radii: six metres


class CallTable(NamedTuple):
    """P(call before an edge | slot of the outbound appointment), the last row without one; see `calls.py`."""

    first_min: float  # service-day minutes of the first edge
    slot_min: float
    before: np.ndarray  # [slots + 1, slots + 1 edges] cumulative


@kernel
def _mixed(x: np.uint64) -> np.uint64:
    """SplitMix64's output function (Steele, Lea and Flood 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@kernel
def key_of(pickup: np.ndarray, dropoff: np.ndarray) -> np.uint64:
    """A number that belongs to these places, [4] each."""
    key = np.uint64(0x9E3779B97F4A7C15)
    for c in range(3):
        key = _mixed(key + np.uint64(np.int64(np.round(pickup[c] * GRID))))
        key = _mixed(key + np.uint64(np.int64(np.round(dropoff[c] * GRID))))
    return key


@kernel
def uniform(key: np.uint64, number: int) -> float:
    """The `number`-th uniform in [0, 1) of a key."""
    bits = _mixed(key + np.uint64(number + 1) * np.uint64(0x9E3779B97F4A7C15))
    return float(bits >> np.uint64(11)) / 9007199254740992.0


@kernel
def call_time(table: CallTable, outbound: float, now: float, share: float) -> float:
    """The call before which a `share` of what is left after `now` comes; infinite where it should have come by now.

    `outbound`: the appointment of the other leg, NaN when there is none; all service-day minutes.
    """
    slots = table.before.shape[0] - 1
    row = slots
    if not np.isnan(outbound):
        row = min(max(int((outbound - table.first_min) // table.slot_min), 0), slots - 1)
    before = table.before[row]
    edges = before.shape[0]
    position = min(max((now - table.first_min) / table.slot_min, 0.0), edges - 1.0)
    low = min(int(position), edges - 2)
    passed = before[low] + (position - low) * (before[low + 1] - before[low])
    left = before[edges - 1] - passed
    if left < 1e-9:
        return np.inf
    target = passed + share * left
    upper = low + 1
    while upper < edges - 1 and before[upper] < target:
        upper += 1
    within = (target - before[upper - 1]) / max(before[upper] - before[upper - 1], 1e-12)
    return max(table.first_min + table.slot_min * (upper - 1 + within), now)


@kernel
def call_times(table: CallTable, outbound: np.ndarray, now: np.ndarray, share: np.ndarray) -> np.ndarray:
    """`call_time` of many, all [M]."""
    out = np.empty(now.shape[0])
    for i in range(now.shape[0]):
        out[i] = call_time(table, outbound[i], now[i], share[i])
    return out
