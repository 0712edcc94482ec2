"""The one mapping between candidate pairs and the numbers of a Discrete action space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qdispatch_trainer.day import I64

WAIT_ACTION = 0


@dataclass(frozen=True, slots=True)
class ActionCodec:
    """0 is wait, 1 + driver * slots + slot inserts the open booking of that row into that driver's schedule.

    Rows are those of the observation. Numbers from `size` on are free for actions of a driver alone (hold, reposition).
    """

    drivers: int
    slots: int  # rows of open bookings

    def __post_init__(self) -> None:
        if self.drivers < 1 or self.slots < 1:
            raise ValueError("Expected at least one driver and one slot.")

    @property
    def size(self) -> int:
        """Number of actions."""
        return 1 + self.drivers * self.slots

    def encode(self, driver: I64, slot: I64) -> I64:
        """Actions [M] of (driver row, booking row) pairs. ValueError for a row outside."""
        if bool(np.any((driver < 0) | (driver >= self.drivers) | (slot < 0) | (slot >= self.slots))):
            raise ValueError(f"Expected driver rows below {self.drivers} and booking rows below {self.slots}.")
        return 1 + driver * self.slots + slot

    def decode(self, action: int) -> tuple[int, int] | None:
        """(driver row, booking row), or None for wait. ValueError for a number that is no action."""
        if not 0 <= action < self.size:
            raise ValueError(f"action {action} is outside 0 to {self.size - 1}")
        if action == WAIT_ACTION:
            return None
        driver, slot = divmod(action - 1, self.slots)
        return driver, slot
