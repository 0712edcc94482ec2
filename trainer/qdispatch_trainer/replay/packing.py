"""Observations as a few long arrays, for saving a replay memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np

from qdispatch_domain.observation import Observation

T = TypeVar("T")
Arrays = dict[str, np.ndarray]

_DRIVER_ROWS = ("driver_features",)
_BOOKING_ROWS = ("booking_features",)
_PAIR_ROWS = ("pair_features", "pair_driver", "pair_booking", "pair_cost")


class Packing(Protocol[T]):
    """How one kind of observation is measured and stored."""

    def n_bytes(self, observation: T) -> int:
        """Bytes of its arrays."""

    def pack(self, observations: Sequence[T]) -> Arrays:
        """All of them as arrays."""

    def unpack(self, arrays: Arrays) -> list[T]:
        """The inverse of `pack`, bit for bit."""


class SparsePacking:
    """The sparse observation of the set network."""

    def n_bytes(self, observation: Observation) -> int:
        """Bytes of the seven arrays."""
        names = (*_DRIVER_ROWS, *_BOOKING_ROWS, *_PAIR_ROWS, "context")
        return sum(int(getattr(observation, name).nbytes) for name in names)

    def pack(self, observations: Sequence[Observation]) -> Arrays:
        """Rows concatenated, with the counts beside them."""
        if not observations:
            return {}
        arrays: Arrays = {
            "n_driver": np.array([len(o.driver_features) for o in observations]),
            "n_booking": np.array([len(o.booking_features) for o in observations]),
            "n_pair": np.array([len(o.pair_features) for o in observations]),
            "context": np.stack([o.context for o in observations]),
        }
        for name in (*_DRIVER_ROWS, *_BOOKING_ROWS, *_PAIR_ROWS):
            arrays[name] = np.concatenate([getattr(o, name) for o in observations])
        return arrays

    def unpack(self, arrays: Arrays) -> list[Observation]:
        """Observations again."""
        if not arrays:
            return []
        rows = {
            **{name: np.split(arrays[name], np.cumsum(arrays["n_driver"])[:-1]) for name in _DRIVER_ROWS},
            **{name: np.split(arrays[name], np.cumsum(arrays["n_booking"])[:-1]) for name in _BOOKING_ROWS},
            **{name: np.split(arrays[name], np.cumsum(arrays["n_pair"])[:-1]) for name in _PAIR_ROWS},
            "context": list(arrays["context"]),
        }
        return [Observation(**{name: parts[i] for name, parts in rows.items()}) for i in range(len(arrays["n_driver"]))]


class StatePacking:
    """The classic state vector of the flat network, [122] float32."""

    def n_bytes(self, observation: np.ndarray) -> int:
        """Bytes of the vector."""
        return int(observation.nbytes)

    def pack(self, observations: Sequence[np.ndarray]) -> Arrays:
        """One matrix."""
        return {"state": np.stack(observations)} if observations else {}

    def unpack(self, arrays: Arrays) -> list[np.ndarray]:
        """Its rows."""
        return list(arrays["state"]) if arrays else []
