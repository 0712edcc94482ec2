"""When a patient who calls when ready may call: the demand's own distribution, given the outbound leg and the clock."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.calls import call_table
from qdispatch_trainer.day import BOOL, F64, I64
from qdispatch_trainer.simulator.truth import Truth


class CallTimes:
    """Samples calls of the returns of N days. A return's outbound appointment is known as long as the return is."""

    def __init__(self, truth: Truth) -> None:
        table = call_table()
        slots = table.before.shape[0] - 1
        self._edges = table.first_min + table.slot_min * np.arange(slots + 1)  # [E]
        self._before = table.before  # [slots + 1, E]
        other = truth.linked
        outbound = np.take_along_axis(truth.scheduled, np.maximum(other, 0), axis=1)
        slot = np.clip(np.nan_to_num((outbound - table.first_min) // table.slot_min), 0, slots - 1).astype(np.int64)
        self._row: I64 = np.where(other >= 0, slot, slots)  # [N, B] of `_before`

    def at(self, day: I64, booking: I64, now: F64, share: F64) -> F64:
        """The call of each return, all [M]: that of which a `share` of what is left after `now` comes before.

        Infinite where the patient should have called by now.
        """
        before = self._before[self._row[day, booking]]  # [M, E]
        passed = _interpolated(self._edges, before, now)
        target = passed + share * (before[:, -1] - passed)
        upper = np.clip((before < target[:, None]).sum(axis=1), 1, self._edges.size - 1)
        rows = np.arange(len(day))
        low, high = before[rows, upper - 1], before[rows, upper]
        within = (target - low) / np.maximum(high - low, 1e-12)
        call = self._edges[upper - 1] + within * (self._edges[upper] - self._edges[upper - 1])
        none_left: BOOL = before[:, -1] - passed < 1e-9
        return np.where(none_left, np.inf, np.maximum(call, now))


def _interpolated(edges: F64, values: F64, at: F64) -> F64:
    """`values` [M, E] over equidistant `edges` [E], linearly at `at` [M]."""
    position = np.clip((at - edges[0]) / (edges[1] - edges[0]), 0.0, edges.size - 1.0)
    low = np.minimum(position.astype(np.int64), edges.size - 2)
    rows = np.arange(len(at))
    out: F64 = values[rows, low] + (position - low) * (values[rows, low + 1] - values[rows, low])
    return out
