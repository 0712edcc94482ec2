"""The days a policy is trained on: many fleet sizes, loads, shares of urgent bookings and amounts of noise.

A group is a range of fleet sizes whose days are played side by side (a batch is padded to its largest day). Some of
its days are train-seed days of a frozen scenario, the others of a scenario drawn from the day's seed.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from qdispatch_trainer.day import Day
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.scenarios import SCENARIOS, Scenario, scenario_named
from qdispatch_trainer.seeds import SEEDS_PER_PURPOSE, SeedPurpose, require_seed, seed_at

NEVER_TRAINED = ("fleet-60x300", "fleet-100x700")  # what generalisation is judged on
LARGEST_FLEET = 30  # REGULAR drivers of any training day
MIX = 7_001  # purpose of the random stream that draws scenarios

# Ranges a drawn scenario is uniform in; the frozen scenarios have 0.10 (0.40), 0.15, 0.25, 0.70, 0.60 and 0.20.
LEGS_PER_DRIVER = (4.0, 6.0, 9.0)  # least, likeliest, most
URGENT_SHARE = (0.05, 0.40)
TRAVEL_SIGMA = (0.05, 0.25)
SERVICE_SIGMA = (0.10, 0.40)
KNOWN_AT_START_SHARE = (0.50, 0.90)
CALL_WHEN_READY_SHARE = (0.30, 0.80)
WHEELCHAIR_SHARE = (0.10, 0.30)


@dataclass(frozen=True, slots=True)
class MixGroup:
    """Days of similar size. `frozen` maps names of frozen scenarios to their share of the days, the rest is drawn."""

    drivers: tuple[int, int]  # least and most REGULAR drivers of a drawn day, log-uniform
    days_per_round: int
    due_share: float = 1.0  # of the states met in which a driver must leave soon, how many are remembered
    idle_share: float = 1.0  # of the other states
    teacher_futures: int = 16  # sampled futures the teacher plans for at every state
    teacher_moves: int = 60  # of the search over one future, or over what is known by a teacher without futures
    teacher_known_moves: int = 0  # over what is known, for a plan to start from: what large fleets need
    frozen: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 1 <= self.drivers[0] <= self.drivers[1] <= LARGEST_FLEET:
            raise ValueError(f"Expected 1 <= least <= most <= {LARGEST_FLEET} drivers, got {self.drivers}.")
        if self.days_per_round < 1:
            raise ValueError(f"Expected days_per_round >= 1, got {self.days_per_round}.")
        for name in ("teacher_futures", "teacher_moves"):
            if getattr(self, name) < 1:
                raise ValueError(f"Expected {name} >= 1, got {getattr(self, name)}.")
        if self.teacher_known_moves < 0:
            raise ValueError(f"Expected teacher_known_moves >= 0, got {self.teacher_known_moves}.")
        for name in ("due_share", "idle_share"):
            if not 0.0 < getattr(self, name) <= 1.0:
                raise ValueError(f"Expected {name} in (0, 1], got {getattr(self, name)}.")
        for name, share in self.frozen.items():
            if name not in SCENARIOS or name in NEVER_TRAINED:
                raise ValueError(f"No training days of {name!r}: unknown, or kept for judging generalisation.")
            if not 0.0 <= share <= 1.0:
                raise ValueError(f"Expected shares in [0, 1], got {share} for {name}.")
        if math.fsum(self.frozen.values()) > 1.0 + 1e-9:
            raise ValueError("Expected the shares of the frozen scenarios to sum to at most 1.")

    def to_dict(self) -> dict[str, Any]:
        """Plain values; `MixGroup(**values)` is the inverse."""
        return {**asdict(self), "drivers": list(self.drivers), "frozen": dict(self.frozen)}


DEFAULT_MIX: Mapping[str, MixGroup] = MappingProxyType(
    {
        "small": MixGroup((1, 5), 96, frozen={"clinic-day": 0.6}),
        "middle": MixGroup(
            (6, 14), 24, teacher_futures=8, teacher_moves=400, frozen={"fleet-10x60": 0.3, "urgent-heavy": 0.25}
        ),
        "large": MixGroup(
            (15, 30),
            10,
            due_share=0.5,
            idle_share=0.5,
            teacher_futures=6,
            teacher_moves=150,
            teacher_known_moves=1500,
            frozen={"fleet-30x200": 0.4},
        ),
    }
)
FLAT_MIX: Mapping[str, MixGroup] = MappingProxyType(  # ten usable drivers at most: nine REGULAR, one EMERGENCY
    {"small": MixGroup((1, 9), 128, frozen={"clinic-day": 0.3, "classic-10x20": 0.4})}
)


def scenario_of(group: MixGroup, seed: int) -> Scenario:
    """The scenario of the training day `seed` in this group. SeedRangeError for a seed that is no train seed."""
    rng = np.random.default_rng((MIX, require_seed(SeedPurpose.TRAIN, seed)))
    coin = float(rng.random())
    for name, share in group.frozen.items():
        if coin < share:
            return scenario_named(name)
        coin -= share
    return drawn_scenario(f"mix-{seed}", group.drivers, rng)


def drawn_scenario(name: str, between_drivers: tuple[int, int], rng: np.random.Generator) -> Scenario:
    """A scenario with so many REGULAR drivers (least, most; log-uniform) and all else drawn from the ranges above."""
    low, high = between_drivers
    drivers = min(high, int(math.exp(rng.uniform(math.log(low), math.log(high + 1)))))
    legs = max(3, round(drivers * rng.triangular(*LEGS_PER_DRIVER)))

    def between(bounds: tuple[float, float]) -> float:
        return round(float(rng.uniform(*bounds)), 3)

    return Scenario(
        name=name,
        driver_counts=((drivers, 1.0),),
        legs=legs,
        urgent_share=between(URGENT_SHARE),
        travel_sigma=between(TRAVEL_SIGMA),
        service_sigma=between(SERVICE_SIGMA),
        known_at_start_share=between(KNOWN_AT_START_SHARE),
        call_when_ready_share=between(CALL_WHEN_READY_SHARE),
        wheelchair_share=between(WHEELCHAIR_SHARE),
    )


def training_days(group: MixGroup, first: int, count: int) -> list[Day]:
    """`count` days of a group, their seeds counted from the `first`-th train seed, round and round."""
    seeds = [seed_at(SeedPurpose.TRAIN, (first + k) % SEEDS_PER_PURPOSE) for k in range(count)]
    return [generate_day(scenario_of(group, seed), seed) for seed in seeds]


def mix_digest(mix: Mapping[str, MixGroup]) -> str:
    """First 12 hex digits of the SHA-256 of the groups, the ranges drawn from and the frozen scenarios used."""
    used = sorted({name for group in mix.values() for name in group.frozen})
    content = {
        "groups": {name: group.to_dict() for name, group in mix.items()},
        "ranges": {name.lower(): value for name, value in globals().items() if name in _RANGES},
        "frozen": {name: scenario_named(name).digest() for name in used},
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


_RANGES = (
    "LEGS_PER_DRIVER",
    "URGENT_SHARE",
    "TRAVEL_SIGMA",
    "SERVICE_SIGMA",
    "KNOWN_AT_START_SHARE",
    "CALL_WHEN_READY_SHARE",
    "WHEELCHAIR_SHARE",
)
