"""Where a study is kept: a journal file by default, a database by URL, and who still works on a trial."""

from __future__ import annotations

import json
import os
import socket
import warnings
from datetime import datetime
from pathlib import Path

import optuna
import psutil
from optuna.exceptions import ExperimentalWarning
from optuna.storages import BaseStorage, JournalStorage, RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from qdispatch_trainer.tuning.task import StudyError

HEARTBEAT_S, GRACE_S = 10, 40  # of workers on other machines, by the database's clock
OWNER = "owner"
RETRY_OF = "retry_of"


def open_storage(where: str) -> BaseStorage:
    """A database for a URL (`postgresql://…`, `sqlite:///…`), else a journal file at that path.

    Raises StudyError when the database does not answer.
    """
    if "://" not in where:
        path = Path(where)
        path.parent.mkdir(parents=True, exist_ok=True)
        return JournalStorage(JournalFileBackend(str(path)))
    url = where.replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)  # Optuna keeps heartbeats experimental since 2.8
            return RDBStorage(
                url,
                heartbeat_interval=HEARTBEAT_S,
                grace_period=GRACE_S,
                heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(),
            )
    except (SQLAlchemyError, ImportError) as error:
        raise StudyError(f"The storage cannot be opened: {error}") from error


def owner() -> str:
    """This process, so that another one can tell whether it still lives."""
    process = psutil.Process()
    return json.dumps({"host": socket.gethostname(), "pid": process.pid, "started": process.create_time()})


def retry_abandoned(study: optuna.Study) -> list[int]:
    """Give up the running trials of dead processes of this machine and queue their values again; returns which.

    Workers on other machines are known by their heartbeats in the database, which Optuna looks at itself.
    """
    given_up = []
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        stored = trial.user_attrs.get(OWNER)
        if stored is not None and _lives(json.loads(stored)):
            continue
        if stored is None and not _is_old(trial):
            continue  # its worker is about to write its name
        if give_up(study, trial):
            given_up.append(trial.number)
    return given_up


def give_up(study: optuna.Study, trial: FrozenTrial) -> bool:
    """Fail the trial and queue its values again. False when somebody else was quicker."""
    try:
        study.tell(trial.number, state=TrialState.FAIL)
    except (ValueError, RuntimeError):
        return False
    queue_again(study, trial)
    return True


def queue_again(study: optuna.Study, trial: FrozenTrial) -> None:
    """The same values as a new trial; what had not been drawn yet is drawn then."""
    first = trial.user_attrs.get(RETRY_OF, trial.number)
    study.enqueue_trial(trial.params, user_attrs={RETRY_OF: first})


def _lives(stored: dict[str, object]) -> bool:
    if stored["host"] != socket.gethostname():
        return True  # not ours to judge
    pid = stored["pid"]
    if not isinstance(pid, int) or pid == os.getpid():
        return pid == os.getpid()
    try:
        return psutil.Process(pid).create_time() == stored["started"]
    except psutil.NoSuchProcess:
        return False


def _is_old(trial: FrozenTrial) -> bool:
    if trial.datetime_start is None:
        return False
    return (datetime.now() - trial.datetime_start).total_seconds() > GRACE_S  # Optuna's times are local and naive
