"""A worker: takes trials of a study until there are as many as asked for, whoever else is working on it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import optuna
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from qdispatch_trainer.dqn.divergence_alarm import Diverged
from qdispatch_trainer.tuning.space import suggest, usual
from qdispatch_trainer.tuning.storage import OWNER, RETRY_OF, open_storage, owner, queue_again, retry_abandoned
from qdispatch_trainer.tuning.task import StudyError, Task
from qdispatch_trainer.tuning.trial import Stopped, train_trial
from qdispatch_trainer.watching import Unwatched, Watch

TASK = "task"
DONE = (TrialState.COMPLETE, TrialState.PRUNED)
STARTUP_TRIALS, WARMUP_ROUNDS = 5, 3  # no trial is pruned before
POLL_S = 1.0


class Surplus(Exception):
    """Two workers took the last trial at once; this is the one too many."""


def begin(storage: BaseStorage, name: str, task: Task) -> optuna.Study:
    """The study of that name, made if there is none; its first trial is the untuned learner.

    Raises StudyError when it exists and is about another task.
    """
    study = optuna.create_study(
        storage=storage,
        study_name=name,
        direction="maximize",
        load_if_exists=True,
        pruner=MedianPruner(n_startup_trials=STARTUP_TRIALS, n_warmup_steps=WARMUP_ROUNDS),
    )
    stored = study.user_attrs.get(TASK)
    if stored is None:
        study.set_user_attr(TASK, task.to_dict())
        study.enqueue_trial(usual(task.network), user_attrs={"untuned": True})
        return study
    held = task_of(study)
    asked = task.to_dict()
    differing = [field for field, value in held.to_dict().items() if asked[field] != value and field != "trials"]
    if differing:
        raise StudyError(f"The study {name!r} has other settings: {', '.join(differing)}; choose another name.")
    if task.trials != held.trials:
        study.set_user_attr(TASK, asked)  # more, or fewer, trials of the same task
    return study


def join(storage: BaseStorage, name: str) -> optuna.Study:
    """An existing study. Raises StudyError when there is none."""
    try:
        study = optuna.load_study(
            storage=storage,
            study_name=name,
            pruner=MedianPruner(n_startup_trials=STARTUP_TRIALS, n_warmup_steps=WARMUP_ROUNDS),
        )
    except KeyError as error:
        raise StudyError(f"There is no study {name!r} to join.") from error
    task_of(study)
    return study


def task_of(study: optuna.Study) -> Task:
    """What the study is about. Raises StudyError when it is not one of ours, or of another version."""
    stored = study.user_attrs.get(TASK)
    if not isinstance(stored, dict):
        raise StudyError(f"{study.study_name!r} is no study of this program.")
    return Task.from_dict(stored)


def work(study: optuna.Study, watch: Watch, asked_to_stop: Callable[[], bool]) -> bool:
    """Take trials until the study has as many as asked for; False when stopped before.

    A trial that is stopped, and one whose worker has died, is queued again with the same values. Every trial's sampler
    is seeded by how many were finished before it, so a study of one worker that was broken equals an unbroken one.
    """
    watch.begin(study.study_name, task_of(study).trials, "trials")
    while not asked_to_stop():
        for number in retry_abandoned(study):
            watch.say(f"trial {number} was left by a worker that is gone: queued again")
        task = task_of(study)
        states = [trial.state for trial in study.get_trials(deepcopy=False)]
        done, running = sum(state in DONE for state in states), states.count(TrialState.RUNNING)
        if done >= task.trials:
            return True
        if done + running >= task.trials:
            time.sleep(POLL_S)  # others are at the last ones; should they die, these are taken over
            continue
        study.sampler = TPESampler(seed=task.seed + done + running)
        objective = partial(run_trial, task=task, watch=watch, asked_to_stop=asked_to_stop)
        study.optimize(objective, n_trials=1, catch=(Surplus, Stopped))
        _told(study, watch)
    return False


def work_for(where: str, name: str) -> None:
    """A worker as a task of its own, on whatever machine: see `work`."""
    work(join(open_storage(where), name), Unwatched(), lambda: False)


def run_trial(trial: optuna.Trial, task: Task, watch: Watch, asked_to_stop: Callable[[], bool]) -> float:
    """One trial from its values to its mean return. Raises TrialPruned, Surplus or Stopped."""
    trial.set_user_attr(OWNER, owner())
    earlier = [one for one in trial.study.get_trials(deepcopy=False) if one.number < trial.number]
    if sum(one.state in (*DONE, TrialState.RUNNING) for one in earlier) >= task.trials:
        raise Surplus(f"{task.trials} trials are done or under way.")
    started = time.perf_counter()
    done, best = standing(trial.study)
    config = task.config_of(suggest(trial, task.network))
    trial.set_user_attr("settings", config.to_dict())

    def after_round(number: int, found: float) -> None:
        trial.report(found, number)
        watch.done(done, f"trial {trial.number}, round {number}: {found:,.0f}{best}")
        if asked_to_stop():
            queue_again(trial.study, _frozen(trial))
            raise Stopped
        if trial.should_prune():
            raise optuna.TrialPruned(f"below the median after round {number}")

    try:
        return train_trial(config, task.eval_episodes, after_round)[1]
    except Diverged as error:
        trial.set_user_attr("diverged", str(error))
        raise optuna.TrialPruned(str(error)) from error
    finally:
        trial.set_user_attr("seconds", time.perf_counter() - started)


def _frozen(trial: optuna.Trial) -> FrozenTrial:
    return next(one for one in trial.study.get_trials(deepcopy=False) if one.number == trial.number)


def standing(study: optuna.Study) -> tuple[int, str]:
    """How many trials are done, and which is the best in words, empty before the first."""
    trials = study.get_trials(deepcopy=False)
    complete = [one for one in trials if one.state is TrialState.COMPLETE]
    best = max(complete, key=_value) if complete else None
    words = "" if best is None else f"; best {_value(best):,.1f}, trial {best.number}"
    return sum(one.state in DONE for one in trials), words


def _told(study: optuna.Study, watch: Watch) -> None:
    """One line about this worker's last trial."""
    mine = owner()
    trials = [one for one in study.get_trials(deepcopy=False) if one.user_attrs.get(OWNER) == mine]
    if not trials:
        return
    last = max(trials, key=lambda one: one.number)
    outcome = {
        TrialState.COMPLETE: f"{last.value:,.1f}" if last.value is not None else "",
        TrialState.PRUNED: f"pruned after round {last.last_step}",
    }.get(last.state, "given up")
    if "diverged" in last.user_attrs:
        outcome = f"diverged: {last.user_attrs['diverged']}"
    done, best = standing(study)
    again = f" (again, of {last.user_attrs[RETRY_OF]})" if RETRY_OF in last.user_attrs else ""
    watch.say(f"trial {last.number}{again}: {outcome}; {done} done{best}")
    watch.done(done, best.removeprefix("; "))


def _value(trial: FrozenTrial) -> float:
    if trial.value is None:
        raise AssertionError("a complete trial has a value")
    return trial.value
