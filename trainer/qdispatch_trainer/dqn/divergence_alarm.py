"""When to stop a training that has gone wrong, instead of burning hours on it."""

from __future__ import annotations

import math
from dataclasses import dataclass


class Diverged(Exception):
    """The training diverged; the message says by which sign."""


@dataclass(slots=True)
class DivergenceAlarm:
    """Raises `Diverged` on a loss that is not finite, values beyond any possible return, or errors that keep growing.

    `value_limit_min` is the largest |Q| that a day can justify. The smoothed absolute TD error may be at most
    `growth_limit` times the lowest it has been since `grace_updates`.
    """

    value_limit_min: float
    growth_limit: float = 10.0
    grace_updates: int = 2_000
    smoothing: float = 0.005
    updates: int = 0
    smoothed_error_min: float = 0.0
    lowest_error_min: float = math.inf

    def state_dict(self) -> dict[str, float]:
        """What it has seen so far; `load_state_dict` continues from it."""
        return {
            "updates": self.updates,
            "smoothed_error_min": self.smoothed_error_min,
            "lowest_error_min": self.lowest_error_min,
        }

    def load_state_dict(self, state: dict[str, float]) -> None:
        """Continue from `state_dict`."""
        self.updates = int(state["updates"])
        self.smoothed_error_min = state["smoothed_error_min"]
        self.lowest_error_min = state["lowest_error_min"]

    def check(self, loss: float, mean_abs_error_min: float, largest_q_min: float) -> None:
        """Look at one update."""
        if not (math.isfinite(loss) and math.isfinite(largest_q_min)):
            raise Diverged(f"The loss is {loss} after {self.updates} updates.")
        if largest_q_min > self.value_limit_min:
            raise Diverged(
                f"|Q| reached {largest_q_min:.0f} minutes-equivalent after {self.updates} updates; "
                f"no day can cost {self.value_limit_min:.0f}."
            )
        self.updates += 1
        rate = max(self.smoothing, 1.0 / self.updates)
        self.smoothed_error_min += rate * (mean_abs_error_min - self.smoothed_error_min)
        if self.updates < self.grace_updates:
            return
        self.lowest_error_min = min(self.lowest_error_min, self.smoothed_error_min)
        if self.smoothed_error_min > self.growth_limit * self.lowest_error_min:
            raise Diverged(
                f"The TD error grew from {self.lowest_error_min:.2f} to {self.smoothed_error_min:.2f} "
                f"minutes-equivalent after {self.updates} updates."
            )
