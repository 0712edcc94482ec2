"""What supervisor and worker say to each other: one JSON line down at the start, JSON lines up after it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import IO, Any

from qdispatch_server.config import Config

EXIT_CANNOT_START = 3  # a fault that a restart would not mend: the supervisor ends with it


@dataclass(frozen=True, slots=True)
class WorkerOrder:
    """What one worker is to be."""

    number: int  # 1 .. workers
    port: int  # the reserved port
    shared_port: bool
    supervisor_started_at: float  # seconds since the epoch
    config: Config

    def write(self, pipe: IO[str]) -> None:
        """Sends the order. The pipe stays open: its end tells the worker that the supervisor is gone."""
        values = {
            "number": self.number,
            "port": self.port,
            "shared_port": self.shared_port,
            "supervisor_started_at": self.supervisor_started_at,
            "config": json.loads(self.config.to_json()),
        }
        pipe.write(json.dumps(values) + "\n")
        pipe.flush()

    @classmethod
    def read(cls, pipe: IO[str]) -> WorkerOrder:
        """Receives the order."""
        values: dict[str, Any] = json.loads(pipe.readline())
        values["config"] = Config.model_validate(values["config"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """What a worker tells: "serving", or "cannot_start" with a text for people."""

    event: str
    detail: str = ""

    def write(self, pipe: IO[str]) -> None:
        """Sends the report."""
        pipe.write(json.dumps(asdict(self)) + "\n")
        pipe.flush()

    @classmethod
    def parse(cls, line: str) -> WorkerReport:
        """Reads one line."""
        return cls(**json.loads(line))
