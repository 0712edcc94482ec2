"""The Gymnasium environments: the checker, the mask, the seeds, and that they are the simulator and nothing else."""

import re
import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from qdispatch_domain.features import N_BOOKING, N_CONTEXT, N_DRIVER, N_PAIR
from qdispatch_trainer.envs import ENVIRONMENT_IDS, environment_id
from qdispatch_trainer.envs.dispatch_day import STEPS_PER_BOOKING, DispatchDayEnv
from qdispatch_trainer.envs.padded_observation import PaddedShape
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.scenarios import SCENARIOS
from qdispatch_trainer.seeds import SeedPurpose, SeedRangeError, purpose_of
from qdispatch_trainer.simulator.day_batch import WAIT, DayBatch


def test_every_scenario_has_its_environment() -> None:
    assert environment_id("fleet-10x60") == "qdispatch/Fleet10x60-v0"
    assert len(ENVIRONMENT_IDS) == len(SCENARIOS)
    assert set(ENVIRONMENT_IDS) <= set(gymnasium.registry)


@pytest.mark.parametrize("name", ENVIRONMENT_IDS)
def test_gymnasiums_checker_has_nothing_to_say(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make(name, render_mode="ansi").unwrapped)


def test_classic_has_the_201_actions_of_the_flat_network() -> None:
    assert gymnasium.make("qdispatch/Classic10x20-v0").action_space == gymnasium.spaces.Discrete(201)


def test_the_datasheet_states_the_real_sizes() -> None:
    text = DispatchDayEnv.__doc__ or ""
    for key, columns in (("driver", N_DRIVER), ("booking", N_BOOKING), ("pair", N_PAIR)):
        row = re.search(rf"\| {key}_features \| \[., (\d+)\]", text)
        assert row is not None
        assert int(row.group(1)) == columns
    context = re.search(r"\| context \| \[(\d+)\]", text)
    assert context is not None
    assert int(context.group(1)) == N_CONTEXT


def play_masked(env: DispatchDayEnv, seed: int) -> tuple[list[int], list[float], dict[str, Any]]:
    """A day of random permitted actions."""
    random = np.random.default_rng(seed)
    observation, info = env.reset(seed=seed)
    actions: list[int] = []
    rewards: list[float] = []
    terminated = False
    while not terminated:
        assert env.observation_space.contains(observation)
        permitted = np.flatnonzero(info["action_mask"])
        assert permitted.size
        actions.append(int(random.choice(permitted)))
        observation, reward, terminated, truncated, info = env.step(np.int64(actions[-1]))
        assert not info["masked_action"]
        assert not truncated
        rewards.append(reward)
    assert env.observation_space.contains(observation)
    return actions, rewards, info


@pytest.mark.parametrize("scenario", ["clinic-day", "fleet-10x60"])
def test_the_return_of_an_episode_is_the_cost_of_the_day(scenario: str) -> None:
    env = DispatchDayEnv(scenario)
    actions, rewards, info = play_masked(env, 11)
    assert len(actions) > 20
    assert sum(rewards) == pytest.approx(-info["cost"] + env.reset(seed=11)[1]["cost"], abs=1e-6)
    assert info["kpi"]["cost"] == pytest.approx(info["cost"])
    assert play_masked(env, 11)[:2] == (actions, rewards)


def test_a_step_is_a_step_of_the_batched_simulator() -> None:
    """The same decisions in a batch of one, without the environment, give the same rewards to the bit."""
    env = DispatchDayEnv("clinic-day")
    actions, rewards, info = play_masked(env, 3)
    batch = DayBatch([generate_day(SCENARIOS["clinic-day"], info["day_seed"])])
    codec = env.codec
    again = []
    for action in actions:
        while not batch.over[0] and not batch.decidable()[0]:
            batch.wait(np.ones(1, dtype=bool))
        before = float(batch.cost()[0])
        observation = batch.situation().observations.one(0)
        wanted = codec.decode(action)
        rows = list(zip(observation.pair_driver.tolist(), observation.pair_booking.tolist(), strict=True))
        batch.step(np.array([WAIT if wanted is None else rows.index(wanted)]))
        while not batch.over[0] and not batch.decidable()[0]:
            batch.wait(np.ones(1, dtype=bool))
        again.append(before - float(batch.cost()[0]))
    assert again == rewards


def test_an_insertion_is_rewarded_with_its_pair_cost() -> None:
    env = DispatchDayEnv("clinic-day")
    observation, _ = env.reset(seed=4)
    action = int(env.codec.encode(observation["pair_driver"][:1], observation["pair_booking"][:1])[0])
    _, reward, *_ = env.step(np.int64(action))
    assert reward == pytest.approx(-float(observation["pair_cost"][0]), abs=1e-3)


def test_a_masked_action_changes_nothing() -> None:
    env = DispatchDayEnv("clinic-day")
    before, info = env.reset(seed=4)
    masked = int(np.flatnonzero(info["action_mask"] == 0)[0])
    after, reward, terminated, truncated, info = env.step(np.int64(masked))
    assert (reward, terminated, truncated, info["masked_action"]) == (0.0, False, False, True)
    assert info["elapsed_min"] == 0.0
    assert all(np.array_equal(before[key], after[key]) for key in before)


def test_waiting_is_masked_at_a_decide_by() -> None:
    env = DispatchDayEnv("clinic-day")
    _, info = env.reset(seed=4)
    while info["action_mask"][0]:
        _, _, terminated, _, info = env.step(np.int64(0))
        assert not terminated
    assert info["action_mask"].sum() >= 1
    _, reward, _, _, info = env.step(np.int64(0))
    assert info["masked_action"]
    assert reward == 0.0


def test_an_episode_that_never_ends_is_truncated_not_terminated() -> None:
    env = DispatchDayEnv("classic-10x20")
    _, info = env.reset(seed=1)
    masked = np.int64(np.flatnonzero(info["action_mask"] == 0)[0])
    limit = STEPS_PER_BOOKING * PaddedShape.of(env.scenario).bookings
    env._steps = limit - 2
    assert env.step(masked)[2:4] == (False, False)
    assert env.step(masked)[2:4] == (False, True)


@pytest.mark.parametrize("purpose", list(SeedPurpose))
def test_days_come_from_the_range_of_the_purpose(purpose: SeedPurpose) -> None:
    env = DispatchDayEnv("clinic-day", purpose=purpose.value)
    seeds = [env.reset(seed=seed)[1]["day_seed"] for seed in range(5)] + [env.reset()[1]["day_seed"]]
    assert len(set(seeds)) == len(seeds)
    assert {purpose_of(seed) for seed in seeds} == {purpose}
    chosen = purpose.first_seed + 17
    assert env.reset(options={"day_seed": chosen})[1]["day_seed"] == chosen


def test_bad_calls_get_a_clear_error() -> None:
    env = DispatchDayEnv("clinic-day")
    with pytest.raises(RuntimeError, match="reset"):
        env.step(np.int64(0))
    with pytest.raises(SeedRangeError, match="expected a train seed"):
        env.reset(options={"day_seed": 2_000_000})
    with pytest.raises(ValueError, match="day_sed"):
        env.reset(options={"day_sed": 3})
    env.reset(seed=1)
    with pytest.raises(ValueError, match="outside 0 to"):
        env.step(np.int64(env.codec.size))
    with pytest.raises(ValueError, match="unknown scenario"):
        DispatchDayEnv("clinic")
    with pytest.raises(ValueError, match="render_mode"):
        DispatchDayEnv(render_mode="human")


def test_the_text_shows_every_driver_and_open_booking() -> None:
    env = DispatchDayEnv("clinic-day", render_mode="ansi")
    _, info = env.reset(seed=2)
    for _ in range(12):
        _, _, _, _, info = env.step(np.int64(np.flatnonzero(info["action_mask"])[-1]))
    text = env.render()
    assert text is not None
    day = generate_day(SCENARIOS["clinic-day"], info["day_seed"])
    assert all(driver.id in text for driver in day.drivers)
    assert f"{int(info['now_min'] // 60):02d}:" in text.splitlines()[0]
    assert DispatchDayEnv("clinic-day").render_mode is None
