"""Every hyperparameter of the agent; all of them reach it (a test changes each one and sees a difference)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """How the network is updated. Minutes are minutes-equivalent of the cost."""

    learning_rate: float = 1e-3
    final_learning_rate: float = 1e-4  # reached linearly at the end of the training
    batch_size: int = 128
    double: bool = True  # Double DQN; False: plain DQN, argmax by the target network
    target_rate: float = 0.01  # soft update: target += rate x (online - target), after every update
    average_rate: float = 1.0  # the network that is judged and kept: average += rate x (online - average); 1: none
    reward_unit_min: float = 20.0  # errors are divided by this before the loss
    huber_width: float = 1.0  # in reward units
    gradient_clip: float = 10.0  # largest norm of the gradient

    def __post_init__(self) -> None:
        if not 0.0 < self.final_learning_rate <= self.learning_rate:
            raise ValueError(
                f"Expected 0 < final_learning_rate <= learning_rate, got {self.final_learning_rate}, "
                f"{self.learning_rate}."
            )
        if self.batch_size < 1:
            raise ValueError(f"Expected batch_size >= 1, got {self.batch_size}.")
        if not 0.0 < self.target_rate <= 1.0:
            raise ValueError(f"Expected target_rate in (0, 1], got {self.target_rate}.")
        if not 0.0 < self.average_rate <= 1.0:
            raise ValueError(f"Expected average_rate in (0, 1], got {self.average_rate}.")
        for name in ("reward_unit_min", "huber_width", "gradient_clip"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"Expected {name} > 0, got {getattr(self, name)}.")
