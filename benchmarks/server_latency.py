"""A real server on this machine, asked over TCP: what a caller waits, and what the server says it needed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qdispatch_client import Client, Snapshot

START_SECONDS = 120.0
DEADLINE_SECONDS = 30.0
WARM_UP = 20
COMPANY = "bench"


@dataclass(frozen=True, slots=True)
class ServerRow:
    """One scenario asked by `callers` at once, each waiting for its answer; milliseconds at the caller."""

    scenario: str
    callers: int
    calls: int
    calls_per_second: float
    p50: float
    p95: float
    p99: float
    server_p50: float  # the server's own time, from arrival to the finished message
    within_5_ms: float  # share of the server's own times
    model_share: float  # answered by the model; the rest by the heuristic


@contextmanager
def running_server(folder: Path, bundle: Path) -> Iterator[str]:
    """The address of a server with one worker and this bundle, ended at the end of the block."""
    ready = folder / "ready.json"
    settings = {
        "company_default": "enabled",
        "port": 0,
        "metrics_port": 0,
        "ready_file": ready,
        "bundle_dir": bundle,
        "database_url": f"sqlite:///{folder / 'state.sqlite'}",
        "log_level": "error",
    }
    environment = os.environ | {f"QDISPATCH_SERVER_{name.upper()}": str(value) for name, value in settings.items()}
    process = subprocess.Popen([sys.executable, "-m", "qdispatch_server", "serve"], env=environment)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the server did not start")
            time.sleep(0.05)
        yield str(json.loads(ready.read_text())["address"])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def measure_server(
    scenario: str, address: str, snapshots: Sequence[Snapshot], callers: int, seconds: float
) -> ServerRow:
    """Closed loop: every caller sends its next call when the last one is answered, for so many seconds."""
    waited: list[float] = []
    inside: list[float] = []
    by_model: list[bool] = []

    def call(first: int) -> None:
        with Client(address) as client:
            turn, ending = first, time.perf_counter() + seconds
            while turn < first + WARM_UP or time.perf_counter() < ending:
                snapshot = snapshots[turn % len(snapshots)]
                start = time.perf_counter()
                answer = client.suggest(snapshot, company_id=COMPANY, deadline_seconds=DEADLINE_SECONDS)
                if turn >= first + WARM_UP:
                    waited.append(1e3 * (time.perf_counter() - start))
                    inside.append(answer.timing.total_micros / 1e3)
                    by_model.append(answer.provenance.source.name == "MODEL")
                turn += 1

    threads = [threading.Thread(target=call, args=(number,)) for number in range(callers)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - start
    if not waited:
        raise RuntimeError(f"{scenario}: no call was answered within {seconds} s after the warm-up")
    p50, p95, p99 = np.percentile(waited, [50, 95, 99])
    return ServerRow(
        scenario=scenario,
        callers=callers,
        calls=len(waited),
        calls_per_second=(len(waited) + callers * WARM_UP) / wall,
        p50=float(p50),
        p95=float(p95),
        p99=float(p99),
        server_p50=float(np.median(inside)),
        within_5_ms=float(np.mean(np.asarray(inside) <= 5.0)),
        model_share=float(np.mean(by_model)),
    )
