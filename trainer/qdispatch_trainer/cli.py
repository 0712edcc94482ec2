"""The command line `qdispatch-trainer`."""

from __future__ import annotations

import typer

from qdispatch_trainer.comparison.command import compare_command
from qdispatch_trainer.day_view.command import replay_command
from qdispatch_trainer.evaluate_command import evaluate_command
from qdispatch_trainer.quality.calibrate_command import calibrate_planner_command
from qdispatch_trainer.quality.measure_command import measure_command
from qdispatch_trainer.quality.quality_command import quality_command
from qdispatch_trainer.report.command import plot_command
from qdispatch_trainer.train_command import train_command
from qdispatch_trainer.tuning.command import tune_command
from qdispatch_trainer.windows.command import tune_windows_command

app = typer.Typer(
    name="qdispatch-trainer",
    help="Train and evaluate dispatch policies.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("train")(train_command)
app.command("evaluate")(evaluate_command)
app.command("tune")(tune_command)
app.command("compare")(compare_command)
app.command("plot")(plot_command)
app.command("replay")(replay_command)
app.command("tune-windows")(tune_windows_command)
app.command("calibrate-planner")(calibrate_planner_command)
app.command("measure")(measure_command)
app.command("quality")(quality_command)


@app.callback()
def _root() -> None:
    """Train and evaluate dispatch policies."""


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
