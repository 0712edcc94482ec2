"""The `flat` network: the fully connected reference on the classic 10 x 20 view."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from qdispatch_trainer.networks.ragged_batch import ActionValues


@dataclass(frozen=True, slots=True)
class FlatNetworkConfig:
    """Layer sizes of the flat network: 122 -> 512 -> 256 -> 128 -> 201 by default, 253,129 parameters.

    `value_unit_min` is the minutes-equivalent of one unit of the last layer (reward scaling, undone inside).
    """

    n_state: int = 122
    n_action: int = 201
    hidden: tuple[int, ...] = (512, 256, 128)
    dropout: float = 0.0
    value_unit_min: float = 100.0

    def __post_init__(self) -> None:
        if self.n_state < 1 or self.n_action < 2 or len(self.hidden) != 3 or min(self.hidden) < 1:
            raise ValueError("Expected n_state >= 1, n_action >= 2 and three hidden sizes >= 1.")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"Expected dropout in [0, 1), got {self.dropout}.")
        if not self.value_unit_min > 0.0:
            raise ValueError(f"Expected value_unit_min > 0, got {self.value_unit_min}.")


class FlatNetwork(nn.Module):
    """state [G, 122] float32 -> q [G, 201] float32, minutes-equivalent; action 0 is wait. The mask is the caller's."""

    def __init__(self, config: FlatNetworkConfig) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = []
        width = config.n_state
        for hidden in config.hidden:
            layers += [nn.Linear(width, hidden), nn.ReLU()]
            if config.dropout > 0.0:
                layers.append(nn.Dropout(config.dropout))
            width = hidden
        layers.append(nn.Linear(width, config.n_action))
        self.layers = nn.Sequential(*layers)

    def q(self, state: Tensor) -> Tensor:
        """[G, 122] -> [G, 201]."""
        out: Tensor = self.layers(state) * self.config.value_unit_min
        return out

    def forward(self, state: Tensor) -> ActionValues:
        """[G, 122] -> the values of all G x 201 actions, flat."""
        q_GA = self.q(state)
        size, n_action = q_GA.shape
        situation = torch.arange(size, dtype=torch.int64).repeat_interleave(n_action)
        return ActionValues(q_GA.flatten(), situation, size)
