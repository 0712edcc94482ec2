"""A study survives its workers: killed, resumed, joined; no trial is lost and none is counted twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from qdispatch_trainer.checkpoint import load_checkpoint
from qdispatch_trainer.cli import app
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.tuning.page import tuning_page
from qdispatch_trainer.tuning.storage import OWNER, RETRY_OF, open_storage
from qdispatch_trainer.tuning.task import Task
from qdispatch_trainer.tuning.worker import Surplus, begin, join, run_trial, task_of, work
from qdispatch_trainer.watching import Unwatched
from tests.server.postgres import running_postgres

ROOT = Path(__file__).parents[3]
QUICK = ("--scenario", "clinic-day", "--episodes", "8", "--eval-episodes", "2", "--measure-days", "2", "--seed", "3")
TIMEOUT_S = 240.0


def arguments(name: str, storage: str, output: Path, trials: int, *more: str) -> list[str]:
    given = ["--study-name", name, "--storage", storage, "--output", str(output), "--trials", str(trials)]
    return ["tune", *given, *QUICK, *more]


def start(*given: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "qdispatch_trainer.entry", *given]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


@cache
def watched(storage: str) -> BaseStorage:
    """One look-out per study: a storage keeps its connections until it is collected, and a database has a hundred."""
    return open_storage(storage)


def trials_of(storage: str, name: str) -> list[FrozenTrial]:
    try:
        return optuna.load_study(storage=watched(storage), study_name=name).get_trials()
    except KeyError:
        return []


def wait_for(what: Callable[[], bool]) -> None:
    end = time.monotonic() + TIMEOUT_S
    while not what():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def in_the_middle_of(storage: str, name: str, number: int) -> bool:
    """Whether the trial has reported a round and is not done."""
    found = [one for one in trials_of(storage, name) if one.number == number]
    return bool(found) and found[0].state is TrialState.RUNNING and bool(found[0].intermediate_values)


def outcome(storage: str, name: str) -> list[tuple[dict[str, Any], float | None, str]]:
    done = [one for one in trials_of(storage, name) if one.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    return [(one.params, one.value, one.state.name) for one in done]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A whole study: its journal and its tuned.json."""
    folder = tmp_path_factory.mktemp("unbroken")
    storage, output = str(folder / "study.journal"), folder / "tuned.json"
    result = CliRunner().invoke(app, arguments("whole", storage, output, 3, "--page", str(folder / "study.md")))
    assert result.exit_code == 0, result.output
    assert "fresh days" in result.output
    return storage, output


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with running_postgres() as cluster:
        yield cluster.url


def test_the_result_says_everything_and_trains(unbroken: tuple[str, Path], tmp_path: Path) -> None:
    content = json.loads(unbroken[1].read_text())
    tuning = content["tuning"]
    assert [row["number"] for row in tuning["optimization_history"]] == [0, 1, 2]
    assert tuning["optimization_history"][0]["params"]["learning_rate"] == 5e-4  # the untuned learner is first
    assert tuning["task"]["scenario_digest"] == scenario_named("clinic-day").digest()
    assert tuning["versions"]["optuna"] == optuna.__version__
    assert set(tuning["importances"]) == set(tuning["best_params"])
    best = max(row["value"] for row in tuning["optimization_history"] if row["value"] is not None)
    assert tuning["best_value"] == tuning["winner"]["tuning_value"] == best
    assert tuning["winner"]["fresh_days"] == 2
    assert tuning["winner"]["trained_again_value"] == best  # the same training, the same days
    page = unbroken[1].with_name("study.md").read_text()
    assert page == tuning_page(content, "study.svg")
    assert f"| 0 | complete | {len(tuning['optimization_history'][0]['rounds'])} |" in page
    assert "Trained again, the winner returns the same" in page
    assert unbroken[1].with_name("study.svg").read_text().startswith("<?xml")
    out = tmp_path / "run"
    more = ["--set", "days=2", "--set", "validation_days=2", "--set", "calibration_days=0"]
    result = CliRunner().invoke(app, ["train", "--config", str(unbroken[1]), "--out", str(out), *more])
    assert result.exit_code == 0, result.output
    trained = load_checkpoint(out / "model.pt").training
    for name in ("agent", "replay", "dropout", "hidden_sizes", "epsilon_start", "guided_start", "updates_per_decision"):
        assert trained[name] == content[name], name


def test_a_killed_study_goes_on_as_if_nothing_had_happened(unbroken: tuple[str, Path], tmp_path: Path) -> None:
    storage = str(tmp_path / "study.journal")
    given = arguments("whole", storage, tmp_path / "tuned.json", 3)
    worker = start(*given)
    wait_for(lambda: in_the_middle_of(storage, "whole", 1))
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    again = start(*given)
    assert again.wait(TIMEOUT_S) == 0
    trials = trials_of(storage, "whole")
    assert [one.state for one in trials] == [
        TrialState.COMPLETE,
        TrialState.FAIL,
        TrialState.COMPLETE,
        TrialState.COMPLETE,
    ]
    assert trials[2].user_attrs[RETRY_OF] == 1
    assert trials[2].params == trials[1].params
    assert outcome(storage, "whole") == outcome(unbroken[0], "whole")


def test_ctrl_c_leaves_a_study_that_can_be_continued(tmp_path: Path) -> None:
    storage = str(tmp_path / "study.journal")
    given = arguments("whole", storage, tmp_path / "tuned.json", 2)
    worker = start(*given)
    wait_for(lambda: in_the_middle_of(storage, "whole", 0))
    worker.send_signal(signal.SIGINT)
    assert worker.wait(TIMEOUT_S) == 130
    assert [one.state for one in trials_of(storage, "whole")] == [TrialState.FAIL, TrialState.WAITING]
    assert CliRunner().invoke(app, given).exit_code == 0
    assert len(outcome(storage, "whole")) == 2


def owned_by(trials: list[FrozenTrial], pid: int) -> list[FrozenTrial]:
    return [one for one in trials if OWNER in one.user_attrs and json.loads(one.user_attrs[OWNER])["pid"] == pid]


def freeze(worker: subprocess.Popen[bytes], url: str) -> None:
    """Stop a worker where it holds nothing in the database, so that the others go on."""
    busy = text("SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND xact_start IS NOT NULL")
    with create_engine(url).connect() as connection:
        while True:
            worker.send_signal(signal.SIGSTOP)
            time.sleep(0.05)
            if connection.execute(busy).scalar() == 0:
                return
            worker.send_signal(signal.SIGCONT)
            time.sleep(0.05)


def test_two_workers_share_a_study_in_postgresql_and_one_is_killed(postgres: str, tmp_path: Path) -> None:
    begin(open_storage(postgres), "shared", Task("clinic-day", "set", 5, 8, 2, 3))
    joined = start("tune", "--study-name", "shared", "--storage", postgres, "--join")
    wait_for(lambda: in_the_middle_of(postgres, "shared", 0))
    freeze(joined, postgres)
    first = start(*arguments("shared", postgres, tmp_path / "tuned.json", 5))
    wait_for(lambda: bool(owned_by(trials_of(postgres, "shared"), first.pid)))  # both are at a trial
    os.kill(joined.pid, signal.SIGKILL)
    joined.wait()
    assert first.wait(TIMEOUT_S) == 0
    trials = trials_of(postgres, "shared")
    done = [one for one in trials if one.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    failed = [one for one in trials if one.state is TrialState.FAIL]
    assert len(done) == 5
    assert not [one for one in trials if one.state in (TrialState.RUNNING, TrialState.WAITING)]
    assert [one.number for one in failed] == [0]
    assert owned_by(failed, joined.pid) == failed
    again = [one for one in done if one.user_attrs.get(RETRY_OF) == 0]
    assert len(again) == 1
    assert failed[0].params.items() <= again[0].params.items()
    drawn = [json.dumps(one.params, sort_keys=True) for one in done]
    assert len(set(drawn)) == 5
    assert len(json.loads((tmp_path / "tuned.json").read_text())["tuning"]["optimization_history"]) == len(trials)


def test_more_trials_continue_a_study_and_another_task_is_refused(unbroken: tuple[str, Path], tmp_path: Path) -> None:
    storage = str(tmp_path / "study.journal")
    Path(storage).write_bytes(Path(unbroken[0]).read_bytes())
    before = outcome(storage, "whole")
    result = CliRunner().invoke(app, arguments("whole", storage, tmp_path / "tuned.json", 4))
    assert result.exit_code == 0, result.output
    assert outcome(storage, "whole")[:3] == before
    assert len(outcome(storage, "whole")) == 4
    for changed, message in ((("--episodes", "9"), "episodes"), (("--seed", "4"), "seed")):
        result = CliRunner().invoke(app, arguments("whole", storage, tmp_path / "other.json", 4, *changed))
        assert result.exit_code == 2
        assert message in " ".join(result.stderr.split())
    assert not (tmp_path / "other.json").exists()


def test_joining_needs_a_study(tmp_path: Path) -> None:
    given = ["tune", "--study-name", "none", "--storage", str(tmp_path / "none.journal"), "--join"]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 2
    assert "no study 'none' to join" in result.stderr


def test_an_unreachable_database_says_so(tmp_path: Path) -> None:
    given = arguments("x", "postgresql://nobody@127.0.0.1:1/none", tmp_path / "tuned.json", 1)
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 2
    assert "127.0.0.1" in result.stderr


def test_a_surplus_trial_is_given_up(unbroken: tuple[str, Path], tmp_path: Path) -> None:
    storage = str(tmp_path / "study.journal")
    Path(storage).write_bytes(Path(unbroken[0]).read_bytes())
    study = join(open_storage(storage), "whole")
    objective = partial(run_trial, task=task_of(study), watch=Unwatched(), asked_to_stop=lambda: False)
    study.optimize(objective, n_trials=1, catch=(Surplus,))  # as if two workers had taken the last trial at once
    assert [one.state for one in study.get_trials()] == [TrialState.COMPLETE] * 3 + [TrialState.FAIL]
    assert work(study, Unwatched(), lambda: False)
    assert len(study.get_trials()) == 4


def test_the_published_study_is_its_own_page_and_about_todays_task() -> None:
    content = json.loads((ROOT / "docs" / "benchmarks" / "tuning.json").read_text())
    page = (ROOT / "docs" / "benchmarks" / "tuning.md").read_text()
    assert page == tuning_page(content, "tuning.svg")
    task = Task.from_dict(content["tuning"]["task"])
    assert task.to_dict()["scenario_digest"] == scenario_named("clinic-day").digest()
    done = [row for row in content["tuning"]["optimization_history"] if row["state"] in ("complete", "pruned")]
    assert len(done) == task.trials == 50
    winner = content["tuning"]["winner"]
    gain, half = winner["fresh_gain"]["mean"], winner["fresh_gain"]["half_width"]
    assert f"fresh days | {gain:+,.1f} ± {half:,.1f} |" in page
    assert ("Tuning gains." in page) == (winner["fresh_gain"]["low"] > 0.0)
