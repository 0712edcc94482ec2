"""How each network reads observations: the only place where the two kinds differ for the agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from qdispatch_domain.observation import Observation
from qdispatch_trainer.networks.build import QNetwork
from qdispatch_trainer.networks.flat_network import FlatNetwork
from qdispatch_trainer.networks.ragged_batch import ActionValues, collate, flat_action_index, flat_action_mask
from qdispatch_trainer.networks.set_network import SetNetwork

T_contra = TypeVar("T_contra", contravariant=True)
Mask = npt.NDArray[np.bool_]


class Adapter(Protocol[T_contra]):
    """From observations of one kind to flat action values."""

    def values(self, network: QNetwork, observations: Sequence[T_contra]) -> ActionValues:
        """Values of every action of the G observations."""

    def mask(self, masks: Sequence[Mask]) -> Tensor:
        """[A] bool in the order of `values`."""

    def index(self, observations: Sequence[T_contra], action_G: npt.NDArray[np.int64]) -> Tensor:
        """[G] int64, entry of each situation's action in the order of `values`."""

    def rows(self, values: ActionValues, observations: Sequence[T_contra]) -> list[npt.NDArray[np.float32]]:
        """Per situation its values in the order of its own actions, 0 = wait."""


class SetAdapter:
    """Sparse observations for the set network."""

    def values(self, network: QNetwork, observations: Sequence[Observation]) -> ActionValues:
        """See `Adapter.values`."""
        if not isinstance(network, SetNetwork):
            raise TypeError("Expected a set network for sparse observations.")
        out: ActionValues = network(collate(observations))
        return out

    def mask(self, masks: Sequence[Mask]) -> Tensor:
        """See `Adapter.mask`."""
        return flat_action_mask(masks)

    def index(self, observations: Sequence[Observation], action_G: npt.NDArray[np.int64]) -> Tensor:
        """See `Adapter.index`."""
        return flat_action_index(np.array([len(o.pair_cost) for o in observations], dtype=np.int64), action_G)

    def rows(self, values: ActionValues, observations: Sequence[Observation]) -> list[npt.NDArray[np.float32]]:
        """See `Adapter.rows`."""
        q_A = values.q_A.detach().numpy()
        ends = np.cumsum([len(o.pair_cost) for o in observations])
        pairs = np.split(q_A[values.size :], ends[:-1])
        return [np.concatenate([q_A[g : g + 1], q_pair]) for g, q_pair in enumerate(pairs)]


class FlatAdapter:
    """Classic state vectors for the flat network."""

    def values(self, network: QNetwork, observations: Sequence[npt.NDArray[np.float32]]) -> ActionValues:
        """See `Adapter.values`."""
        if not isinstance(network, FlatNetwork):
            raise TypeError("Expected a flat network for classic states.")
        out: ActionValues = network(torch.from_numpy(np.stack(observations)))
        return out

    def mask(self, masks: Sequence[Mask]) -> Tensor:
        """See `Adapter.mask`."""
        return torch.from_numpy(np.concatenate(masks))

    def index(self, observations: Sequence[Any], action_G: npt.NDArray[np.int64], n_action: int = 201) -> Tensor:
        """See `Adapter.index`."""
        if action_G.shape != (len(observations),) or (action_G < 0).any() or (action_G >= n_action).any():
            raise ValueError(f"Expected one action in [0, {n_action}) per situation.")
        return torch.from_numpy(np.arange(len(observations), dtype=np.int64) * n_action + action_G)

    def rows(self, values: ActionValues, observations: Sequence[Any]) -> list[npt.NDArray[np.float32]]:
        """See `Adapter.rows`."""
        return list(values.q_A.detach().numpy().reshape(len(observations), -1))
