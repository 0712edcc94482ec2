from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from qdispatch_server.metrics_endpoint import MetricsEndpoint, SupervisorCollector, read_totals
from qdispatch_server.ports import PortInUseError

WORKER = """
from qdispatch_server import metrics
metrics.CALLS.labels(method="Suggest", code="OK").inc(3)
metrics.CALLS.labels(method="Suggest", code="INTERNAL").inc(2)
metrics.CALLS.labels(method="GetStatus", code="INTERNAL").inc(7)
metrics.ANSWERS.labels(source="MODEL", reason="").inc(3)
metrics.WORKER_UP.set(1)
"""


def work(directory: Path) -> None:
    """A worker that counted and ended without anybody noticing."""
    subprocess.run([sys.executable, "-c", WORKER], env={"PROMETHEUS_MULTIPROC_DIR": str(directory)}, check=True)


def endpoint(directory: Path, port: int = 0) -> MetricsEndpoint:
    return MetricsEndpoint("127.0.0.1", port, directory, SupervisorCollector(lambda: 4, lambda: 2))


def test_the_totals_are_sums_over_workers(tmp_path: Path) -> None:
    work(tmp_path)
    work(tmp_path)
    totals = read_totals(tmp_path)
    assert dict(totals.answers) == {("MODEL", ""): 6}
    assert (totals.failed_suggest_calls, totals.serving_workers) == (4, 2)


def test_the_supervisor_adds_what_only_it_knows(tmp_path: Path) -> None:
    work(tmp_path)
    served = endpoint(tmp_path)
    with urllib.request.urlopen(f"http://127.0.0.1:{served.port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    served.close()
    assert "qdispatch_worker_restarts_total 4.0" in text
    assert "qdispatch_alive_workers 2.0" in text
    assert 'qdispatch_calls_total{code="OK",method="Suggest"} 3.0' in text


def test_a_file_just_made_and_not_filled_does_not_end_the_metrics(tmp_path: Path) -> None:
    work(tmp_path)
    (tmp_path / "counter_99999.db").touch()
    assert dict(read_totals(tmp_path).answers) == {("MODEL", ""): 3}


def test_a_used_metrics_port_is_told(tmp_path: Path) -> None:
    first = endpoint(tmp_path)
    with pytest.raises(PortInUseError, match="metrics"):
        endpoint(tmp_path, first.port)
    first.close()


def test_no_metric_is_labelled_by_something_that_grows_without_bound() -> None:
    program = (
        "import json\nfrom prometheus_client import REGISTRY\nfrom prometheus_client.metrics import MetricWrapperBase\n"
        "from qdispatch_server import metrics\n"
        "own = [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]\n"
        "print(json.dumps({one._name: list(one._labelnames) for one in own}))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    labels = json.loads(result.stdout)
    assert len(labels) >= 10
    allowed = {
        "method",
        "code",
        "source",
        "reason",
        "stage",
        "state",
        "model_version",
        "precision",
        "size",
        "feature_fingerprint",
    }
    assert {name for names in labels.values() for name in names} == allowed
    assert all(name.startswith("qdispatch_") for name in labels)
