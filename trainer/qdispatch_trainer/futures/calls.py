"""When a patient who calls when ready may call: the habits of `qdispatch_domain.calls`, for the days of a batch."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.calls import call_table
from qdispatch_domain.compiled.sampled_calls import call_times
from qdispatch_trainer.day import F64, I64
from qdispatch_trainer.simulator.truth import Truth


class CallTimes:
    """Samples calls of the returns of N days. A return's outbound appointment is known as long as the return is."""

    def __init__(self, truth: Truth) -> None:
        other = truth.linked
        outbound = np.take_along_axis(truth.scheduled, np.maximum(other, 0), axis=1)
        self._outbound: F64 = np.where(other >= 0, outbound, np.nan)  # [N, B]

    def at(self, day: I64, booking: I64, now: F64, share: F64) -> F64:
        """The call of each return, all [M]: that of which a `share` of what is left after `now` comes before.

        Infinite where the patient should have called by now.
        """
        return call_times(call_table(), self._outbound[day, booking], now, share)
