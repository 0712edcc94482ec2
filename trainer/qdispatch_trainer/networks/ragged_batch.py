"""Situations of different sizes as one batch: rows concatenated, with the row -> situation index beside them.

Shape letters used here and in the networks: G situations in the batch; D, B, P driver, booking and pair rows of
all situations together; A = G + P actions of all situations together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from qdispatch_domain.observation import Observation


@dataclass(frozen=True, slots=True)
class RaggedBatch:
    """G observations concatenated. Pair indices already point into the concatenated driver and booking rows."""

    driver_features: Tensor  # [D, Fd] float32
    booking_features: Tensor  # [B, Fb] float32
    pair_features: Tensor  # [P, Fp] float32
    pair_driver: Tensor  # [P] int64, row of driver_features
    pair_booking: Tensor  # [P] int64, row of booking_features
    context: Tensor  # [G, Fc] float32
    pair_cost: Tensor  # [P] float32, minutes-equivalent, unscaled
    driver_graph: Tensor  # [D] int64, situation of the row
    booking_graph: Tensor  # [B] int64
    pair_graph: Tensor  # [P] int64

    @property
    def size(self) -> int:
        """G, the number of situations."""
        return int(self.context.shape[0])


@dataclass(frozen=True, slots=True)
class ActionValues:
    """Values of every action of every situation, flat; `situation_A` says whose action it is.

    In a ragged batch the first G entries are the waits in the order of the situations, the pairs follow in the order
    of the rows. In a dense batch (flat network) they are the rows of [G, 201] one after the other.
    """

    q_A: Tensor  # [A] float32, minutes-equivalent
    situation_A: Tensor  # [A] int64
    size: int  # G


def _stack(rows: Sequence[np.ndarray], counts: np.ndarray) -> tuple[Tensor, Tensor]:
    graph = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    return torch.from_numpy(np.concatenate(rows).astype(np.float32, copy=False)), torch.from_numpy(graph)


def collate(observations: Sequence[Observation]) -> RaggedBatch:
    """Concatenate observations. Raises ValueError for an empty sequence."""
    if not observations:
        raise ValueError("Expected at least one observation to collate.")
    n_driver_G = np.array([len(o.driver_features) for o in observations], dtype=np.int64)
    n_booking_G = np.array([len(o.booking_features) for o in observations], dtype=np.int64)
    n_pair_G = np.array([len(o.pair_features) for o in observations], dtype=np.int64)
    first_driver_G = np.cumsum(n_driver_G) - n_driver_G
    first_booking_G = np.cumsum(n_booking_G) - n_booking_G
    driver_features, driver_graph = _stack([o.driver_features for o in observations], n_driver_G)
    booking_features, booking_graph = _stack([o.booking_features for o in observations], n_booking_G)
    pair_features, pair_graph = _stack([o.pair_features for o in observations], n_pair_G)
    pair_driver = np.concatenate([o.pair_driver for o in observations]).astype(np.int64)
    pair_booking = np.concatenate([o.pair_booking for o in observations]).astype(np.int64)
    return RaggedBatch(
        driver_features=driver_features,
        booking_features=booking_features,
        pair_features=pair_features,
        pair_driver=torch.from_numpy(pair_driver + np.repeat(first_driver_G, n_pair_G)),
        pair_booking=torch.from_numpy(pair_booking + np.repeat(first_booking_G, n_pair_G)),
        context=torch.from_numpy(np.stack([o.context for o in observations]).astype(np.float32, copy=False)),
        pair_cost=torch.from_numpy(np.concatenate([o.pair_cost for o in observations]).astype(np.float32, copy=False)),
        driver_graph=driver_graph,
        booking_graph=booking_graph,
        pair_graph=pair_graph,
    )


def flat_action_index(n_pair_G: np.ndarray, action_G: np.ndarray) -> Tensor:
    """Entry of `ActionValues.q_A` of each situation's action, [G] int64.

    `n_pair_G` [G] counts the pairs of each situation; `action_G` [G] counts within the situation: 0 = wait, 1 + k = its
    k-th pair. Raises ValueError when one is out of range.
    """
    if action_G.shape != n_pair_G.shape or (action_G < 0).any() or (action_G > n_pair_G).any():
        raise ValueError("Expected one action per situation: 0 (wait) or 1 + a row of its pairs.")
    first_pair_G = np.cumsum(n_pair_G) - n_pair_G
    size = len(n_pair_G)
    return torch.from_numpy(np.where(action_G == 0, np.arange(size), size + first_pair_G + action_G - 1))


def flat_action_mask(masks: Sequence[np.ndarray]) -> Tensor:
    """Masks per situation [1 + P_g] (0 = wait first) as one mask over `ActionValues.q_A`, [A] bool."""
    wait_G = np.array([mask[0] for mask in masks], dtype=np.bool_)
    return torch.from_numpy(np.concatenate([wait_G, *[mask[1:] for mask in masks]]).astype(np.bool_))
