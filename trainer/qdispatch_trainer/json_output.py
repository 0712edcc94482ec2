"""Results for machines: into a file, or to standard output, where nothing else is written then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from qdispatch_trainer.run_directory import write_json

STANDARD_OUTPUT = Path("-")
JSON_HELP = "Write the results to this file; -: to standard output, and the tables to standard error."


def write_results(path: Path, results: dict[str, Any]) -> None:
    """One JSON document."""
    if path == STANDARD_OUTPUT:
        typer.echo(json.dumps(results, indent=2, sort_keys=True, allow_nan=False))
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, results)
