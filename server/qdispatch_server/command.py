"""The command line `qdispatch-server`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from qdispatch_server.config import Config, ConfigError, load_config
from qdispatch_server.log_events import configure_logging
from qdispatch_server.supervisor import CannotStartError, Supervisor

EXIT_CONFIG = 2
EXIT_CANNOT_START = 1

app = typer.Typer(
    name="qdispatch-server",
    help="Serves dispatch suggestions over gRPC. Settings: docs/operations.md.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
ConfigFile = Annotated[Path | None, typer.Option("--config", "-c", help="TOML file with the settings.", dir_okay=False)]


@app.command()
def serve(
    config: ConfigFile = None,
    workers: Annotated[int | None, typer.Option(help="Processes that share the port.")] = None,
    host: Annotated[str | None, typer.Option(help="Address of the gRPC port.")] = None,
    port: Annotated[int | None, typer.Option(help="gRPC port; 0 takes a free one.")] = None,
    bundle_dir: Annotated[Path | None, typer.Option(help="Directory of the model bundle.")] = None,
    reflection: Annotated[bool | None, typer.Option(help="Offer server reflection.")] = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C, then drain. SIGHUP loads the bundle again."""
    settings = _load(
        config,
        {"workers": workers, "host": host, "port": port, "bundle_dir": bundle_dir, "reflection": reflection},
    )
    configure_logging(settings.log_level)
    try:
        Supervisor(settings, lambda line: typer.echo(line)).run()
    except CannotStartError as error:
        typer.echo(f"qdispatch-server: {error}", err=True)
        sys.exit(EXIT_CANNOT_START)


@app.command(name="check-config")
def check_config(config: ConfigFile = None) -> None:
    """Check the settings of file and environment and show the result, the database's password hidden."""
    typer.echo(json.dumps(_load(config, {}).public(), indent=2))


def _load(path: Path | None, overrides: dict[str, object]) -> Config:
    try:
        return load_config(path, overrides=overrides)
    except ConfigError as error:
        for line in str(error).splitlines():
            typer.echo(f"qdispatch-server: {line}", err=True)
        sys.exit(EXIT_CONFIG)
