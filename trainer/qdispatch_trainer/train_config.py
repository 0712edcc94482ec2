"""Everything that decides how a training goes: frozen, checked when built, stored in the run and its checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from qdispatch_trainer.dqn.agent_config import AgentConfig
from qdispatch_trainer.networks.build import KINDS
from qdispatch_trainer.replay.replay_memory import ReplayConfig
from qdispatch_trainer.scenarios import SCENARIOS


def checked_sizes(sizes: Sequence[int]) -> tuple[int, int, int]:
    """Three widths. Raises ValueError."""
    if len(sizes) != 3 or min(sizes) < 1:
        raise ValueError(f"Expected hidden_sizes to be three numbers >= 1, got {list(sizes)}.")
    return int(sizes[0]), int(sizes[1]), int(sizes[2])


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One training. A round plays `days_per_round` days side by side, then updates the network."""

    scenario: str = "clinic-day"
    network: str = "set"
    seed: int = 0
    days: int = 8_000  # training days (episodes); the run ends when they are played
    decisions: int | None = None  # or when so many decisions are taken, whichever comes first
    days_per_round: int = 32
    updates_per_decision: float = 0.25
    warmup_decisions: int = 2_000  # played before the first update
    epsilon_start: float = 0.3
    epsilon_end: float = 0.02
    epsilon_decay_share: float = 0.5  # of the training
    guided_start: float = 0.5  # share of days on which the guide (regret-2 insertion) acts; it falls to 0
    guided_decay_share: float = 0.7  # of the training
    guide_window_min: float = 60.0  # the guide commits bookings whose decision is due within so many minutes
    validation_days: int = 100
    validate_every_rounds: int = 10
    patience: int | None = 15  # validations without improvement before the training stops; None: never
    checkpoint_every_rounds: int = 10
    calibration_days: int = 200  # closed-loop days per tried commit threshold; 0: no calibration
    value_unit_min: float = 50.0  # per driver (set) or whole (flat): unit of the state value
    advantage_unit_min: float = 10.0  # set network only: unit of the advantages
    hidden_sizes: tuple[int, int, int] | None = None  # embedding, context, pair (set) or layers (flat); None: usual
    dropout: float = 0.0
    threads: int = 1
    agent: AgentConfig = field(default_factory=AgentConfig)
    replay: ReplayConfig = field(default_factory=ReplayConfig)

    def __post_init__(self) -> None:
        if self.scenario not in SCENARIOS:
            raise ValueError(f"Expected scenario to be one of {', '.join(SCENARIOS)}, got {self.scenario!r}.")
        if self.network not in KINDS:
            raise ValueError(f"Expected network to be one of {', '.join(KINDS)}, got {self.network!r}.")
        if self.hidden_sizes is not None:
            object.__setattr__(self, "hidden_sizes", checked_sizes(self.hidden_sizes))
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"Expected dropout in [0, 1), got {self.dropout}.")
        if self.network == "flat" and self.scenario != "classic-10x20":
            raise ValueError("The flat network has 10 drivers and 20 slots: expected scenario classic-10x20.")
        for name in ("days", "days_per_round", "validation_days", "validate_every_rounds", "checkpoint_every_rounds"):
            if getattr(self, name) < 1:
                raise ValueError(f"Expected {name} >= 1, got {getattr(self, name)}.")
        for name in ("seed", "warmup_decisions", "calibration_days"):
            if getattr(self, name) < 0:
                raise ValueError(f"Expected {name} >= 0, got {getattr(self, name)}.")
        for name in ("decisions", "patience"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ValueError(f"Expected {name} >= 1 or none, got {getattr(self, name)}.")
        if self.threads < 1:
            raise ValueError(f"Expected threads >= 1, got {self.threads}.")
        if not 0.0 <= self.epsilon_end <= self.epsilon_start <= 1.0:
            raise ValueError("Expected 0 <= epsilon_end <= epsilon_start <= 1.")
        if not 0.0 <= self.guided_start <= 1.0:
            raise ValueError(f"Expected guided_start in [0, 1], got {self.guided_start}.")
        if not 0.0 < self.guided_decay_share <= 1.0:
            raise ValueError(f"Expected guided_decay_share in (0, 1], got {self.guided_decay_share}.")
        if not self.guide_window_min >= 0.0:
            raise ValueError(f"Expected guide_window_min >= 0, got {self.guide_window_min}.")
        if not 0.0 < self.epsilon_decay_share <= 1.0:
            raise ValueError(f"Expected epsilon_decay_share in (0, 1], got {self.epsilon_decay_share}.")
        for name in ("updates_per_decision", "value_unit_min", "advantage_unit_min"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"Expected {name} > 0, got {getattr(self, name)}.")

    def to_dict(self) -> dict[str, Any]:
        """Plain values; `from_dict` is the inverse."""
        values = asdict(self)
        return {**values, "hidden_sizes": None if self.hidden_sizes is None else list(self.hidden_sizes)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainConfig:
        """Raises ValueError for an unknown name, so that no setting is lost silently."""
        known = {f.name for f in fields(cls)}
        unknown = set(values) - known
        if unknown:
            raise ValueError(f"Unknown training settings: {', '.join(sorted(unknown))}.")
        try:
            return cls(
                **{
                    **values,
                    "agent": AgentConfig(**values.get("agent", {})),
                    "replay": ReplayConfig(**values.get("replay", {})),
                }
            )
        except TypeError as error:
            raise ValueError(f"The training settings do not fit: {error}") from error
