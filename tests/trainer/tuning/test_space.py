"""Every sampled value reaches the learner it is named after, and none reaches the task."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import optuna
import pytest

from qdispatch_trainer.dqn.agent import DqnAgent
from qdispatch_trainer.networks.set_network import SetNetwork
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.train import build_training
from qdispatch_trainer.train_config import TrainConfig
from qdispatch_trainer.training import Training
from qdispatch_trainer.tuning.space import (
    Hyperparameter,
    OneOf,
    Value,
    settings_of,
    space,
    space_digest,
    suggest,
    usual,
)
from qdispatch_trainer.tuning.task import StudyError, Task

TASK = Task("clinic-day", "set", trials=3, episodes=40, eval_episodes=4, seed=5)
FLAT = Task("classic-10x20", "flat", trials=3, episodes=40, eval_episodes=4, seed=5)


def learner_of(training: Training[Any]) -> dict[str, Value]:
    """What the built objects hold, by the hyperparameter's name."""
    agent: DqnAgent[Any] = training.agent
    replay, share = training.memory.config, 0.25
    network: Any = agent.network
    if isinstance(network, SetNetwork):
        config = network.config
        widths = (config.hidden, config.context_hidden, config.pair_hidden)
        assert network.pair_hidden.out_features == config.pair_hidden
        assert network.update_driver.out_features == config.hidden
        assert network.encode_context.out_features == config.context_hidden
        dropout = network.pair_dropout.p
    else:
        linear = [layer.out_features for layer in network.layers if hasattr(layer, "out_features")]
        widths = (linear[0], linear[1], linear[2])
        dropout = next((layer.p for layer in network.layers if hasattr(layer, "p")), 0.0)
    training.progress.days = round(share * training.config.days)
    epsilon, guidance = training.epsilon(), training._guidance.at(share)
    training.progress.days = 0
    first, last = agent.learning_rate(0.0), agent.learning_rate(1.0)
    return {
        "hidden_1": widths[0],
        "hidden_2": widths[1],
        "hidden_3": widths[2],
        "dropout": dropout,
        "learning_rate": first,
        "gamma": replay.discount_per_minute,
        "batch_size": agent.config.batch_size,
        "epsilon_start": training.epsilon(),
        "epsilon_end": training._schedule.at(1.0),
        "epsilon_decay": epsilon,
        "buffer_size": replay.capacity_steps,
        "target_rate": agent.config.target_rate,
        "n_step": replay.n_step,
        "priority_alpha": replay.priority_alpha,
        "priority_beta": replay.priority_beta,
        "huber_width": agent.config.huber_width,
        "final_rate_share": last / first,
        "average_rate": agent.config.average_rate,
        "updates_per_decision": training.config.updates_per_decision,
        "guided_start": training._guidance.at(0.0),
        "guided_decay": guidance,
    }


def other_value(one: Hyperparameter) -> Value:
    """A value that the untuned learner does not have."""
    if isinstance(one.choice, OneOf):
        return next(value for value in one.choice.values if value != one.usual)
    low, high = one.choice.low, one.choice.high
    if isinstance(low, int) and isinstance(high, int):
        return (low + high) // 2
    return low + (high - low) * 0.3


FOLLOWS = {"epsilon_start": {"epsilon_decay"}, "epsilon_end": {"epsilon_decay"}, "guided_start": {"guided_decay"}}


@pytest.mark.parametrize("task", [TASK, FLAT], ids=["set", "flat"])
def test_every_value_reaches_the_learner_and_only_its_own_place(task: Task) -> None:
    plain = usual(task.network)
    before = learner_of(build_training(task.config_of(plain)))
    assert before.keys() == plain.keys()
    for one in space(task.network):
        value = other_value(one)
        after = learner_of(build_training(task.config_of({**plain, one.name: value})))
        changed = {name for name in before if after[name] != pytest.approx(before[name])}
        # a schedule's value at a quarter of the training follows its start and its end too
        assert one.name in changed, one.name
        assert changed - {one.name} <= FOLLOWS.get(one.name, set()), one.name
        if one.name not in ("epsilon_decay", "guided_decay"):  # shares, seen through the schedules
            assert after[one.name] == pytest.approx(value), one.name


@pytest.mark.parametrize("task", [TASK, FLAT], ids=["set", "flat"])
def test_no_sampled_value_touches_the_task(task: Task) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    untouched = {name: getattr(task.config_of(usual(task.network)), name) for name in task.fixed()}
    digest = scenario_named(task.scenario).digest()
    for _ in range(40):
        config = task.config_of(suggest(study.ask(), task.network))
        assert {name: getattr(config, name) for name in task.fixed()} == untouched
        assert scenario_named(config.scenario).digest() == digest
    names = {path.path.split(".")[0] for path in space(task.network)}
    assert names <= {field.name for field in fields(TrainConfig)}
    assert not names & set(task.fixed())


def test_the_task_wins_over_settings() -> None:
    assert TASK.config({"scenario": "fleet-10x60", "days": 1}).scenario == "clinic-day"
    assert TASK.config({"days": 1}).days == 40


def test_the_untuned_learner_is_inside_the_space() -> None:
    for network in ("set", "flat"):
        for one in space(network):
            if isinstance(one.choice, OneOf):
                assert one.usual in one.choice.values
            else:
                assert one.choice.low <= one.usual <= one.choice.high
        assert settings_of(usual(network), network)["hidden_sizes"] == [
            one.usual for one in space(network) if one.name.startswith("hidden")
        ]


def test_a_study_of_another_task_is_refused() -> None:
    stored = TASK.to_dict()
    assert Task.from_dict(stored) == TASK
    for name in ("scenario_digest", "weights_digest", "space_digest"):
        with pytest.raises(StudyError, match=name):
            Task.from_dict({**stored, name: "0" * 12})
    with pytest.raises(StudyError, match="another version"):
        Task.from_dict({"scenario": "clinic-day"})
    assert space_digest("set") != space_digest("flat")


@pytest.mark.parametrize(
    ("field", "value"), [("trials", 0), ("episodes", 0), ("eval_episodes", 1), ("seed", -1), ("scenario", "moon")]
)
def test_tasks_are_checked(field: str, value: object) -> None:
    given = {name: getattr(TASK, name) for name in Task.__dataclass_fields__}
    with pytest.raises(ValueError, match=field):
        Task(**{**given, field: value})
