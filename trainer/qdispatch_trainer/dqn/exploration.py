"""Epsilon-greedy: how often, and which action."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class EpsilonSchedule:
    """Linear from `start` to `end` over `decay_steps` decisions, then constant."""

    start: float
    end: float
    decay_steps: int

    def __post_init__(self) -> None:
        if not 0.0 <= self.end <= self.start <= 1.0:
            raise ValueError(f"Expected 0 <= end <= start <= 1, got start {self.start}, end {self.end}.")
        if self.decay_steps < 1:
            raise ValueError(f"Expected decay_steps >= 1, got {self.decay_steps}.")

    def at(self, step: int) -> float:
        """Probability of a random action at decision number `step` (>= 0)."""
        return self.start + (self.end - self.start) * min(1.0, step / self.decay_steps)


def explore(greedy: int, mask: np.ndarray, epsilon: float, rng: np.random.Generator) -> int:
    """The greedy action, or with probability epsilon a uniformly random feasible one. `mask` is [1 + P] bool.

    Always draws twice, so that the random stream does not depend on the outcome.
    """
    coin, pick = rng.random(2)
    if coin >= epsilon:
        return greedy
    feasible = np.flatnonzero(mask)
    return int(feasible[int(pick * len(feasible))])
