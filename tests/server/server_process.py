"""A real server as a subprocess: supervisor and workers, on free ports, in a folder of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import psutil

START_SECONDS = 60.0
SAMPLE = re.compile(r"^(?P<name>[a-z_]+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)$")


@dataclass
class ServerProcess:
    """A server that serves; `stop` drains it."""

    process: subprocess.Popen[str]
    address: str
    metrics_url: str
    log_path: Path

    def log(self) -> str:
        """Everything the supervisor and the workers have written."""
        return self.log_path.read_text(encoding="utf-8")

    def worker_pids(self) -> list[int]:
        """The worker processes alive now."""
        children = psutil.Process(self.process.pid).children()
        return sorted(child.pid for child in children if child.status() != psutil.STATUS_ZOMBIE)

    def metrics(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """All samples of /metrics: (name, labels) -> value."""
        with urllib.request.urlopen(self.metrics_url, timeout=10) as answer:
            text = answer.read().decode()
        found = {}
        for line in text.splitlines():
            match = SAMPLE.match(line)
            if match is not None:
                labels = frozenset(re.findall(r'(\w+)="([^"]*)"', match["labels"] or ""))
                found[(match["name"], labels)] = float(match["value"])
        return found

    def sample(self, name: str, **labels: str) -> float:
        """One sample of /metrics, 0 when it is not there yet."""
        return self.metrics().get((name, frozenset(labels.items())), 0.0)

    def stop(self, seconds: float = 30.0) -> int:
        """Drains the server; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


def server_environment(folder: Path, **settings: object) -> dict[str, str]:
    """The environment of a server that keeps everything in `folder`; a setting of None is left to its default."""
    values: dict[str, object] = {
        "company_default": "enabled",
        "port": 0,
        "metrics_port": 0,
        "ready_file": folder / "ready.json",
        "database_url": f"sqlite:///{folder / 'state.sqlite'}",
        "log_level": "debug",
        "precision": "fp32",  # not the default, which measures: what answers would then depend on the machine
        "search": "off",  # not the default, which depends on what is installed
        **settings,
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("QDISPATCH_SERVER_")}
    own = {f"QDISPATCH_SERVER_{name.upper()}": str(value) for name, value in values.items() if value is not None}
    return inherited | own | {"TMPDIR": str(folder)}  # so that even a killed server leaves nothing behind


def spawn(folder: Path, **settings: object) -> subprocess.Popen[str]:
    """Starts a server and does not wait for it; its output goes to `folder`/server.log."""
    with (folder / "server.log").open("a", encoding="utf-8") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "qdispatch_server", "serve"],
            env=server_environment(folder, **settings),
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )


@contextmanager
def running_server(folder: Path, **settings: object) -> Iterator[ServerProcess]:
    """A server that serves, ended at the end of the block."""
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    process = spawn(folder, **settings)
    log_path = folder / "server.log"
    try:
        wait_until(lambda: ready.exists() or process.poll() is not None, START_SECONDS, "the server is ready")
        if process.poll() is not None:
            raise AssertionError(f"the server ended with {process.returncode}:\n{log_path.read_text()}")
        values = json.loads(ready.read_text())
        yield ServerProcess(process, values["address"], values["metrics_url"], log_path)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                for child in psutil.Process(process.pid).children():
                    child.kill()
                process.kill()
                process.wait()


def wait_until(condition: object, seconds: float, what: str) -> None:
    """Polls until `condition()` holds; fails after a generous time, which is no measurement."""
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]  # any callable
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def channel_to(address: str) -> grpc.Channel:
    """A connection of its own, not shared with other channels of this process."""
    return grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
