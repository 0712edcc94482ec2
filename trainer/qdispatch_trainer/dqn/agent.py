"""The agent: a network, its target, an optimizer, and one update from a batch of transitions."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic

import numpy as np
import numpy.typing as npt
import torch

from qdispatch_trainer.dqn.agent_config import AgentConfig
from qdispatch_trainer.dqn.double_dqn_loss import double_dqn_target, huber_loss
from qdispatch_trainer.networks.adapter import Adapter
from qdispatch_trainer.networks.build import QNetwork
from qdispatch_trainer.replay.day_trace import ObservationT
from qdispatch_trainer.replay.replay_memory import Transitions


@dataclass(frozen=True, slots=True)
class UpdateReport:
    """What one update saw. Minutes-equivalent unless said otherwise."""

    loss: float  # of the scaled errors, no unit
    td_error_G: npt.NDArray[np.float64]  # target minus value
    mean_q: float
    largest_q: float  # largest |Q| of the taken actions
    gradient_norm: float  # before clipping


class DqnAgent(Generic[ObservationT]):
    """Knows no environment and no replay memory; acting and looping are the caller's."""

    def __init__(self, network: QNetwork, adapter: Adapter[ObservationT], config: AgentConfig) -> None:
        self.config = config
        self.network = network
        self.adapter = adapter
        self.target = _frozen(network)
        self.average = _frozen(network)  # Polyak and Juditsky 1992: smooths what single updates swing
        self._optimizer = torch.optim.Adam(network.parameters(), lr=config.learning_rate, fused=True)

    def values(self, observations: Sequence[ObservationT]) -> list[npt.NDArray[np.float32]]:
        """Per situation the values of its actions (0 = wait), minutes-equivalent, in eval mode."""
        self.network.eval()
        with torch.no_grad():
            return self.adapter.rows(self.adapter.values(self.network, observations), observations)

    def targets(self, batch: Transitions[ObservationT]) -> torch.Tensor:
        """[G] TD targets, minutes-equivalent. Both networks in eval mode: a target with dropout is noise."""
        self.network.eval()
        with torch.no_grad():
            next_target = self.adapter.values(self.target, batch.next_observations)
            online = self.adapter.values(self.network, batch.next_observations) if self.config.double else next_target
            return double_dqn_target(
                reward_G=torch.from_numpy(batch.reward_G),
                discount_G=torch.from_numpy(batch.discount_G),
                terminated_G=torch.from_numpy(batch.terminated_G),
                next_online_A=online.q_A,
                next_target_A=next_target.q_A,
                next_mask_A=self.adapter.mask(batch.next_masks),
                next_situation_A=next_target.situation_A,
            )

    def update(self, batch: Transitions[ObservationT], progress: float) -> UpdateReport:
        """One gradient step and one soft target update. `progress` in [0, 1] sets the learning rate."""
        target_G = self.targets(batch)
        self.network.train()
        values = self.adapter.values(self.network, batch.observations)
        q_G = values.q_A[self.adapter.index(batch.observations, batch.action_G)]
        error_G = target_G - q_G
        loss = huber_loss(
            error_G / self.config.reward_unit_min, torch.from_numpy(batch.weight_G), self.config.huber_width
        )
        for group in self._optimizer.param_groups:
            group["lr"] = self.learning_rate(progress)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.gradient_clip)
        self._optimizer.step()
        self._follow()
        return UpdateReport(
            loss=loss.item(),
            td_error_G=error_G.detach().numpy().astype(np.float64),
            mean_q=q_G.mean().item(),
            largest_q=q_G.abs().max().item(),
            gradient_norm=norm.item(),
        )

    def learning_rate(self, progress: float) -> float:
        """Linear from the initial to the final learning rate."""
        start, end = self.config.learning_rate, self.config.final_learning_rate
        return start + (end - start) * min(1.0, max(0.0, progress))

    def _follow(self) -> None:
        with torch.no_grad():
            online: list[torch.Tensor] = list(self.network.parameters())
            torch._foreach_lerp_(list(self.target.parameters()), online, self.config.target_rate)
            torch._foreach_lerp_(list(self.average.parameters()), online, self.config.average_rate)

    def state_dict(self) -> dict[str, Any]:
        """Network, target, average and optimizer, as copies."""
        state = {
            "network": self.network.state_dict(),
            "target": self.target.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }
        return copy.deepcopy(state)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue exactly from `state_dict`."""
        self.network.load_state_dict(state["network"])
        self.target.load_state_dict(state["target"])
        self.average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])


def _frozen(network: QNetwork) -> QNetwork:
    """A copy in eval mode that no gradient reaches."""
    copied = copy.deepcopy(network)
    copied.eval()
    for parameter in copied.parameters():
        parameter.requires_grad_(False)
    return copied
