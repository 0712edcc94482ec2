"""The command line `qdispatch-trainer`."""

from __future__ import annotations

import typer

from qdispatch_trainer.evaluate_command import evaluate_command
from qdispatch_trainer.train_command import train_command

app = typer.Typer(
    name="qdispatch-trainer",
    help="Train and evaluate dispatch policies.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("train")(train_command)
app.command("evaluate")(evaluate_command)


@app.callback()
def _root() -> None:
    """Train and evaluate dispatch policies."""


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
