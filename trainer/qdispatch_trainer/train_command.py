"""`qdispatch-trainer train`: options to configuration, result to exit code."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from qdispatch_trainer.recipes import DEFAULT, RECIPES, recipe_named, recipe_of_run
from qdispatch_trainer.run_directory import RunError
from qdispatch_trainer.settings_file import read_settings
from qdispatch_trainer.train import TrainResult
from qdispatch_trainer.training import Ending
from qdispatch_trainer.workers import OnRay, WorkersError

EXIT_BAD_INPUT = 2
EXIT_DIVERGED = 3
EXIT_INTERRUPTED = 130


def train_command(
    out: Annotated[Path, typer.Option(help="Run directory: new, or with --resume an existing run.")],
    recipe: Annotated[str | None, typer.Option(help=f"{' or '.join(RECIPES)} \\[default: {DEFAULT}].")] = None,
    network: Annotated[str | None, typer.Option(help="set (any fleet) or flat (classic 10 x 20).")] = None,
    seed: Annotated[int | None, typer.Option(help="Of weights, days and exploration \\[default: 0].")] = None,
    rounds: Annotated[int | None, typer.Option(help="imitate-then-q: rounds of the imitation.")] = None,
    teacher: Annotated[str | None, typer.Option(help="imitate-then-q: who is imitated.")] = None,
    scenario: Annotated[str | None, typer.Option(help="dqn: scenario.")] = None,
    episodes: Annotated[int | None, typer.Option(help="dqn: training days.")] = None,
    steps: Annotated[int | None, typer.Option(help="dqn: end after so many decisions, if that comes first.")] = None,
    threads: Annotated[int | None, typer.Option(help="Of PyTorch \\[default: 1].")] = None,
    config: Annotated[Path | None, typer.Option(help="JSON file of settings; options override it.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="One setting, as in agent.learning_rate=0.0005; repeatable.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="End after so much wall time; then the result depends on the machine.")
    ] = None,
    ray: Annotated[
        str | None, typer.Option(help="Play the days as Ray tasks: a cluster's address, auto or local.")
    ] = None,
    resume_run: Annotated[bool, typer.Option("--resume", help="Continue the run in --out as configured.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Train a policy. Ctrl-C ends it after the current round; --resume continues it."""
    options = {"recipe": recipe, "scenario": scenario, "network": network, "seed": seed, "days": episodes}
    options |= {"decisions": steps, "threads": threads, "rounds": rounds, "teacher": teacher}
    given = {name: value for name, value in options.items() if value is not None}
    workers: OnRay | None = None
    try:
        workers = None if ray is None else OnRay(ray)
        if resume_run:
            if given or config is not None or settings:
                raise ValueError("A resumed run keeps its own settings: leave them out with --resume.")
            result = recipe_of_run(out).resume(out, minutes, workers)
        else:
            chosen = _merged(config, settings or [], given)
            name = str(chosen.pop("recipe", DEFAULT))
            command = shlex.join(["qdispatch-trainer", *sys.argv[1:]])
            result = recipe_named(name).train(chosen, out, command, minutes, workers)
    except (RunError, ValueError, WorkersError) as error:
        Console(stderr=True).print(str(error), style="red", highlight=False, markup=False)
        raise typer.Exit(EXIT_BAD_INPUT) from error
    finally:
        if workers is not None:
            workers.close()
    if as_json:
        typer.echo(json.dumps(result.summary, indent=2, sort_keys=True, allow_nan=False))
    else:
        _print(result, out)
    if result.ending is Ending.DIVERGED:
        raise typer.Exit(EXIT_DIVERGED)
    if result.ending is Ending.INTERRUPTED:
        raise typer.Exit(EXIT_INTERRUPTED)


def _merged(config: Path | None, settings: list[str], options: dict[str, Any]) -> dict[str, Any]:
    """Settings of the file, then `--set`, then the options. Raises ValueError for what cannot be read."""
    merged: dict[str, Any] = {}
    if config is not None:
        merged = read_settings(config)
    for setting in settings:
        path, separator, text = setting.partition("=")
        if not separator:
            raise ValueError(f"Expected --set NAME=VALUE, got {setting!r}.")
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            value = text  # a bare word is text
        *groups, name = path.split(".")
        target = merged
        for group in groups:
            target = target.setdefault(group, {})
            if not isinstance(target, dict):
                raise ValueError(f"{group} in --set {path} is no group of settings.")
        target[name] = value
    return {**merged, **options}


def _print(result: TrainResult, out: Path) -> None:
    table = Table(title=f"Training: {result.ending.value} ({result.reason})", show_header=False)
    for name, value in result.rows:
        table.add_row(name, value)
    table.add_row("result", str(result.model) if result.model else f"continue with --resume --out {out}")
    Console().print(table)
