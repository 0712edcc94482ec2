"""The network, its slow average and their updates from labelled states."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any

import torch

from qdispatch_trainer.imitation.imitation_loss import Labels, imitation_terms
from qdispatch_trainer.imitation.reading import PAIR, Reading, Values
from qdispatch_trainer.imitation.states import States
from qdispatch_trainer.networks.build import QNetwork


@dataclass(frozen=True, slots=True)
class LearnerConfig:
    """How the network is updated."""

    learning_rate: float = 1e-3
    final_learning_rate: float = 5e-5  # reached on a cosine (Loshchilov and Hutter 2017, eq. 5, without restarts)
    batch_size: int = 256
    average_rate: float = 2e-3  # the network that acts, is judged and kept: average += rate x (online - average);
    # faster at first: after n updates at least 10 / (10 + n), so that it never lags far behind a new network
    unit_min: float = 5.0  # minutes-equivalent of advantage per unit of the commit logit
    driver_weight: float = 0.1  # of the driver term; the commit term has 1
    forced_weight: float = 0.5
    gradient_clip: float = 5.0

    def __post_init__(self) -> None:
        if not 0.0 < self.final_learning_rate <= self.learning_rate:
            raise ValueError("Expected 0 < final_learning_rate <= learning_rate.")
        if self.batch_size < 1:
            raise ValueError(f"Expected batch_size >= 1, got {self.batch_size}.")
        if not 0.0 < self.average_rate <= 1.0:
            raise ValueError(f"Expected average_rate in (0, 1], got {self.average_rate}.")
        for name in ("unit_min", "gradient_clip"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"Expected {name} > 0, got {getattr(self, name)}.")
        for name in ("driver_weight", "forced_weight"):
            if not getattr(self, name) >= 0.0:
                raise ValueError(f"Expected {name} >= 0, got {getattr(self, name)}.")


class ImitationLearner:
    """Updates a network towards a teacher's labels."""

    def __init__(self, network: QNetwork, reading: Reading, config: LearnerConfig) -> None:
        self.network = network
        self.average = copy.deepcopy(network).eval()
        for parameter in self.average.parameters():
            parameter.requires_grad_(False)
        self.config = config
        self._reading = reading
        self._optimizer = torch.optim.Adam(network.parameters(), lr=config.learning_rate, fused=True)
        self._updates = 0

    def learning_rate(self, progress: float) -> float:
        """Cosine from the initial to the final learning rate; `progress` in [0, 1]."""
        start, end = self.config.learning_rate, self.config.final_learning_rate
        return end + 0.5 * (start - end) * (1.0 + math.cos(math.pi * min(1.0, max(0.0, progress))))

    def loss(self, values: Values, states: States) -> tuple[torch.Tensor, dict[str, float]]:
        """The weighted sum of the imitation terms of labelled states, and the terms by name."""
        labels = labels_of(states)
        terms = imitation_terms(values, labels, self.config.unit_min)
        loss = terms.commit + self.config.driver_weight * terms.driver + self.config.forced_weight * terms.forced
        named = {"commit": terms.commit, "driver": terms.driver, "forced": terms.forced}
        return loss, {name: float(term.detach()) for name, term in named.items()}

    def update(self, states: States, progress: float) -> dict[str, float]:
        """One gradient step on a batch of labelled states; `progress` in [0, 1] sets the learning rate."""
        self.network.train()
        loss, report = self.loss(self._reading.values(self.network, states), states)
        self.step(loss, self.learning_rate(progress))
        return {"loss": float(loss.detach()), **report}

    def step(self, loss: torch.Tensor, learning_rate: float) -> None:
        """Descend `loss`, then let the average follow. Raises FloatingPointError when the loss is not finite."""
        if not math.isfinite(float(loss.detach())):
            raise FloatingPointError(f"The loss is {float(loss.detach())}.")
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.gradient_clip)
        self._optimizer.step()
        self._updates += 1
        rate = max(self.config.average_rate, 10.0 / (10.0 + self._updates))
        with torch.no_grad():
            online: list[torch.Tensor] = list(self.network.parameters())
            torch._foreach_lerp_(list(self.average.parameters()), online, rate)

    def state_dict(self) -> dict[str, Any]:
        """Network, average and optimizer, as copies."""
        return copy.deepcopy(
            {
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self._optimizer.state_dict(),
                "updates": self._updates,
            }
        )

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue exactly from `state_dict`."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._updates = int(state["updates"])


def labels_of(states: States) -> Labels:
    """The teacher's labels of stored states."""
    pairs = states.columns[PAIR]
    return Labels(*(torch.from_numpy(pairs[name]) for name in ("commit", "preferred", "must")))
