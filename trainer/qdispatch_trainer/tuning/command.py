"""`qdispatch-trainer tune`: a study from its options to tuned.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import optuna
import torch
import typer
from optuna.exceptions import StorageInternalError
from rich.console import Console

from qdispatch_trainer.dqn.divergence_alarm import Diverged
from qdispatch_trainer.run_directory import write_json
from qdispatch_trainer.stop_request import StopRequest
from qdispatch_trainer.tuning.page import draw_history, tuning_page
from qdispatch_trainer.tuning.result import best_trial, tuned_settings, untuned_value
from qdispatch_trainer.tuning.space import usual
from qdispatch_trainer.tuning.storage import open_storage
from qdispatch_trainer.tuning.task import StudyError, Task
from qdispatch_trainer.tuning.winner import Measured, measure_winner
from qdispatch_trainer.tuning.worker import begin, join, standing, task_of, work, work_for
from qdispatch_trainer.watching import Watch, watch
from qdispatch_trainer.workers import OnRay, WorkersError

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


def tune_command(
    study_name: Annotated[str, typer.Option(help="Of the study; the same name continues it.")],
    scenario: Annotated[
        str, typer.Option(help="What is trained on and judged on: no part of it is tuned.")
    ] = "clinic-day",
    network: Annotated[str, typer.Option(help="set (any fleet) or flat (classic-10x20).")] = "set",
    trials: Annotated[int, typer.Option(help="How many, over all workers and restarts.")] = 50,
    episodes: Annotated[int, typer.Option(help="Training days of a trial.")] = 200,
    eval_episodes: Annotated[int, typer.Option(help="Validation days that judge it, the same for every trial.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the sampler and of every training.")] = 0,
    storage: Annotated[
        str | None, typer.Option(help="Journal file, or URL of a database \\[default: runs/tune/STUDY.journal].")
    ] = None,
    output: Annotated[Path, typer.Option(help="Where the tuned settings go.")] = Path("tuned.json"),
    measure_days: Annotated[int, typer.Option(min=2, help="Fresh days on which the winner is measured again.")] = 200,
    join_study: Annotated[
        bool, typer.Option("--join", help="Work on a study that another process has begun; write nothing.")
    ] = False,
    ray: Annotated[
        str | None,
        typer.Option(help="Trials as Ray tasks: a cluster's address, auto or local (extra \\[cluster])."),
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="Write the study as a Markdown page too, a picture beside it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the tuned settings as JSON.")] = False,
) -> None:
    """Tune the learner. Ctrl-C gives the trial up and leaves a study that the same command continues."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    watching = watch()
    try:
        where = storage or f"runs/tune/{study_name}.journal"
        held = open_storage(where)
        if join_study:
            study = join(held, study_name)
        else:
            study = begin(held, study_name, Task(scenario, network, trials, episodes, eval_episodes, seed))
        with watching:
            if ray is None:
                with StopRequest() as stop:
                    finished = work(study, watching, lambda: stop.asked)
            else:
                finished = _on_cluster(ray, where, study, watching)
        if not finished:
            watching.say("Stopped; the same command continues the study.")
            raise typer.Exit(EXIT_INTERRUPTED)
        if join_study:
            return
        task = task_of(study)
        watching.say(f"The best trial is measured again on {measure_days} fresh days, beside the untuned learner.")
        measured = _measured(study, task, measure_days)
        content = tuned_settings(study, task, measured)
    except (ValueError, StudyError, WorkersError, StorageInternalError, Diverged, OSError) as error:
        watching.say(str(error))
        raise typer.Exit(EXIT_BAD_INPUT) from error
    output.parent.mkdir(parents=True, exist_ok=True)
    write_json(output, content)
    if page is not None:
        page.parent.mkdir(parents=True, exist_ok=True)
        figure = page.with_suffix(".svg")
        page.write_text(tuning_page(content, figure.name), encoding="utf-8")
        draw_history(content, figure)
    if as_json:
        typer.echo(json.dumps(content, indent=2, sort_keys=True, allow_nan=False))
    else:
        _print(content, measured, output)


def _on_cluster(address: str, where: str, study: optuna.Study, watching: Watch) -> bool:
    """As many workers as the cluster has cores; every machine must reach the storage. Ctrl-C leaves trials to retry."""
    workers = OnRay(address)
    watching.begin(f"{study.study_name}, {workers.count} workers", task_of(study).trials, "trials")

    def landed(_results: list[None]) -> None:
        done, best = standing(study)
        watching.done(done, best.removeprefix("; "))

    there = where if "://" in where else str(Path(where).resolve())
    try:
        workers.map(work_for, [(there, study.study_name)] * workers.count, landed)
    except KeyboardInterrupt:
        return False
    finally:
        workers.close()
    return True


def _measured(study: optuna.Study, task: Task, days: int) -> Measured:
    torch.set_num_threads(1)
    best = best_trial(study)
    if best.value is None:
        raise StudyError("The best trial has no value.")
    winner, untuned = task.config_of(best.params), task.config_of(usual(task.network))
    return measure_winner(task, winner, best.value, untuned, untuned_value(study), days)


def _print(content: dict[str, Any], measured: Measured, output: Path) -> None:
    console = Console()
    tuning = content["tuning"]
    rows = tuning["optimization_history"]
    states = {state: sum(row["state"] == state for row in rows) for state in ("complete", "pruned", "fail")}
    counts = f"{states['complete']} complete, {states['pruned']} pruned, {states['fail']} given up"
    console.print(f"{tuning['study']}: {counts}", highlight=False)
    for name, value in tuning["best_params"].items():
        share = (tuning["importances"] or {}).get(name)
        console.print(f"  {name}: {value:g}" + ("" if share is None else f"   importance {share:.2f}"), highlight=False)
    gain, fresh = measured.tuning_gain, measured.fresh_gain
    on_tuning = "unknown: the untuned learner was not completed" if gain is None else f"{gain:+,.1f}"
    half = "" if fresh.half_width is None else f" ± {fresh.half_width:,.1f}"
    chosen = f"Winner against the untuned learner, mean return, on the days that chose it: {on_tuning}"
    console.print(chosen, highlight=False, soft_wrap=True)
    console.print(f"the same on {measured.fresh_days} fresh days: {fresh.mean:+,.1f}{half} (95 %)", highlight=False)
    proved = fresh.low is not None and fresh.low > 0.0
    console.print("Tuning gains." if proved else "No gain is proved on fresh days.", highlight=False)
    console.print(f"qdispatch-trainer train --config {output} --out runs/tuned", highlight=False)
