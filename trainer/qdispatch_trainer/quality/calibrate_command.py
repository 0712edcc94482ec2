"""`qdispatch-trainer calibrate-planner`: freezes how many moves fit into the planner's time budgets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from qdispatch_trainer.planner_effort import MOVES_FILE, calibrate_moves
from qdispatch_trainer.quality.measure import EXTENTS
from qdispatch_trainer.quality.moments import moments_of_the_day
from qdispatch_trainer.run_directory import write_json


def calibrate_planner_command(
    out: Annotated[Path, typer.Option(help="File the moves are frozen in.")] = MOVES_FILE,
) -> None:
    """Measure the planner's moves per millisecond on every scenario's moments; results with other moves become void."""
    console = Console(stderr=True)
    found = {}
    for name, extent in EXTENTS.items():
        found[name] = calibrate_moves(moments_of_the_day(name, extent.moments, extent.moment_days))
        console.print(f"{name}: {found[name]}", highlight=False)
    write_json(out, found)
