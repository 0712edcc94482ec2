"""Means with their 95 % confidence intervals, and differences paired by day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the half width of its 95 % confidence interval; None where fewer than two days leave it open."""

    mean: float
    half_width: float | None
    days: int

    @property
    def low(self) -> float | None:
        """Lower end."""
        return None if self.half_width is None else self.mean - self.half_width

    @property
    def high(self) -> float | None:
        """Upper end."""
        return None if self.half_width is None else self.mean + self.half_width


def interval(values: npt.NDArray[np.float64]) -> Interval:
    """Mean and 95 % interval (Student's t) of independent values [N]; NaN values (no such trip that day) are left out.

    Raises ValueError when nothing is left.
    """
    kept = values[np.isfinite(values)]
    if len(kept) == 0:
        raise ValueError("Expected at least one day with a value.")
    if len(kept) == 1:
        return Interval(float(kept[0]), None, 1)
    half = float(student.ppf(0.975, len(kept) - 1)) * float(kept.std(ddof=1)) / float(np.sqrt(len(kept)))
    return Interval(float(kept.mean()), half, len(kept))


def paired_difference(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> Interval:
    """Mean of a - b over the same days, with the interval of the difference. Raises ValueError on other lengths."""
    if a.shape != b.shape:
        raise ValueError(f"Expected the same days, got {len(a)} and {len(b)}.")
    return interval(a - b)
