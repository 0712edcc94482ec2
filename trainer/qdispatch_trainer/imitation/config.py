"""Everything that decides how a training by this recipe goes: frozen, checked when built, stored in the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from qdispatch_trainer.imitation.learner import LearnerConfig
from qdispatch_trainer.imitation.q_stage import QStageConfig
from qdispatch_trainer.imitation.teachers import TEACHERS
from qdispatch_trainer.imitation.training_mix import DEFAULT_MIX, FLAT_MIX, MixGroup
from qdispatch_trainer.networks.build import KINDS
from qdispatch_trainer.policies import HEURISTICS
from qdispatch_trainer.scenarios import SCENARIOS
from qdispatch_trainer.train_config import checked_sizes

RECIPE = "imitate-then-q"
SET_YARDSTICK = {"clinic-day": 300, "fleet-10x60": 60, "urgent-heavy": 60, "fleet-30x200": 12}
SET_DECIDING = {"clinic-day": 500, "fleet-10x60": 150, "urgent-heavy": 120, "fleet-30x200": 40}  # gate and threshold
FLAT_Q_DAYS = {"small": 128}
FLAT_YARDSTICK = {"clinic-day": 200, "classic-10x20": 100}


@dataclass(frozen=True, slots=True)
class ImitateConfig:
    """One training. A round plays every group of the mix, then updates the network."""

    network: str = "set"
    seed: int = 0
    teacher: str = "futures"
    rounds: int = 24
    updates_per_round: int = 500
    beta_start: float = 0.5  # share of days on which the teacher acts; it falls to 0
    beta_end_share: float = 0.5  # of the rounds
    mix: Mapping[str, MixGroup] = field(default_factory=lambda: DEFAULT_MIX)
    store_mebibytes: int = 3_000
    learner: LearnerConfig = field(default_factory=LearnerConfig)
    q_stage: QStageConfig = field(default_factory=QStageConfig)
    gate_days: Mapping[str, int] = field(default_factory=lambda: SET_DECIDING)  # does the Q stage's network ship?
    reference: str = "regret-2"  # what costs are relative to
    validation_days: Mapping[str, int] = field(default_factory=lambda: SET_YARDSTICK)
    validate_every_rounds: int = 4
    calibration_days: Mapping[str, int] = field(default_factory=lambda: SET_DECIDING)  # empty: no calibration
    calibration_biases_min: tuple[float, ...] = (-4.0, -2.0, 2.0, 4.0)
    calibration_sooner_min: tuple[float, ...] = (2.0, 3.0, 4.0)  # per doubling of the fleet; set network only
    value_unit_min: float = 50.0  # per driver (set) or whole (flat): unit of the state value
    advantage_unit_min: float = 10.0  # set network only: unit of the advantages
    hidden_sizes: tuple[int, int, int] | None = None  # embedding, context, pair (set) or layers (flat); None: usual
    dropout: float = 0.0
    threads: int = 1

    def __post_init__(self) -> None:
        for name in ("calibration_biases_min", "calibration_sooner_min"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for name in (
            "mix",
            "validation_days",
            "gate_days",
            "calibration_days",
        ):  # one order, also after a JSON file has sorted them
            object.__setattr__(self, name, dict(sorted(getattr(self, name).items())))
        if self.hidden_sizes is not None:
            object.__setattr__(self, "hidden_sizes", checked_sizes(self.hidden_sizes))
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"Expected dropout in [0, 1), got {self.dropout}.")
        if self.network not in KINDS:
            raise ValueError(f"Expected network to be one of {', '.join(KINDS)}, got {self.network!r}.")
        for name, known in (("teacher", TEACHERS), ("reference", HEURISTICS)):
            if getattr(self, name) not in known:
                raise ValueError(f"Expected {name} to be one of {', '.join(known)}, got {getattr(self, name)!r}.")
        for name in (
            "rounds",
            "updates_per_round",
            "store_mebibytes",
            "validate_every_rounds",
            "threads",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"Expected {name} >= 1, got {getattr(self, name)}.")
        if self.seed < 0:
            raise ValueError(f"Expected seed >= 0, got {self.seed}.")
        if not 0.0 <= self.beta_start <= 1.0:
            raise ValueError(f"Expected beta_start in [0, 1], got {self.beta_start}.")
        if not 0.0 < self.beta_end_share <= 1.0:
            raise ValueError(f"Expected beta_end_share in (0, 1], got {self.beta_end_share}.")
        for name in ("value_unit_min", "advantage_unit_min"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"Expected {name} > 0, got {getattr(self, name)}.")
        if not self.mix:
            raise ValueError("Expected at least one group of training days.")
        if not self.validation_days:
            raise ValueError("Expected at least one validation scenario.")
        if self.q_stage.rounds > 0 and not self.gate_days:
            raise ValueError("Expected gate days: the Q stage's network ships only if it is proved better.")
        unknown = set(self.q_stage.days_per_round) - set(self.mix)
        if self.q_stage.rounds > 0 and unknown:
            raise ValueError(f"Expected the Q stage's groups to be of the mix, got {', '.join(sorted(unknown))}.")
        for days in (self.validation_days, self.gate_days, self.calibration_days):
            for name, count in days.items():
                if name not in SCENARIOS or count < 2:
                    raise ValueError(f"Expected known scenarios with at least 2 days, got {name!r}: {count}.")
        if self.network == "flat":
            self._check_flat()

    def _check_flat(self) -> None:
        if any(group.drivers[1] > 9 for group in self.mix.values()):
            raise ValueError("The flat network has 10 drivers: expected at most 9 REGULAR ones in the mix.")
        used = {name for group in self.mix.values() for name in group.frozen}
        for name in (*used, *self.validation_days, *self.gate_days, *self.calibration_days):
            if SCENARIOS[name].max_drivers > 10:
                raise ValueError(f"The flat network has 10 drivers: {name} has more.")

    @property
    def all_rounds(self) -> int:
        """Rounds of all stages."""
        return self.rounds + self.q_stage.rounds

    def to_dict(self) -> dict[str, Any]:
        """Plain values; `from_dict` is the inverse."""
        return {
            **{f.name: getattr(self, f.name) for f in fields(self)},
            "mix": {name: group.to_dict() for name, group in self.mix.items()},
            "learner": asdict(self.learner),
            "hidden_sizes": None if self.hidden_sizes is None else list(self.hidden_sizes),
            "q_stage": self.q_stage.to_dict(),
            "gate_days": dict(self.gate_days),
            "validation_days": dict(self.validation_days),
            "calibration_days": dict(self.calibration_days),
            "calibration_biases_min": list(self.calibration_biases_min),
            "calibration_sooner_min": list(self.calibration_sooner_min),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ImitateConfig:
        """Raises ValueError for an unknown name. The flat network has defaults of its own for mix and validation."""
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"Unknown training settings: {', '.join(sorted(unknown))}.")
        if values.get("network") == "flat":
            yardsticks = dict.fromkeys(("validation_days", "gate_days", "calibration_days"), FLAT_YARDSTICK)
            values = {"mix": FLAT_MIX, "q_stage": {"days_per_round": FLAT_Q_DAYS}, **yardsticks, **values}
        try:
            groups = {"mix": _groups(values["mix"])} if "mix" in values else {}
            learner = LearnerConfig(**values.get("learner", {}))
            return cls(
                **{**values, **groups, "learner": learner, "q_stage": QStageConfig.from_dict(values.get("q_stage", {}))}
            )
        except TypeError as error:
            raise ValueError(f"The training settings do not fit: {error}") from error


def _groups(values: Mapping[str, Any]) -> dict[str, MixGroup]:
    return {
        name: group if isinstance(group, MixGroup) else MixGroup(**{**group, "drivers": tuple(group["drivers"])})
        for name, group in values.items()
    }
