"""`qdispatch-trainer compare`: who plays, on which days, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console

from qdispatch_bundle.errors import BundleError
from qdispatch_trainer.checkpoint import CheckpointError
from qdispatch_trainer.comparators import ExtraMissing
from qdispatch_trainer.comparison.comparing import compare
from qdispatch_trainer.comparison.contestants import OtherTaskError, contestant
from qdispatch_trainer.comparison.sizes import SIZES, size_rows
from qdispatch_trainer.comparison.tables import WIDTH, comparison_table, size_table
from qdispatch_trainer.comparison.verdict import verdict
from qdispatch_trainer.json_output import JSON_HELP, STANDARD_OUTPUT, write_results
from qdispatch_trainer.run_directory import RunError
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SEEDS_PER_PURPOSE, SeedPurpose, purpose_of
from qdispatch_trainer.source_revision import git_revision
from qdispatch_trainer.train import versions
from qdispatch_trainer.watching import watch
from qdispatch_trainer.workers import WorkersError, workers_at

EXIT_BAD_INPUT = 2
EXIT_OTHER_TASK = 5


def compare_command(
    policies: Annotated[
        list[str],
        typer.Argument(
            metavar="A B [C]...",
            help="Checkpoint, bundle, run, settings (.json, trained first) or comparator. Others are compared with A.",
        ),
    ],
    scenario: Annotated[str, typer.Option(help="Scenario to play.")] = "clinic-day",
    days: Annotated[int, typer.Option(min=2, help="How many days.")] = 200,
    seeds_from: Annotated[
        int, typer.Option(min=0, help="First seed; 1000000+ for choices, 2000000+ for published tables.")
    ] = SeedPurpose.VALIDATION.first_seed,
    sizes: Annotated[bool, typer.Option("--sizes", help="Play every size instead: the generalisation table.")] = False,
    runs: Annotated[Path, typer.Option(help="Folder of the runs that settings are trained in.")] = Path("runs/compare"),
    ray: Annotated[
        str | None, typer.Option(help="Play on a Ray cluster: its address, auto, or local (extra \\[cluster]).")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help=JSON_HELP)] = None,
) -> None:
    """Compare policies on the same days: paired differences, their intervals, and a verdict."""
    errors, console = Console(stderr=True), Console(stderr=json_file == STANDARD_OUTPUT)
    console.width = max(console.width, WIDTH)
    torch.set_num_threads(1)

    def say(text: str) -> None:
        errors.print(text, highlight=False, markup=False)

    opened = ExitStack()
    try:
        chosen = scenario_named(scenario)
        seeds = range(seeds_from, seeds_from + days)
        if purpose_of(seeds[0]) is not purpose_of(seeds[-1]):
            raise ValueError(f"Seeds {seeds[0]} to {seeds[-1]} cross the border at a multiple of {SEEDS_PER_PURPOSE}.")
        if len(set(policies)) < 2:
            raise ValueError("Expected at least two different policies to compare.")
        workers = opened.enter_context(closing(workers_at(ray)))
        contestants = [contestant(name, runs, say) for name in policies]
        found: dict[str, Any]
        if sizes:
            with watch() as watching:
                rows = size_rows(contestants, SIZES, days, lambda count: seeds[:count], watching, workers)
            console.print(size_table(rows, contestants[0].name))
            found = {"sizes": [asdict(row) for row in rows]}
        else:
            with watch() as watching:
                comparison = compare(contestants, chosen, seeds, watching, workers)
            others: Sequence[str] = [one.name for one in contestants[1:]]
            for other in others:
                console.print(comparison_table(comparison, other))
            verdicts = {other: verdict(comparison, other) for other in others}
            for sentence in verdicts.values():
                console.print(sentence, highlight=False, markup=False)
            found = {**comparison.to_dict(), "verdicts": verdicts}
    except OtherTaskError as error:
        say(str(error))
        raise typer.Exit(EXIT_OTHER_TASK) from error
    except (ValueError, RunError, CheckpointError, BundleError, ExtraMissing, WorkersError) as error:
        say(str(error))
        raise typer.Exit(EXIT_BAD_INPUT) from error
    finally:
        opened.close()
    if json_file is not None:
        write_results(json_file, {**found, "versions": versions(), "git_revision": git_revision()})
