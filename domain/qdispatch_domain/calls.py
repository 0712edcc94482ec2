"""When a patient who calls when ready may call: the habits of `start_times.py`, given the outbound leg."""

from __future__ import annotations

from functools import cache

import numpy as np

from qdispatch_domain.compiled.sampled_calls import CallTable
from qdispatch_domain.start_times import SLOT_MIN, start_times


@cache
def call_table() -> CallTable:
    """P(call before an edge | outbound slot), [slots + 1, edges]; the last row is that of a single leg."""
    times = start_times()
    slots = times.slot_start.size
    joint = np.diff(times.pair_edges, prepend=0.0).reshape(slots, slots)
    single = np.diff(times.single_edges, prepend=0.0)
    total = np.maximum(joint.sum(axis=1, keepdims=True), 1e-12)  # nobody returns from the last slots
    weights = np.vstack([joint / total, single / single.sum()])
    before = np.hstack([np.zeros((slots + 1, 1)), np.cumsum(weights, axis=1)])
    return CallTable(float(times.slot_start[0]), float(SLOT_MIN), before)
