"""`qdispatch-export CHECKPOINT --out DIR`: the command line. Exit codes: 0 done, 1 not exportable, 2 wrong usage."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from qdispatch_bundle.errors import BundleError, OverModelLimit
from qdispatch_bundle.strict_json import dump
from qdispatch_export.errors import ExportError
from qdispatch_export.pipeline import ExportResult, export_bundle
from qdispatch_export.report_table import print_result
from qdispatch_export.request import ExportRequest

EXIT_NOT_EXPORTABLE = 1

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def export(
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint that the trainer wrote (model.pt).")],
    out: Annotated[Path, typer.Option(help="Folder of the bundle; it is made, and appears only when complete.")],
    scenario: Annotated[
        list[str] | None,
        typer.Option(help="Judge in closed loop on these (comma list, or given several times); default: two."),
    ] = None,
    observe: Annotated[
        list[str] | None,
        typer.Option(metavar="SCENARIO:DAYS", help="Meet situations (calibration, golden vectors) on these days."),
    ] = None,
    days: Annotated[int, typer.Option(help="Paired days per scenario in closed loop, at least 100.")] = 200,
    moments: Annotated[int, typer.Option(help="Situations kept per observed scenario.")] = 120,
    latency_runs: Annotated[int, typer.Option(help="Timed runs per form and size.")] = 200,
    golden: Annotated[int, typer.Option(help="Golden vectors, at least 8.")] = 12,
    model_version: Annotated[str | None, typer.Option(help="Name of the model; default: kind-scenario-hash.")] = None,
    max_drivers: Annotated[int, typer.Option(help="Most drivers the model takes (set).")] = 200,
    max_bookings: Annotated[int, typer.Option(help="Most open bookings the model takes (set).")] = 1000,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing bundle.")] = False,
    allow_few_days: Annotated[
        bool, typer.Option("--allow-few-days", help="Permit fewer than 100 days: for trying out, not for publishing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Turn a checkpoint into a measured, verified ONNX bundle."""
    errors = Console(stderr=True)
    try:
        request = ExportRequest(
            checkpoint=checkpoint,
            out=out,
            command=shlex.join(["qdispatch-export", *sys.argv[1:]]),
            scenarios=_listed(scenario) if scenario else None,
            observed=tuple(_observed(text) for text in _listed(observe)) if observe else None,
            days=days,
            moments=moments,
            latency_runs=latency_runs,
            golden=golden,
            model_version=model_version,
            max_drivers=max_drivers,
            max_bookings=max_bookings,
            force=force,
            allow_few_days=allow_few_days,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    try:
        with errors.status("Exporting") as status:
            result = export_bundle(request, status.update)
    except (ExportError, BundleError, OverModelLimit, OSError) as error:
        errors.print(f"[red]Not exported:[/red] {error}", highlight=False)
        raise typer.Exit(EXIT_NOT_EXPORTABLE) from error
    if as_json:
        sys.stdout.write(json.dumps(_as_json(result), indent=2) + "\n")
    else:
        print_result(result, Console())


def _listed(options: list[str]) -> tuple[str, ...]:
    """The parts of options that may each hold a comma list. Raises ValueError for an empty part."""
    parts = tuple(part.strip() for option in options for part in option.split(","))
    if not all(parts):
        raise ValueError("Expected names between the commas.")
    return parts


def _observed(text: str) -> tuple[str, int]:
    name, _, days = text.partition(":")
    if not days.isdecimal():
        raise ValueError(f"Expected SCENARIO:DAYS, got {text!r}.")
    return name, int(days)


def _as_json(result: ExportResult) -> dict[str, object]:
    return {
        "directory": str(result.directory),
        "digest": result.digest,
        "torch_difference": result.torch_difference,
        "manifest": dump(result.manifest),
    }


def main() -> None:
    """Entry point of the console script."""
    app()
