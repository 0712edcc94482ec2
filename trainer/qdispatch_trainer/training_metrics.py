"""Metrics of a run: one JSON line a round, the same numbers as TensorBoard events."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from qdispatch_trainer.run_directory import RunDirectory


class TrainingMetrics:
    """Appends to metrics.jsonl and to the event files; a context manager.

    On resume, lines of rounds after `resume_round` are dropped: those rounds are played again.
    """

    def __init__(self, run: RunDirectory, resume_round: int | None) -> None:
        if resume_round is not None and run.metrics.exists():
            kept = [line for line in read_metrics(run) if line["round"] <= resume_round]
            temporary = run.metrics.with_suffix(".partial")
            temporary.write_text("".join(_line(row) for row in kept), encoding="utf-8")
            temporary.replace(run.metrics)
        self._file = run.metrics.open("a", encoding="utf-8")
        self._writer = SummaryWriter(str(run.events), purge_step=None if resume_round is None else resume_round + 1)

    def write(self, kind: str, round_number: int, values: dict[str, Any]) -> None:
        """One line; numbers also go to TensorBoard under `kind/name`, the round as its step."""
        self._file.write(_line({"kind": kind, "round": round_number, **values}))
        self._file.flush()
        for name, value in values.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                self._writer.add_scalar(f"{kind}/{name}", value, round_number)

    def __enter__(self) -> TrainingMetrics:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._writer.close()


def read_metrics(run: RunDirectory) -> list[dict[str, Any]]:
    """All complete lines; a last line cut off by a kill is left out."""
    rows: list[dict[str, Any]] = []
    lines = run.metrics.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines):
        if number == len(lines) - 1:
            break  # the part after the last newline: nothing, or cut off
        rows.append(json.loads(line))
    return rows


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, allow_nan=False) + "\n"
