"""`tuned.json`: settings that `train --config` takes as they are, and under `tuning` how they were found."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import optuna
from optuna.importance import get_param_importances
from optuna.trial import FrozenTrial, TrialState

from qdispatch_trainer.source_revision import git_revision
from qdispatch_trainer.train import RECIPE, versions
from qdispatch_trainer.tuning.storage import OWNER, RETRY_OF
from qdispatch_trainer.tuning.task import StudyError, Task
from qdispatch_trainer.tuning.winner import Measured

FEWEST_FOR_IMPORTANCES = 2


def best_trial(study: optuna.Study) -> FrozenTrial:
    """The complete trial of the highest value. Raises StudyError when there is none."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not complete:
        raise StudyError("No trial was completed: every one was pruned, diverged or given up.")
    return study.best_trial


def untuned_value(study: optuna.Study) -> float | None:
    """The value of the untuned learner; None when it was not completed."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        if trial.number == 0 or trial.user_attrs.get(RETRY_OF) == 0:
            return trial.value
    return None


def tuned_settings(study: optuna.Study, task: Task, measured: Measured | None) -> dict[str, Any]:
    """The content of tuned.json."""
    best = best_trial(study)
    trials = study.get_trials(deepcopy=False)
    return {
        "recipe": RECIPE,
        **task.config_of(best.params).to_dict(),
        "tuning": {
            "study": study.study_name,
            "task": task.to_dict(),
            "best_params": dict(best.params),
            "best_value": best.value,
            "best_trial": best.number,
            "optimization_history": [_row(trial) for trial in trials],
            "importances": _importances(study),
            "winner": None if measured is None else measured.to_dict(),
            "versions": {**versions(), "optuna": version("optuna")},
            "git_revision": git_revision(),
        },
    }


def _row(trial: FrozenTrial) -> dict[str, Any]:
    return {
        "number": trial.number,
        "state": trial.state.name.lower(),
        "value": trial.value,
        "params": dict(trial.params),
        "rounds": {str(step): value for step, value in sorted(trial.intermediate_values.items())},
        "seconds": trial.user_attrs.get("seconds"),
        "retry_of": trial.user_attrs.get(RETRY_OF),
        "diverged": trial.user_attrs.get("diverged"),
        "worker": trial.user_attrs.get(OWNER),
    }


def _importances(study: optuna.Study) -> dict[str, float] | None:
    """By fANOVA over the completed trials (Hutter et al. 2014); None where there are too few to tell."""
    if len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))) < FEWEST_FOR_IMPORTANCES:
        return None
    try:
        return {name: float(share) for name, share in get_param_importances(study).items()}
    except (RuntimeError, ValueError):
        return None  # all values are equal
