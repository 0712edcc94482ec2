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

from qdispatch_trainer.progress import reporter
from qdispatch_trainer.run_directory import RunDirectory, RunError
from qdispatch_trainer.train import TrainResult, resume, stored_config, train
from qdispatch_trainer.train_config import TrainConfig
from qdispatch_trainer.training import Ending

EXIT_BAD_INPUT = 2
EXIT_DIVERGED = 3
EXIT_INTERRUPTED = 130
DEFAULTS = TrainConfig()


def train_command(
    out: Annotated[Path, typer.Option(help="Run directory: new, or with --resume an existing run.")],
    scenario: Annotated[str | None, typer.Option(help=f"Scenario [default: {DEFAULTS.scenario}].")] = None,
    network: Annotated[str | None, typer.Option(help="set (any fleet) or flat (classic 10 x 20).")] = None,
    seed: Annotated[int | None, typer.Option(help=f"Of weights and exploration [default: {DEFAULTS.seed}].")] = None,
    episodes: Annotated[int | None, typer.Option(help=f"Training days [default: {DEFAULTS.days}].")] = None,
    steps: Annotated[int | None, typer.Option(help="End after so many decisions, if that comes first.")] = None,
    threads: Annotated[int | None, typer.Option(help=f"Of PyTorch [default: {DEFAULTS.threads}].")] = None,
    config: Annotated[Path | None, typer.Option(help="JSON file of settings; options override it.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="One setting, as in agent.learning_rate=0.0005; repeatable.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="End after so much wall time; then the result depends on the machine.")
    ] = None,
    resume_run: Annotated[bool, typer.Option("--resume", help="Continue the run in --out as configured.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Train a policy. Ctrl-C ends it after the current round; --resume continues it."""
    options = {"scenario": scenario, "network": network, "seed": seed, "days": episodes, "decisions": steps}
    options |= {"threads": threads}
    given = {name: value for name, value in options.items() if value is not None}
    try:
        if resume_run:
            if given or config is not None or settings:
                raise ValueError("A resumed run keeps its own settings: leave them out with --resume.")
            result = resume(out, reporter(stored_config(RunDirectory(out)).days), minutes)
        else:
            chosen = TrainConfig.from_dict(_merged(config, settings or [], given))
            command = shlex.join(["qdispatch-trainer", *sys.argv[1:]])
            result = train(chosen, out, reporter(chosen.days), command, minutes)
    except (RunError, ValueError) as error:
        Console(stderr=True).print(str(error), style="red", highlight=False, markup=False)
        raise typer.Exit(EXIT_BAD_INPUT) from error
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
        try:
            merged = json.loads(config.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ValueError(f"Cannot read the settings in {config}: {error}") from error
        if not isinstance(merged, dict):
            raise ValueError(f"Expected a JSON object of settings in {config}.")
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
    progress = result.summary["progress"]
    table = Table(title=f"Training: {result.ending.value} ({result.reason})", show_header=False)
    table.add_row("days, decisions, updates", f"{progress['days']}, {progress['decisions']}, {progress['updates']}")
    table.add_row("training time", f"{progress['seconds']:.0f} s")
    validation = result.summary.get("validation")
    if validation:
        best = f"{validation['mean_return']:.1f} after {validation['days']} days"
        table.add_row("best validation, mean return", best)
        gain, half = validation["gain_over_reference"], validation["gain_half_width"]
        table.add_row(f"against {validation['reference']}", f"{gain:+.1f} ± {half:.1f} (95 %)")
        table.add_row("commit threshold", f"{result.summary['wait_bias_min']:+g} min")
    table.add_row("result", str(result.model) if result.model else f"continue with --resume --out {out}")
    Console().print(table)
