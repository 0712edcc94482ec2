"""`qdispatch-trainer tune-windows`: plays the grid, freezes the best windows, writes the page about it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console

from qdispatch_bundle.errors import BundleError
from qdispatch_trainer.checkpoint import CheckpointError
from qdispatch_trainer.run_directory import write_json
from qdispatch_trainer.scenarios import SCENARIOS, scenario_named
from qdispatch_trainer.windows.frozen import FROZEN_FILE
from qdispatch_trainer.windows.page import windows_page
from qdispatch_trainer.windows.record import WindowRecord
from qdispatch_trainer.windows.tuning import NAMES, tunables, tune, tuning_days

EXIT_BAD_INPUT = 2


def tune_windows_command(
    scenario: Annotated[
        list[str] | None, typer.Option(help="Scenario to tune on; may be repeated. Default: all.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=2, help="Validation days; default: those of the frozen windows.")
    ] = None,
    comparator: Annotated[
        list[str] | None, typer.Option(help="Comparator, or model; may be repeated. Default: all that is given.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Bundle or checkpoint of the model.")] = None,
    again: Annotated[bool, typer.Option(help="Tune what has been tuned already, too.")] = False,
    out: Annotated[Path, typer.Option(help="Folder of windows.json and windows.md.")] = Path("docs/benchmarks"),
    frozen: Annotated[Path, typer.Option(help="File the windows are frozen in.")] = FROZEN_FILE,
) -> None:
    """Find how far ahead comparators and model look best, on validation days; what has been tuned already is kept."""
    console = Console(stderr=True)
    torch.set_num_threads(1)
    try:
        chosen = [scenario_named(name) for name in (scenario or SCENARIOS)]
        known = tunables(model)
        names = list(known) if comparator is None else comparator
        if not set(names) <= set(NAMES):
            raise ValueError(f"unknown comparator in {', '.join(names)}; expected some of {', '.join(NAMES)}")
        if not set(names) <= set(known):
            raise ValueError("model needs --model, a bundle or a checkpoint")
        record = WindowRecord(out / "windows.json")
    except (ValueError, CheckpointError, BundleError) as error:
        console.print(str(error), highlight=False, markup=False)
        raise typer.Exit(EXIT_BAD_INPUT) from error
    for one in chosen:
        for name in names:
            count = tuning_days(one.name, name) if days is None else days
            if again or not record.has(one, name, count, known[name].digest):
                found = tune(one, known[name], count)
                record.add(one, name, count, found, known[name].digest)
                console.print(f"{one.name}, {name}: {record.best()[one.name][name]:g} min", highlight=False)
    (out / "windows.md").write_text(windows_page(record.scenarios), encoding="utf-8")
    write_json(frozen, record.best())
