"""What a loaded network can do, whatever its kind: the one interface that replay, export and server use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from qdispatch_bundle.onnx_session import Array
from qdispatch_domain.situation import Scorer, Situation


class Model(Scorer, Protocol):
    """A network with its own way to look at a snapshot. As a `Scorer` it is handed to `decide`."""

    def inputs(self, situation: Situation, day: int) -> Mapping[str, Array]:
        """The graph's inputs of one day of the situation, by name; empty when it has no pair to score."""

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """The graph's outputs, by name. Raises ModelOutputError when one is NaN or infinite."""
