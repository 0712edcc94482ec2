"""One measurement for all workers of a server, so that the same snapshot gets the same answer whoever serves it.

The first worker measures, the others wait for it and read; so does a worker that is started again.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from qdispatch_bundle.manifest import Precision
from qdispatch_server.precision_plan import PrecisionBucket

Buckets = tuple[PrecisionBucket, ...]
LOCK_FILE = "precision.lock"


class SharedMeasurement:
    """Measurements by bundle, in a folder that the workers of one server share and that ends with the server."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read_or_make(self, digest: str, measure: Callable[[], Buckets]) -> tuple[Buckets, bool]:
        """The buckets of the bundle `digest`, and whether they were measured now, here. Waits for who is measuring."""
        path = self._directory / f"precision-{digest}.json"
        with (self._directory / LOCK_FILE).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # released by the system even if this process is killed
            if path.exists():
                return _read(path), False
            buckets = measure()
            partial = path.with_suffix(".partial")
            partial.write_text(json.dumps([asdict(bucket) for bucket in buckets]), encoding="utf-8")
            partial.replace(path)
            return buckets, True


def _read(path: Path) -> Buckets:
    rows = json.loads(path.read_text(encoding="utf-8"))
    return tuple(PrecisionBucket(**{**row, "precision": Precision(row["precision"])}) for row in rows)
