"""The agent: every hyperparameter reaches it, masks matter, equal seeds give equal traces."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch

from qdispatch_trainer.dqn.agent import DqnAgent
from qdispatch_trainer.dqn.agent_config import AgentConfig
from qdispatch_trainer.networks.adapter import FlatAdapter
from qdispatch_trainer.networks.flat_network import FlatNetwork, FlatNetworkConfig
from qdispatch_trainer.replay.replay_memory import Transitions

SMALL = FlatNetworkConfig(n_state=4, n_action=201, hidden=(32, 32, 32), value_unit_min=10.0)
BASE = AgentConfig(batch_size=16, learning_rate=1e-2, final_learning_rate=1e-3, target_rate=0.2, reward_unit_min=5.0)


def transitions(mask_wait_only: bool = False, size: int = 16) -> Transitions[np.ndarray]:
    rng = np.random.default_rng(0)
    mask = np.zeros(201, dtype=np.bool_)
    mask[: 1 if mask_wait_only else 6] = True
    return Transitions(
        slot_G=np.arange(size),
        weight_G=np.ones(size, dtype=np.float32),
        observations=list(rng.normal(size=(size, 4)).astype(np.float32)),
        action_G=rng.integers(0, 6, size),
        reward_G=rng.uniform(-40, 0, size).astype(np.float32),
        discount_G=np.ones(size, dtype=np.float32),
        terminated_G=rng.random(size) < 0.3,
        next_observations=list(rng.normal(size=(size, 4)).astype(np.float32)),
        next_masks=[mask] * size,
    )


def agent(config: AgentConfig = BASE) -> DqnAgent[np.ndarray]:
    torch.manual_seed(0)
    return DqnAgent(FlatNetwork(SMALL), FlatAdapter(), config)


def trace(config: AgentConfig, updates: int = 5) -> list[float]:
    """Losses, then weights of network, target and average after some updates."""
    trained = agent(config)
    losses = [trained.update(transitions(size=config.batch_size), progress=k / updates).loss for k in range(updates)]
    networks = (trained.network, trained.target, trained.average)
    return losses + [p.sum().item() for network in networks for p in network.parameters()]


def test_equal_seeds_equal_traces() -> None:
    assert trace(BASE) == trace(BASE)


CHANGES: dict[str, Any] = {
    "learning_rate": 5e-3,
    "final_learning_rate": 1e-4,
    "batch_size": 8,
    "double": False,
    "target_rate": 0.5,
    "average_rate": 0.5,
    "reward_unit_min": 50.0,
    "huber_width": 0.1,
    "gradient_clip": 0.001,
}


def test_the_table_of_changes_names_every_hyperparameter() -> None:
    assert set(CHANGES) == {field.name for field in fields(AgentConfig)}


@pytest.mark.parametrize("name", CHANGES)
def test_every_hyperparameter_reaches_the_update(name: str) -> None:
    assert trace(replace(BASE, **{name: CHANGES[name]})) != trace(BASE)


def test_the_next_mask_changes_the_target() -> None:
    free, forced = agent().targets(transitions()), agent().targets(transitions(mask_wait_only=True))
    batch = transitions()
    ended = torch.from_numpy(batch.terminated_G)
    assert torch.equal(free[ended], forced[ended])
    assert (free[~ended] != forced[~ended]).any()


def test_the_target_network_follows_softly() -> None:
    trained = agent()
    before = [p.clone() for p in trained.target.parameters()]
    trained.update(transitions(), 0.0)
    for old, target, online in zip(before, trained.target.parameters(), trained.network.parameters(), strict=True):
        torch.testing.assert_close(target, old + 0.2 * (online - old))


def test_the_average_follows_at_its_own_rate() -> None:
    trained = agent(replace(BASE, average_rate=0.1))
    before = [p.clone() for p in trained.average.parameters()]
    trained.update(transitions(), 0.0)
    for old, average, online in zip(before, trained.average.parameters(), trained.network.parameters(), strict=True):
        torch.testing.assert_close(average, old + 0.1 * (online - old))


def test_learns_the_values_of_a_fixed_batch() -> None:
    trained = agent()
    batch = replace(transitions(), terminated_G=np.ones(16, dtype=np.bool_))
    errors = [np.abs(trained.update(batch, 0.0).td_error_G).mean() for _ in range(300)]
    assert errors[-1] < 0.2 * errors[0]


def test_restored_agent_continues_exactly() -> None:
    trained = agent()
    for _ in range(3):
        trained.update(transitions(), 0.1)
    state = trained.state_dict()
    restored = agent(replace(BASE))
    restored.load_state_dict(state)
    assert restored.update(transitions(), 0.2).loss == trained.update(transitions(), 0.2).loss
    for a, b in zip(restored.network.parameters(), trained.network.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(
    "bad",
    [
        {"learning_rate": 0.0},
        {"final_learning_rate": 1.0},
        {"batch_size": 0},
        {"target_rate": 0.0},
        {"target_rate": 1.1},
        {"reward_unit_min": -1.0},
        {"huber_width": 0.0},
        {"gradient_clip": 0.0},
    ],
)
def test_config_is_checked_when_built(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        replace(BASE, **bad)  # type: ignore[arg-type]
