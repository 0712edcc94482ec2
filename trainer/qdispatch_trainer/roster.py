"""When shifts start: staffed against the forecast of the working day, as a dispatcher plans a roster days ahead.

Drivers are added one by one, each where a shift lowers the lost work most; the work lost in a quarter
of an hour is that of Erlang's loss formula (Erlang 1917). A quarter without anybody counts `NOBODY` times: its legs go
unserved.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from qdispatch_domain.start_times import FIRST_HOUR, LEGS_PER_THOUSAND_BY_HOUR, SLOT_MIN
from qdispatch_trainer.workforce import BUSY_AFTER_MIN, BUSY_BEFORE_MIN, EARLIEST_START, LATEST_START, NOBODY

F64 = npt.NDArray[np.float64]


@cache
def roster(drivers: int, legs: float, shift_min: float) -> tuple[float, ...]:
    """Start of the shift of each of `drivers`, in the order they are added, service-day minutes."""
    slot_start, work_s = _work(legs)
    starts = np.arange(EARLIEST_START, LATEST_START + SLOT_MIN, SLOT_MIN)
    on_duty = (slot_start >= starts[:, None]) & (slot_start + SLOT_MIN <= starts[:, None] + shift_min)  # [starts, S]
    staff = np.zeros(slot_start.size, dtype=np.int64)
    lost = _lost_work(work_s, drivers)  # [staff, S]
    chosen = []
    slot = np.arange(slot_start.size)
    for _ in range(drivers):
        saved = lost[staff, slot] - lost[staff + 1, slot]
        best = int(np.argmax(on_duty @ saved))
        chosen.append(float(starts[best]))
        staff += on_duty[best]
    return tuple(chosen)


def _work(legs: float) -> tuple[F64, F64]:
    """Quarter hours of the day [S] and the drivers that a day of `legs` legs keeps busy in each, [S]."""
    per_thousand = np.repeat(LEGS_PER_THOUSAND_BY_HOUR, 60 // SLOT_MIN) / (60 // SLOT_MIN)
    before, after = BUSY_BEFORE_MIN // SLOT_MIN, BUSY_AFTER_MIN // SLOT_MIN
    work: F64 = np.asarray(
        np.convolve(legs * per_thousand / sum(LEGS_PER_THOUSAND_BY_HOUR), np.ones(before + after)), np.float64
    )
    start = 60.0 * FIRST_HOUR - BUSY_BEFORE_MIN + SLOT_MIN * np.arange(work.size, dtype=np.float64)
    return start, work


def _lost_work(work_s: F64, most: int) -> F64:
    """Work lost with 0 to `most` drivers on duty, [most + 1, S]: Erlang's B by its recursion."""
    blocking = np.ones_like(work_s)
    rows = [NOBODY * work_s]
    for staff in range(1, most + 1):
        blocking = work_s * blocking / (staff + work_s * blocking)
        rows.append(work_s * blocking)
    return np.array(rows)
