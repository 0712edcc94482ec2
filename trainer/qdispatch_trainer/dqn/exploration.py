"""Epsilon-greedy: how often, and which action."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class EpsilonSchedule:
    """Linear from `start` to `end` over the first `decay_share` of the training, then constant."""

    start: float
    end: float
    decay_share: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.end <= self.start <= 1.0:
            raise ValueError(f"Expected 0 <= end <= start <= 1, got start {self.start}, end {self.end}.")
        if not 0.0 < self.decay_share <= 1.0:
            raise ValueError(f"Expected decay_share in (0, 1], got {self.decay_share}.")

    def at(self, share: float) -> float:
        """Probability of a random action when `share` (in [0, 1]) of the training is done."""
        return self.start + (self.end - self.start) * min(1.0, share / self.decay_share)


def explore(greedy: int, mask: np.ndarray, epsilon: float, rng: np.random.Generator) -> int:
    """The greedy action, or with probability epsilon a uniformly random feasible one. `mask` is [1 + P] bool.

    Always draws twice, so that the random stream does not depend on the outcome.
    """
    coin, pick = rng.random(2)
    if coin >= epsilon:
        return greedy
    feasible = np.flatnonzero(mask)
    return int(feasible[int(pick * len(feasible))])
