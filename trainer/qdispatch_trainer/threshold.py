"""The commit threshold: what is added to Q(wait), chosen by playing whole validation days.

Repeated waiting is the failure mode of a learned policy: an error of one unit in Q(wait) is made at every event. No
loss shows it, so the threshold is set in closed loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qdispatch_trainer.paired_difference import Interval, paired_difference

WAIT_BIASES_MIN = (-32.0, -16.0, -8.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


@dataclass(frozen=True, slots=True)
class Calibration:
    """The chosen threshold, what each tried one returned, and the gain over no threshold."""

    chosen_min: float
    mean_return: dict[float, float]  # minutes-equivalent a day, per threshold
    gain: Interval  # chosen minus 0, paired by day


def calibrate(
    returns_of: Callable[[float], npt.NDArray[np.float64]], biases: Sequence[float] = WAIT_BIASES_MIN
) -> Calibration:
    """Try every threshold on the same days; `returns_of(bias)` plays them, returns [N].

    0 stays unless another one is better by the whole 95 % interval: a threshold within the noise is no gain.
    """
    returns = {bias: returns_of(bias) for bias in sorted({0.0, *biases})}
    best = max(returns, key=lambda bias: float(returns[bias].mean()))
    gain = paired_difference(returns[best], returns[0.0])
    if best != 0.0 and (gain.low is None or gain.low <= 0.0):
        best = 0.0
        gain = paired_difference(returns[0.0], returns[0.0])
    means = {bias: float(values.mean()) for bias, values in returns.items()}
    return Calibration(chosen_min=best, mean_return=means, gain=gain)
