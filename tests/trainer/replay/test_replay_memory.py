"""Replay memory: n-step walks by hand, limits, priorities, exact restore."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qdispatch_domain.observation import Observation
from qdispatch_trainer.replay.day_trace import DayTrace, Step
from qdispatch_trainer.replay.packing import SparsePacking, StatePacking
from qdispatch_trainer.replay.replay_memory import ReplayConfig, ReplayMemory

MASK = np.array([True, True])


def state(value: float) -> np.ndarray:
    return np.full(4, value, dtype=np.float32)


def day(
    rewards: list[float], elapsed: float = 1.0, first: float = 0.0, truncated: bool = False
) -> DayTrace[np.ndarray]:
    steps = [Step(state(first + i), MASK, i % 2, reward, elapsed) for i, reward in enumerate(rewards)]
    return DayTrace(steps, (state(first + len(rewards)), MASK) if truncated else None)


def memory(**changes: float) -> ReplayMemory[np.ndarray]:
    return ReplayMemory(ReplayConfig(**{"capacity_steps": 50, **changes}), StatePacking())  # type: ignore[arg-type]


def by_slot(replay: ReplayMemory[np.ndarray]) -> dict[int, tuple[float, float, bool, float]]:
    """slot -> (reward, discount, terminated, next state's value)."""
    batch = replay.sample(400, 0.0, np.random.default_rng(0))
    return {
        int(slot): (float(batch.reward_G[i]), float(batch.discount_G[i]), bool(batch.terminated_G[i]), float(nxt[0]))
        for i, (slot, nxt) in enumerate(zip(batch.slot_G, batch.next_observations, strict=True))
    }


def test_one_step() -> None:
    replay = memory()
    replay.add(day([-1.0, -2.0, -4.0]))
    walks = by_slot(replay)
    assert walks[0] == (-1.0, 1.0, False, 1.0)
    assert walks[1] == (-2.0, 1.0, False, 2.0)
    assert walks[2][:3] == (-4.0, 1.0, True)


def test_n_step_stops_at_the_end_of_the_day_and_discounts_by_minutes() -> None:
    replay = memory(n_step=2, discount_per_minute=0.5)
    replay.add(day([-1.0, -2.0, -4.0], elapsed=2.0))
    replay.add(day([-8.0], first=10.0))
    walks = by_slot(replay)
    assert walks[0] == (-1.0 + 0.25 * -2.0, 0.25 * 0.25, False, 2.0)
    assert walks[1][:3] == (-2.0 + 0.25 * -4.0, 0.25 * 0.25, True)
    assert walks[2][:3] == (-4.0, 0.25, True)
    assert walks[3][:3] == (-8.0, 0.5, True)


def test_a_truncated_day_bootstraps_from_its_final_observation_which_is_never_a_sample() -> None:
    replay = memory(n_step=3)
    replay.add(day([-1.0, -2.0], truncated=True))
    replay.add(day([-8.0], first=10.0))
    walks = by_slot(replay)
    assert set(walks) == {0, 1, 3}
    assert walks[0] == (-3.0, 1.0, False, 2.0)
    assert walks[1] == (-2.0, 1.0, False, 2.0)


def test_the_oldest_steps_leave_first() -> None:
    replay = memory(capacity_steps=4)
    replay.add(day([-1.0, -2.0, -3.0]))
    replay.add(day([-4.0, -5.0, -6.0], first=10.0))
    assert len(replay) == 4
    assert sorted(walk[0] for walk in by_slot(replay).values()) == [-6.0, -5.0, -4.0, -3.0]


def test_bytes_are_a_limit_too() -> None:
    big = [Step(np.zeros(100_000, dtype=np.float32), MASK, 0, 0.0, 1.0) for _ in range(20)]
    replay = memory(capacity_mebibytes=1)
    replay.add(DayTrace(big))
    assert len(replay) == 2
    assert replay.n_bytes <= 2**20


def test_an_infeasible_action_is_refused() -> None:
    with pytest.raises(ValueError, match="feasible"):
        memory().add(DayTrace([Step(state(0.0), np.array([True, False]), 1, 0.0, 1.0)]))


def test_draws_follow_the_priorities_and_weights_undo_them() -> None:
    replay = memory(priority_alpha=1.0, priority_floor=0.5)
    replay.add(day([-1.0, -2.0, -3.0, -4.0]))
    replay.set_errors(np.arange(4), np.array([0.5, -0.5, 2.5, -6.5]))  # priorities 1, 1, 3, 7
    batch = replay.sample(1_200, 1.0, np.random.default_rng(0))
    share = np.bincount(batch.slot_G, minlength=4) / 1_200
    np.testing.assert_allclose(share, np.array([1, 1, 3, 7]) / 12, atol=0.002)
    weight = {int(slot): float(w) for slot, w in zip(batch.slot_G, batch.weight_G, strict=True)}
    assert weight == pytest.approx({0: 1.0, 1: 1.0, 2: 1 / 3, 3: 1 / 7})


def test_uniform_ignores_errors() -> None:
    replay = memory(priority_alpha=0.0)
    replay.add(day([-1.0, -2.0, -3.0, -4.0]))
    replay.set_errors(np.arange(4), np.array([0.0, 0.0, 0.0, 1_000.0]))
    batch = replay.sample(400, 1.0, np.random.default_rng(0))
    np.testing.assert_array_equal(np.bincount(batch.slot_G), [100, 100, 100, 100])
    assert (batch.weight_G == 1.0).all()


def test_a_restored_memory_draws_the_same() -> None:
    replay = memory(capacity_steps=7, priority_alpha=0.6, n_step=2)
    for k in range(4):
        replay.add(day([-1.0 - k, -2.0, -3.0], first=10.0 * k, truncated=k % 2 == 1))
    replay.set_errors(np.array([1, 2]), np.array([4.0, 9.0]))
    restored = memory(capacity_steps=7, priority_alpha=0.6, n_step=2)
    restored.load_state_dict(replay.state_dict())
    for memory_ in (replay, restored):
        memory_.add(day([-9.0, -9.5], first=100.0))
    a, b = (m.sample(64, 0.5, np.random.default_rng(3)) for m in (replay, restored))
    for name in ("slot_G", "weight_G", "action_G", "reward_G", "discount_G", "terminated_G"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    np.testing.assert_array_equal(np.stack(a.next_observations), np.stack(b.next_observations))
    assert replay.n_bytes == restored.n_bytes


def test_sparse_observations_survive_packing_bit_for_bit() -> None:
    rng = np.random.default_rng(0)
    observations = [
        Observation(
            driver_features=rng.normal(size=(d, 3)).astype(np.float32),
            booking_features=rng.normal(size=(b, 2)).astype(np.float32),
            pair_features=rng.normal(size=(p, 4)).astype(np.float32),
            pair_driver=rng.integers(0, d, p),
            pair_booking=rng.integers(0, max(b, 1), p),
            context=rng.normal(size=5).astype(np.float32),
            pair_cost=rng.normal(size=p).astype(np.float32),
        )
        for d, b, p in ((2, 3, 4), (1, 0, 0), (3, 1, 2))
    ]
    packing = SparsePacking()
    for before, after in zip(observations, packing.unpack(packing.pack(observations)), strict=True):
        for name in Observation.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(before, name), getattr(after, name))
            assert getattr(before, name).dtype == getattr(after, name).dtype
    assert packing.unpack(packing.pack([])) == []


@pytest.mark.parametrize(
    "bad", [{"n_step": 0}, {"discount_per_minute": 0.0}, {"priority_alpha": 1.5}, {"priority_floor": 0.0}]
)
def test_config_is_checked_when_built(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        replace(ReplayConfig(), **bad)  # type: ignore[arg-type]
