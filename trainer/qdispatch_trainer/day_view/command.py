"""`qdispatch-trainer replay`: one day, one policy or two, one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table

from qdispatch_bundle.errors import BundleError
from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.checkpoint import CheckpointError
from qdispatch_trainer.comparators import ExtraMissing
from qdispatch_trainer.comparison.contestants import OtherTaskError, contestant
from qdispatch_trainer.day_view.page import FIGURES, page
from qdispatch_trainer.day_view.story import Story, play_story
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.run_directory import RunError
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose, purpose_of

EXIT_BAD_INPUT = 2
EXIT_OTHER_TASK = 5


def replay_command(
    policy: Annotated[str, typer.Option(help="Checkpoint, bundle, run, settings or comparator.")],
    day: Annotated[int, typer.Option(help="Seed of the day.")] = SeedPurpose.VALIDATION.first_seed,
    against: Annotated[str | None, typer.Option(help="A second policy, side by side.")] = None,
    scenario: Annotated[str, typer.Option(help="Scenario of the day.")] = "clinic-day",
    out: Annotated[Path, typer.Option(help="The page.")] = Path("replay.html"),
    runs: Annotated[Path, typer.Option(help="Folder of the runs that settings are trained in.")] = Path("runs/compare"),
) -> None:
    """Play one day and write it as an HTML page: a timeline per driver and a map with a time slider."""
    errors = Console(stderr=True)
    torch.set_num_threads(1)

    def say(text: str) -> None:
        errors.print(text, highlight=False, markup=False)

    try:
        chosen = scenario_named(scenario)
        purpose = purpose_of(day).value
        names = [policy] if against is None else [policy, against]
        stories: list[Story] = []
        for name in names:
            one = contestant(name, runs, say)
            why = one.refused(chosen)
            if why is not None:
                raise OtherTaskError(f"{why}: not the same task.")
            stories.append(play_story(generate_day(chosen, day), name, one.build(chosen)))
    except OtherTaskError as error:
        say(str(error))
        raise typer.Exit(EXIT_OTHER_TASK) from error
    except (ValueError, RunError, CheckpointError, BundleError, ExtraMissing) as error:
        say(str(error))
        raise typer.Exit(EXIT_BAD_INPUT) from error
    title = f"{chosen.name}, day {day}: {' against '.join(names)}"
    frozen = f"A {purpose} day of scenario {chosen.digest()}, cost weights {WEIGHTS.digest()}."
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page(stories, title, frozen), encoding="utf-8")
    _print(stories, out)


def _print(stories: list[Story], out: Path) -> None:
    table = Table(caption=str(out))
    table.add_column("")
    for story in stories:
        table.add_column(story.policy, justify="right")
    for name, title, digits in FIGURES:
        values = [getattr(story.kpi, name) for story in stories]
        table.add_row(title, *("–" if value != value else f"{value:,.{digits}f}" for value in values))
    Console().print(table)
