"""What one day of acting leaves behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

ObservationT = TypeVar("ObservationT")


@dataclass(frozen=True, slots=True)
class Step(Generic[ObservationT]):
    """One decision and what followed until the next one (or the end of the day)."""

    observation: ObservationT
    mask: npt.NDArray[np.bool_]  # [1 + P], 0 = wait
    action: int  # 0 = wait, 1 + k = pair k
    reward: float  # minutes-equivalent, sum until the next decision
    elapsed_min: float  # service-day minutes until the next decision; 0 after an insertion


@dataclass(frozen=True, slots=True)
class DayTrace(Generic[ObservationT]):
    """The decisions of one day in order.

    `final` is the observation and mask after the last step if the day was cut off (truncated) and so still has a
    future to bootstrap from; None when the day really ended (terminated).
    """

    steps: Sequence[Step[ObservationT]] = field(default_factory=list)
    final: tuple[ObservationT, npt.NDArray[np.bool_]] | None = None
