"""The supervisor's side of the metrics: the sums over all workers, dead ones included, on a port of their own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from qdispatch_server.ports import PortInUseError


class SupervisorCollector(Collector):
    """What only the supervisor knows."""

    def __init__(self, restarts: Callable[[], int], alive: Callable[[], int]) -> None:
        self._restarts = restarts
        self._alive = alive

    def collect(self) -> Iterator[Metric]:
        """Restarts of workers, and workers alive."""
        restarts = CounterMetricFamily("qdispatch_worker_restarts", "Workers started again after they ended.")
        restarts.add_metric([], self._restarts())
        yield restarts
        alive = GaugeMetricFamily("qdispatch_alive_workers", "Worker processes that run.")
        alive.add_metric([], self._alive())
        yield alive


class WorkerSums(Collector):
    """The sums over all workers, from the files they share.

    prometheus-client's own collector fails on a file that a starting worker has just made and not yet filled (for good,
    if the worker is killed in that moment), so empty files are left out.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def collect(self) -> Iterator[Metric]:
        """The metrics now, dead workers' counters included."""
        files = [str(path) for path in sorted(self._directory.glob("*.db")) if _size(path)]
        yield from MultiProcessCollector.merge(files, accumulate=True)  # type: ignore[no-untyped-call]  # has no types


class MetricsEndpoint:
    """`/metrics` over HTTP until closed."""

    def __init__(self, host: str, port: int, directory: Path, collector: Collector) -> None:
        registry = CollectorRegistry()
        registry.register(WorkerSums(directory))
        registry.register(collector)
        try:
            self._server, self._thread = _start(host, port, registry)
        except OSError as error:
            raise PortInUseError(f"{host}:{port} (metrics) cannot be used: {error.strerror}") from None

    @property
    def port(self) -> int:
        """The port really bound."""
        return int(self._server.server_port)

    def close(self) -> None:
        """Ends the endpoint."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _start(host: str, port: int, registry: CollectorRegistry) -> tuple[WSGIServer, threading.Thread]:
    return start_http_server(port, addr=host, registry=registry)


def _size(path: Path) -> int:
    """Bytes of a file, 0 when it has just been removed (the live gauges of a worker that ended)."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def forget_dead_worker(pid: int, directory: Path) -> None:
    """Drops the live gauges of an ended worker; its counters and histograms stay in the sums."""
    mark_process_dead(pid, path=str(directory))  # type: ignore[no-untyped-call]  # prometheus-client types only a part


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all workers since the server started."""

    answers: Mapping[tuple[str, str], int]  # (source, reason) -> answers
    failed_suggest_calls: int
    serving_workers: int


def read_totals(directory: Path) -> Totals:
    """The sums now, dead workers included."""
    answers: dict[tuple[str, str], int] = {}
    failed = serving = 0
    for metric in WorkerSums(directory).collect():
        for sample in metric.samples:
            if sample.name == "qdispatch_answers_total" and sample.value:
                answers[(sample.labels["source"], sample.labels["reason"])] = int(sample.value)
            elif sample.name == "qdispatch_calls_total" and sample.labels["method"] == "Suggest":
                failed += 0 if sample.labels["code"] == "OK" else int(sample.value)
            elif sample.name == "qdispatch_serving_workers":
                serving = int(sample.value)
    return Totals(answers, failed, serving)


def multiprocess_directory() -> Path:
    """The directory this worker shares with the others. Raises KeyError outside a worker."""
    return Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
