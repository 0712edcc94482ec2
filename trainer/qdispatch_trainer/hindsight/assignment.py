"""The assignment problem (Kuhn 1955), compiled: shortest augmenting paths (Jonker and Volgenant 1987)."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.compiled.jit import kernel


@kernel
def cheapest_assignment(cost: np.ndarray, n: int, chosen: np.ndarray) -> None:
    """Write into `chosen[:n]` the column of each row of `cost[:n, :n]` such that the sum is least."""
    row_price, column_price = np.zeros(n + 1), np.zeros(n + 1)
    row_of = np.zeros(n + 1, np.int64)  # of each column, counted from 1; 0 is nobody
    before = np.zeros(n + 1, np.int64)
    for row in range(1, n + 1):
        row_of[0] = row
        column = 0
        least = np.full(n + 1, np.inf)
        used = np.zeros(n + 1, np.bool_)
        while row_of[column] != 0:
            used[column] = True
            at, step, following = row_of[column], np.inf, 0
            for j in range(1, n + 1):
                if not used[j]:
                    reduced = cost[at - 1, j - 1] - row_price[at] - column_price[j]
                    if reduced < least[j]:
                        least[j], before[j] = reduced, column
                    if least[j] < step:
                        step, following = least[j], j
            for j in range(n + 1):
                if used[j]:
                    row_price[row_of[j]] += step
                    column_price[j] -= step
                else:
                    least[j] -= step
            column = following
        while column != 0:
            row_of[column] = row_of[before[column]]
            column = before[column]
    for j in range(1, n + 1):
        chosen[row_of[j] - 1] = j - 1
