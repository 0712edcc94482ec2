"""Gymnasium environments, one id per scenario; importing this package registers them.

import gymnasium, qdispatch_trainer.envs
env = gymnasium.make("qdispatch/ClinicDay-v0")
"""

from __future__ import annotations

import gymnasium

from qdispatch_trainer.scenarios import SCENARIOS


def environment_id(scenario: str) -> str:
    """The Gymnasium id of a scenario: clinic-day is qdispatch/ClinicDay-v0."""
    return f"qdispatch/{''.join(part.capitalize() for part in scenario.split('-'))}-v0"


ENVIRONMENT_IDS = tuple(environment_id(name) for name in SCENARIOS)

for _name in SCENARIOS:
    gymnasium.register(
        id=environment_id(_name),
        entry_point="qdispatch_trainer.envs.dispatch_day:DispatchDayEnv",
        kwargs={"scenario": _name},
    )
