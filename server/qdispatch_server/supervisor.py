"""The supervisor: reserves the port, runs the migrations, keeps N fresh worker processes alive, serves their metrics.

It imports neither grpc nor onnxruntime: a crash in native code ends a worker, never the supervisor.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType

import structlog
from sqlalchemy.exc import SQLAlchemyError

from qdispatch_server.config import Config
from qdispatch_server.metrics_endpoint import MetricsEndpoint, SupervisorCollector, forget_dead_worker
from qdispatch_server.ports import PortInUseError, reserve_port, target
from qdispatch_server.state.database import migrate, open_engine
from qdispatch_server.worker_pipe import EXIT_CANNOT_START, WorkerOrder, WorkerReport

LOG = structlog.get_logger("qdispatch.supervisor")
FIRST_BACKOFF_SECONDS = 0.2
LONGEST_BACKOFF_SECONDS = 30.0
STEADY_SECONDS = 30.0  # a worker that served this long starts again without delay
KILL_MARGIN_SECONDS = 5.0  # after drain_seconds, what a worker may need to end
LOOP_SECONDS = 0.05
LAST_REPORT_SECONDS = 1.0


class CannotStartError(Exception):
    """The server cannot start; the text says why and what to do."""


@dataclass
class _Slot:
    """One worker's place: the process that fills it now, and when it may be filled again."""

    number: int
    process: subprocess.Popen[str] | None = None
    started: float = 0.0  # time.monotonic
    serving: bool = False
    failures: int = 0
    start_after: float = 0.0  # time.monotonic
    reports: list[WorkerReport] = field(default_factory=list)
    follower: threading.Thread | None = None  # reads the reports until the process ends


class Supervisor:
    """Runs one server until it is told to end. Use once: `run()`."""

    def __init__(self, config: Config, announce: Callable[[str], None]) -> None:
        self._config = config
        self._announce = announce
        self._slots = [_Slot(number) for number in range(1, config.workers + 1)]
        self._ending = False
        self._woken: SimpleQueue[None] = SimpleQueue()  # unlike an Event, safe to fill in a signal handler
        self._restarts = 0
        self._announced = False
        self._started_at = time.time()
        self._port = 0

    def run(self) -> None:
        """Serves until SIGTERM or SIGINT, then drains. Raises CannotStartError, and ends everything it started."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_end_signal)
        signal.signal(signal.SIGHUP, self._on_reload_signal)
        try:
            reserved = reserve_port(self._config.host, self._config.port, shared=self._config.workers > 1)
        except PortInUseError as error:
            raise CannotStartError(str(error)) from None
        with reserved, tempfile.TemporaryDirectory(prefix="qdispatch-metrics-") as directory:
            self._port = reserved.getsockname()[1]
            self._prepare_state()
            endpoint = self._open_metrics(Path(directory))
            try:
                self._keep_alive(endpoint, Path(directory))
            finally:
                self._drain(Path(directory))
                endpoint.close()
                self._remove_ready_file()
        LOG.info("ended")

    def _on_end_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._ending = True
        self._woken.put(None)

    def _on_reload_signal(self, _number: int, _frame: FrameType | None) -> None:
        """Passes the wish to load the bundle again on to every worker that serves."""
        for slot in self._slots:
            if slot.serving and slot.process is not None:
                slot.process.send_signal(signal.SIGHUP)

    def _prepare_state(self) -> None:
        engine = open_engine(self._config.database_url.get_secret_value())
        try:
            migrate(engine)
        except SQLAlchemyError as error:
            shown = self._config.public()["database_url"]
            raise CannotStartError(f"{shown}: cannot be prepared ({type(error).__name__})") from error
        finally:
            engine.dispose()

    def _open_metrics(self, directory: Path) -> MetricsEndpoint:
        collector = SupervisorCollector(lambda: self._restarts, lambda: sum(_alive(slot) for slot in self._slots))
        try:
            return MetricsEndpoint(self._config.metrics_host, self._config.metrics_port, directory, collector)
        except PortInUseError as error:
            raise CannotStartError(str(error)) from None

    def _keep_alive(self, endpoint: MetricsEndpoint, directory: Path) -> None:
        while not self._ending:
            for slot in self._slots:
                self._look_after(slot, directory)
            if not self._announced and all(slot.serving for slot in self._slots):
                self._announced = True
                self._write_ready_file(endpoint.port)
                grpc_address = target(self._config.host, self._port)
                metrics_address = target(self._config.metrics_host, endpoint.port)
                LOG.info("serving", address=grpc_address, metrics=metrics_address, workers=len(self._slots))
                self._announce(f"serving on {grpc_address}, metrics on http://{metrics_address}/metrics")
            with suppress(Empty):
                self._woken.get(timeout=LOOP_SECONDS)

    def _look_after(self, slot: _Slot, directory: Path) -> None:
        now = time.monotonic()
        if slot.process is None:
            if now >= slot.start_after:
                self._start(slot, directory)
            return
        for report in slot.reports:
            slot.serving = slot.serving or report.event == "serving"
        code = slot.process.poll()
        if code is None:
            if not slot.serving and now - slot.started > self._config.ready_timeout_seconds:
                LOG.error("worker_not_ready_in_time", worker=slot.number)
                slot.process.kill()
            return
        forget_dead_worker(slot.process.pid, directory)
        if slot.follower is not None:
            slot.follower.join(LAST_REPORT_SECONDS)
        refused = next((report.detail for report in slot.reports if report.event == "cannot_start"), None)
        if code == EXIT_CANNOT_START and not self._announced:
            raise CannotStartError(refused or "a worker could not start")
        served = now - slot.started if slot.serving else 0.0
        slot.failures = 0 if served > STEADY_SECONDS else slot.failures + 1
        delay = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** max(0, slot.failures - 1))
        LOG.error("worker_ended", worker=slot.number, code=code, restart_in_seconds=delay)
        slot.process = None
        slot.serving = False
        slot.start_after = now + delay
        self._restarts += 1

    def _start(self, slot: _Slot, directory: Path) -> None:
        read_end, write_end = os.pipe()
        environment = {
            **os.environ,
            "PROMETHEUS_MULTIPROC_DIR": str(directory),
            "OMP_NUM_THREADS": "1",  # one call at a time on one core; more workers, not more threads
            "OPENBLAS_NUM_THREADS": "1",
        }
        slot.process = subprocess.Popen(
            [sys.executable, "-m", "qdispatch_server.worker", str(write_end)],
            stdin=subprocess.PIPE,
            pass_fds=[write_end],
            env=environment,
            text=True,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which then drains in order
        )
        os.close(write_end)
        slot.started = time.monotonic()
        slot.serving = False
        slot.reports = []
        order = WorkerOrder(slot.number, self._port, len(self._slots) > 1, self._started_at, self._config)
        assert slot.process.stdin is not None
        try:
            order.write(slot.process.stdin)
        except BrokenPipeError:
            LOG.error("worker_ended_at_once", worker=slot.number)
        slot.follower = threading.Thread(target=_follow, args=(read_end, slot.reports), daemon=True)
        slot.follower.start()

    def _drain(self, directory: Path) -> None:
        running = [slot.process for slot in self._slots if slot.process is not None and slot.process.poll() is None]
        LOG.info("draining", workers=len(running))
        for process in running:
            process.terminate()
        deadline = time.monotonic() + self._config.drain_seconds + KILL_MARGIN_SECONDS
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                LOG.error("worker_killed_after_drain", pid=process.pid)
                process.kill()
                process.wait()
            forget_dead_worker(process.pid, directory)

    def _write_ready_file(self, metrics_port: int) -> None:
        path = self._config.ready_file
        if path is None:
            return
        workers = [slot.process.pid for slot in self._slots if slot.process is not None]
        values = {
            "address": target(_reachable(self._config.host), self._port),
            "metrics_url": f"http://{target(_reachable(self._config.metrics_host), metrics_port)}/metrics",
            "pid": os.getpid(),
            "worker_pids": workers,
        }
        partial = path.with_name(path.name + ".partial")
        partial.write_text(json.dumps(values), encoding="utf-8")
        partial.replace(path)

    def _remove_ready_file(self) -> None:
        if self._config.ready_file is not None:
            self._config.ready_file.unlink(missing_ok=True)


def _alive(slot: _Slot) -> bool:
    return slot.process is not None and slot.process.poll() is None


def _follow(read_end: int, reports: list[WorkerReport]) -> None:
    with os.fdopen(read_end, encoding="utf-8") as pipe:
        for line in pipe:
            reports.append(WorkerReport.parse(line))


def _reachable(host: str) -> str:
    """An address to connect to, for one that only says where to listen."""
    if host in ("0.0.0.0", "::", ""):
        return socket.gethostbyname("localhost")
    return host
