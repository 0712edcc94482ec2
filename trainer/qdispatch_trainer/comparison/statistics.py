"""Paired differences of many key figures at once: intervals, effect sizes, and p-values corrected for their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from qdispatch_trainer.paired_difference import Interval, interval

F64 = npt.NDArray[np.float64]

LEVEL = 0.05
TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Paired:
    """a - b over the days on which both have a value."""

    difference: Interval
    effect_size: float | None  # mean by standard deviation of the differences (Cohen 1988, d_z); None: no deviation
    p_value: float  # paired t-test, two-sided
    higher: int  # days on which a is higher
    ties: int
    lower: int


def paired(a: F64, b: F64) -> Paired | None:
    """Of two policies' values [N] on the same days; None with fewer than two days that both have values for."""
    if a.shape != b.shape:
        raise ValueError(f"Expected the same days, got {len(a)} and {len(b)}.")
    kept = (a - b)[np.isfinite(a) & np.isfinite(b)]
    if len(kept) < 2:
        return None
    mean, deviation = float(kept.mean()), float(kept.std(ddof=1))
    higher, lower = int((kept > TIE).sum()), int((kept < -TIE).sum())
    counts = {"higher": higher, "ties": len(kept) - higher - lower, "lower": lower}
    if deviation <= TIE:
        return Paired(interval(kept), None, 1.0 if abs(mean) <= TIE else 0.0, **counts)
    t = mean / deviation * len(kept) ** 0.5
    return Paired(interval(kept), mean / deviation, float(2.0 * student.sf(abs(t), len(kept) - 1)), **counts)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """The p-values adjusted for how many they are (Holm 1979): each below a level proves its own difference at it."""
    order = np.argsort(p_values, kind="stable")
    adjusted = np.zeros(len(p_values))
    highest = 0.0
    for place, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = highest
    return tuple(float(p) for p in adjusted)
