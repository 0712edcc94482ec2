"""States of different sizes in a few long arrays, and a growing store of them from which batches are gathered.

Rows of all states stand one after another, group by group (drivers, bookings, pairs; `state` has one row a state);
`counts` says how many belong to each state. A batch is a vectorised gather: no Python loop over states or rows.
Features are kept as float16: scaled and clipped to [-4, 4], they lose at most 0.002 of their unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
Columns = Mapping[str, npt.NDArray[np.generic]]
STATE = "state"  # the group with exactly one row per state


@dataclass(frozen=True, slots=True)
class States:
    """G states. `columns[group][name]` is [rows of the group, ...]; `counts[group]` [G] sums to that number of rows."""

    counts: Mapping[str, I64]  # of every group but STATE
    columns: Mapping[str, Columns]

    def __len__(self) -> int:
        return len(next(iter(self.columns[STATE].values())))

    @property
    def n_bytes(self) -> int:
        """Memory of all arrays, bytes."""
        return sum(array.nbytes for columns in self.columns.values() for array in columns.values())

    def rows_of(self, group: str) -> I64:
        """Which state each row of a group belongs to, [rows]."""
        if group == STATE:
            return np.arange(len(self))
        return np.repeat(np.arange(len(self)), self.counts[group])

    def take(self, index: I64) -> States:
        """The states of an index [M], in its order; a state may come several times."""
        counts = {group: n[index] for group, n in self.counts.items()}
        columns: dict[str, Columns] = {}
        for group, of_group in self.columns.items():
            rows = index if group == STATE else ragged_rows(self.counts[group], index)
            columns[group] = {name: array[rows] for name, array in of_group.items()}
        return States(counts, columns)


def ragged_rows(counts: I64, index: I64, first: I64 | None = None) -> I64:
    """Rows of the states `index` [M] where state g has `counts[g]` rows; `first` [G], if known, saves a sum."""
    starts = np.cumsum(counts) - counts if first is None else first
    n = counts[index]
    before = np.cumsum(n) - n
    return np.repeat(starts[index] - before, n) + np.arange(int(n.sum()))


class _Growing:
    """An array that grows at its end; `resize` moves no memory where the system can extend the block."""

    def __init__(self, like: npt.NDArray[np.generic]) -> None:
        self._array = np.empty((0, *like.shape[1:]), like.dtype)
        self._size = 0

    def append(self, rows: npt.NDArray[np.generic]) -> None:
        end = self._size + len(rows)
        if end > len(self._array):
            room = max(end, len(self._array) + len(self._array) // 5)
            self._array.resize((room, *self._array.shape[1:]), refcheck=False)
        self._array[self._size : end] = rows
        self._size = end

    @property
    def rows(self) -> npt.NDArray[np.generic]:
        return self._array[: self._size]


class StateStore:
    """Everything remembered so far. Raises MemoryError beyond its limit, before anything is lost."""

    def __init__(self, limit_mebibytes: int) -> None:
        self._limit = limit_mebibytes * 2**20
        self._counts: dict[str, _Growing] = {}
        self._first: dict[str, _Growing] = {}
        self._total: dict[str, int] = {}
        self._columns: dict[str, dict[str, _Growing]] = {}
        self.n_bytes = 0
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def append(self, states: States) -> None:
        """Add states of the layout of the first ones."""
        if len(states) == 0:
            return
        if self.n_bytes + states.n_bytes > self._limit:
            raise MemoryError(f"The states of this training need more than {self._limit // 2**20} MiB.")
        if not self._columns:
            self._columns = {g: {n: _Growing(a) for n, a in c.items()} for g, c in states.columns.items()}
            self._counts = {group: _Growing(n) for group, n in states.counts.items()}
            self._first = {group: _Growing(n) for group, n in states.counts.items()}
            self._total = dict.fromkeys(states.counts, 0)
        for group, columns in states.columns.items():
            for name, array in columns.items():
                self._columns[group][name].append(array)
        for group, n in states.counts.items():
            self._counts[group].append(n)
            self._first[group].append(self._total[group] + np.cumsum(n) - n)
            self._total[group] += int(n.sum())
        self.n_bytes += states.n_bytes
        self._size += len(states)

    def gather(self, index: I64) -> States:
        """The states of an index [M] into the store, in its order."""
        counts = {group: _whole(n.rows)[index] for group, n in self._counts.items()}
        columns: dict[str, Columns] = {}
        for group, of_group in self._columns.items():
            if group == STATE:
                rows = index
            else:
                rows = ragged_rows(_whole(self._counts[group].rows), index, _whole(self._first[group].rows))
            columns[group] = {name: array.rows[rows] for name, array in of_group.items()}
        return States(counts, columns)

    def column(self, name: str) -> npt.NDArray[np.generic]:
        """A whole column of the group STATE, [S]."""
        return self._columns[STATE][name].rows


def _whole(array: npt.NDArray[np.generic]) -> I64:
    return array.astype(np.int64, copy=False)


def join(parts: list[States]) -> States:
    """States one after another. Raises ValueError for an empty list."""
    if not parts:
        raise ValueError("Expected at least one part.")
    first = parts[0]
    counts = {group: np.concatenate([p.counts[group] for p in parts]) for group in first.counts}
    columns = {
        group: {name: np.concatenate([p.columns[group][name] for p in parts]) for name in of_group}
        for group, of_group in first.columns.items()
    }
    return States(counts, columns)
