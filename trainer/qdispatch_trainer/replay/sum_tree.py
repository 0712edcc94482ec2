"""A sum tree: sampling in proportion to priorities in O(log n), all in numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


class SumTree:
    """Priorities of `capacity` leaves. Inner nodes are recomputed from their children, so no rounding error grows."""

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"Expected capacity >= 1, got {capacity}.")
        self._n_leaves = 1 << max(0, capacity - 1).bit_length()
        self._node = np.zeros(2 * self._n_leaves)

    @property
    def total(self) -> float:
        """Sum of all priorities."""
        return float(self._node[1])

    def get(self, leaf: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Priorities of the leaves, [N]."""
        return self._node[leaf + self._n_leaves]

    def set(self, leaf: npt.NDArray[np.int64], priority: npt.NDArray[np.float64]) -> None:
        """Set priorities [N] >= 0; of a leaf named twice, the last one counts."""
        if len(leaf) == 0:
            return
        if not np.isfinite(priority).all() or (priority < 0).any():
            raise ValueError("Expected finite priorities >= 0.")
        node = leaf + self._n_leaves
        self._node[node] = priority
        while node[0] > 1:
            node = np.unique(node >> 1)
            self._node[node] = self._node[2 * node] + self._node[2 * node + 1]

    def find(self, mass: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """The leaf in which each point [N] of [0, total) lies, when the priorities are laid end to end."""
        node = np.ones(len(mass), dtype=np.int64)
        mass = mass.copy()
        while node[0] < self._n_leaves:
            left = self._node[2 * node]
            # Never into an empty half: a mass rounded up to the border must not find a leaf without priority.
            right = (mass >= left) & (self._node[2 * node + 1] > 0.0)
            mass = np.where(right, mass - left, mass)
            node = 2 * node + right
        return node - self._n_leaves
