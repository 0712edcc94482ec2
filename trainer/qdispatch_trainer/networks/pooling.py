"""Max and mean over the rows of each situation, in two forms that give the same numbers.

`RaggedPooling` serves training (many situations); `SinglePooling` serves the exported graph (one situation, no
situation index, operators that ONNX has). All pooled values are outputs of a ReLU, hence >= 0, so 0 is the neutral
element of max: a row that nothing reaches gets 0.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor


def scatter_max(values: Tensor, row: Tensor, n_rows: int) -> Tensor:
    """[P, H] values >= 0 -> [n_rows, H], the maximum over the values of each row, 0 where there is none."""
    index = row.unsqueeze(1).expand(-1, values.shape[1])
    zeros = torch.zeros((n_rows, values.shape[1]), dtype=values.dtype)
    return torch.scatter_reduce(zeros, 0, index, values, reduce="amax", include_self=True)


class _RowsMax(torch.autograd.Function):
    """`scatter_max` for the exported graph: whole rows by ScatterND, where the exporter's own ScatterElements, which
    goes from number to number, took a third of the graph's time.
    """

    @staticmethod
    def forward(_: Any, zeros: Tensor, row: Tensor, values: Tensor) -> Tensor:
        """[R, H], [P, 1], [P, H] -> [R, H]."""
        return torch.scatter_reduce(zeros, 0, row.expand(-1, values.shape[1]), values, reduce="amax", include_self=True)

    @staticmethod
    def symbolic(graph: Any, zeros: Any, row: Any, values: Any) -> Any:
        """The ONNX operator; its max reduction came with opset 18."""
        return graph.op("ScatterND", zeros, row, values, reduction_s="max").setType(zeros.type())


class Pooling(Protocol):
    """What the set network needs to know about which rows belong to which situation."""

    def rows_max(self, values: Tensor, row: Tensor, n_rows: int) -> Tensor:
        """See `scatter_max`."""

    def pool_drivers(self, values: Tensor) -> Tensor:
        """[D, H] -> [G, 2H], mean then max."""

    def pool_bookings(self, values: Tensor) -> Tensor:
        """[B, H] -> [G, 2H], mean then max."""

    def max_pairs(self, values: Tensor) -> Tensor:
        """[P, H] -> [G, H]."""

    def to_pairs(self, values: Tensor) -> Tensor:
        """[G, H] -> [P, H], or [1, H] to be broadcast."""

    def count_drivers(self, values: Tensor) -> Tensor:
        """[D, H] -> [G] float32, the number of drivers of each situation."""


class RaggedPooling:
    """Many situations; see `RaggedBatch` for the indices."""

    def __init__(self, driver_graph: Tensor, booking_graph: Tensor, pair_graph: Tensor, n_situations: int) -> None:
        self._driver_graph = driver_graph
        self._booking_graph = booking_graph
        self._pair_graph = pair_graph
        self._size = n_situations

    def rows_max(self, values: Tensor, row: Tensor, n_rows: int) -> Tensor:
        """See `scatter_max`."""
        return scatter_max(values, row, n_rows)

    def _pool(self, values: Tensor, graph: Tensor) -> Tensor:
        total = torch.zeros((self._size, values.shape[1])).index_add_(0, graph, values)
        count = torch.bincount(graph, minlength=self._size).clamp(min=1).unsqueeze(1)
        return torch.cat([total / count, scatter_max(values, graph, self._size)], dim=1)

    def pool_drivers(self, values: Tensor) -> Tensor:
        """[D, H] -> [G, 2H]."""
        return self._pool(values, self._driver_graph)

    def pool_bookings(self, values: Tensor) -> Tensor:
        """[B, H] -> [G, 2H]."""
        return self._pool(values, self._booking_graph)

    def max_pairs(self, values: Tensor) -> Tensor:
        """[P, H] -> [G, H]."""
        return scatter_max(values, self._pair_graph, self._size)

    def to_pairs(self, values: Tensor) -> Tensor:
        """[G, H] -> [P, H]."""
        return values.index_select(0, self._pair_graph)  # its gradient is a third faster than that of [ ]

    def count_drivers(self, values: Tensor) -> Tensor:
        """[D, H] -> [G] float32."""
        return torch.bincount(self._driver_graph, minlength=self._size).to(values.dtype)


class SinglePooling:
    """One situation with at least one driver, booking and pair. Not for training: it has no gradient."""

    def rows_max(self, values: Tensor, row: Tensor, n_rows: int) -> Tensor:
        """See `scatter_max`."""
        zeros = torch.zeros((n_rows, values.shape[1]), dtype=values.dtype)
        rows: Tensor = _RowsMax.apply(zeros, row.unsqueeze(1), values)  # type: ignore[no-untyped-call]
        return rows

    def _pool(self, values: Tensor) -> Tensor:
        return torch.cat([values.mean(dim=0, keepdim=True), values.amax(dim=0, keepdim=True)], dim=1)

    def pool_drivers(self, values: Tensor) -> Tensor:
        """[D, H] -> [1, 2H]."""
        return self._pool(values)

    def pool_bookings(self, values: Tensor) -> Tensor:
        """[B, H] -> [1, 2H]."""
        return self._pool(values)

    def max_pairs(self, values: Tensor) -> Tensor:
        """[P, H] -> [1, H]."""
        return values.amax(dim=0, keepdim=True)

    def to_pairs(self, values: Tensor) -> Tensor:
        """[1, H] -> [1, H]; broadcast does the rest."""
        return values

    def count_drivers(self, values: Tensor) -> Tensor:
        """[D, H] -> [1] float32."""
        return torch.ones_like(values[:, :1]).sum(dim=0)
