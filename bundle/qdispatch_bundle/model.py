"""What a loaded network can do, whatever its kind: the one interface that replay, export and server use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from qdispatch_bundle.onnx_session import Array
from qdispatch_domain.decoder import Scorer
from qdispatch_domain.snapshot import Snapshot


class Model(Scorer, Protocol):
    """A network with its own way to look at a snapshot. As a `Scorer` it is handed to `decide`."""

    def inputs(self, snapshot: Snapshot) -> Mapping[str, Array]:
        """Encode a snapshot into the graph's inputs, by name; empty when there is nothing to score."""

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """The graph's outputs, by name. Raises ModelOutputError when one is NaN or infinite."""
