"""The directory a training leaves behind.

config.json      the whole configuration, seed, versions
metrics.jsonl    one line a round; `kind` is "round" or "validation"
events/          TensorBoard
checkpoints/     state.pt (to resume), best.pt, round-000120.pt …
states/          recipe imitate-then-q: the labelled states of every round; removed at the end
model.pt         the result: best checkpoint with its commit threshold
summary.json     how it ended
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STATE_FORMAT = 1


class RunError(Exception):
    """The run directory cannot be used as asked; the message says why."""


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """Paths of one run."""

    root: Path

    @property
    def config(self) -> Path:
        """config.json."""
        return self.root / "config.json"

    @property
    def metrics(self) -> Path:
        """metrics.jsonl."""
        return self.root / "metrics.jsonl"

    @property
    def events(self) -> Path:
        """TensorBoard's folder."""
        return self.root / "events"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.root / "checkpoints"

    @property
    def state(self) -> Path:
        """What `--resume` continues from."""
        return self.checkpoints / "state.pt"

    @property
    def best(self) -> Path:
        """The best checkpoint so far."""
        return self.checkpoints / "best.pt"

    @property
    def model(self) -> Path:
        """The result."""
        return self.root / "model.pt"

    @property
    def summary(self) -> Path:
        """summary.json."""
        return self.root / "summary.json"

    @property
    def states(self) -> Path:
        """The folder of labelled states."""
        return self.root / "states"

    def checkpoint(self, round_number: int) -> Path:
        """The periodic checkpoint of a round."""
        return self.checkpoints / f"round-{round_number:06d}.pt"

    def create(self, config: dict[str, Any]) -> None:
        """Start a new run. Raises RunError when the directory already holds one."""
        if self.config.exists():
            raise RunError(f"{self.root} already holds a run; continue it with --resume or choose another --out.")
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        write_json(self.config, config)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes out; the system lets go when this one dies. Raises RunError when another one is in."""
        with (self.root / "lock").open("w", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise RunError(f"Another process is training in {self.root}.") from error
            yield

    def read_config(self) -> dict[str, Any]:
        """The configuration of an existing run. Raises RunError when there is none."""
        try:
            content = json.loads(self.config.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise RunError(f"{self.root} holds no run to resume.") from error
        except json.JSONDecodeError as error:
            raise RunError(f"{self.config} is not readable JSON: {error}") from error
        if not isinstance(content, dict):
            raise RunError(f"{self.config} is not a JSON object.")
        return content


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write atomically, sorted and indented."""
    temporary = path.with_name(path.name + ".partial")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=2, sort_keys=True, allow_nan=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
