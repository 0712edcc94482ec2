"""Every expression of the dashboard returns data from a real Prometheus that scrapes a really loaded server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml

from qdispatch_client import Client
from qdispatch_client.stubs.v1.dispatch_service_pb2 import SuggestRequest
from tests.bundle.tiny_bundle import LIMITS, write_tiny_bundle
from tests.deploy.prometheus_process import Prometheus, running_prometheus
from tests.server.requests import clinic_day, suggest
from tests.server.server_process import ServerProcess, channel_to, running_server

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD = DEPLOY / "grafana/dashboards/qdispatch.json"
RATE_INTERVAL = "10s"  # what Grafana puts in for $__rate_interval, at a scrape every second
DATA_SECONDS = 90.0


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def expressions() -> dict[str, str]:
    """Panel and letter -> expression as Prometheus gets it."""
    return {
        f"{panel['title']} {target['refId']}": target["expr"].replace("$__rate_interval", RATE_INTERVAL)
        for panel in panels()
        for target in panel["targets"]
    }


def invalid_day() -> SuggestRequest:
    """A request that is refused: a driver without an id."""
    request = clinic_day("company-on")
    request.snapshot.drivers[0].ClearField("id")
    return request


def crowded_day() -> SuggestRequest:
    """A request over the model's limits, which the heuristic answers."""
    request = clinic_day("company-on")
    for number in range(LIMITS.drivers):
        driver = request.snapshot.drivers.add()
        driver.CopyFrom(request.snapshot.drivers[0])
        driver.id = f"copy-{number}"
        driver.ClearField("trips")
    return request


def _call(address: str, ending: threading.Event, request: SuggestRequest) -> None:
    """Calls until told to end; refusals are part of the load."""
    with channel_to(address) as channel:
        while not ending.is_set():
            try:
                suggest(channel, request)
            except grpc.RpcError as error:
                if error.code() not in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED):
                    raise


@contextmanager
def load(server: ServerProcess) -> Iterator[None]:
    """Answers by model and heuristic, refused requests, and more calls at once than the server takes."""
    ending = threading.Event()
    requests = [
        clinic_day("company-on"),
        clinic_day("company-on"),
        clinic_day("company-off"),
        invalid_day(),
        crowded_day(),
    ]
    threads = [threading.Thread(target=_call, args=(server.address, ending, request)) for request in requests]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ending.set()
        for thread in threads:
            thread.join()


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("dashboard")
    write_tiny_bundle(folder / "bundle")
    settings = {
        "bundle_dir": folder / "bundle",
        "workers": 2,
        "max_in_flight": 1,
        "log_level": "warning",
        "precision": "auto",
    }
    with running_server(folder, **settings) as server:
        with Client(server.address) as client:
            client.set_enabled("company-off", False, expected_revision=0, deadline_seconds=10.0)
        scraped = server.metrics_url.removeprefix("http://").removesuffix("/metrics")
        with running_prometheus(folder, scraped) as prometheus, load(server):
            yield prometheus


def without_data(prometheus: Prometheus, wanted: dict[str, str]) -> dict[str, str]:
    """Those of the expressions that have no finite value, after waiting for all of them."""
    deadline = time.monotonic() + DATA_SECONDS
    while wanted and time.monotonic() < deadline:
        wanted = {name: expression for name, expression in wanted.items() if not prometheus.values(expression)}
        time.sleep(0.5)
    return wanted


def test_every_expression_returns_data(prometheus: Prometheus) -> None:
    wanted = expressions()
    assert len(wanted) >= len(panels())
    assert without_data(prometheus, wanted) == {}


def test_the_recorded_series_of_the_rules_return_data(prometheus: Prometheus) -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus/rules.yml").read_text())
    recorded = {
        rule["record"]: rule["record"] for group in rules["groups"] for rule in group["rules"] if "record" in rule
    }
    assert len(recorded) == 3
    assert without_data(prometheus, recorded) == {}


def test_an_expression_with_a_wrong_name_would_be_noticed(prometheus: Prometheus) -> None:
    assert without_data(prometheus, expressions()) == {}  # the series are there
    for name, expression in expressions().items():
        assert prometheus.values(expression.replace("qdispatch_", "qdispatched_")) == [], name


def test_the_dashboard_shows_what_it_promises() -> None:
    titles = {panel["title"] for panel in panels()}
    assert {"Rate by status code", "Errors", "Latency against the 5 ms line", "Where the time goes"} <= titles
    assert {"Who decided", "Model", "Load", "Workers", "Precision of the answers", "Precision by size"} <= titles
    (latency,) = (panel for panel in panels() if panel["title"] == "Latency against the 5 ms line")
    assert [target["legendFormat"] for target in latency["targets"]] == ["p50", "p95", "p99"]
    assert latency["fieldConfig"]["defaults"]["thresholds"]["steps"][-1]["value"] == 0.005


def test_grafana_finds_data_source_and_dashboard() -> None:
    sources = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yaml").read_text())["datasources"]
    assert {target["datasource"]["uid"] for panel in panels() for target in panel["targets"]} == {sources[0]["uid"]}
    providers = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/qdispatch.yaml").read_text())["providers"]
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    mounts = dict(volume.removesuffix(":ro").split(":") for volume in services["grafana"]["volumes"])
    places = {target: DEPLOY / source for source, target in mounts.items()}
    assert (places[providers[0]["options"]["path"]] / DASHBOARD.name).samefile(DASHBOARD)
    assert (places["/etc/grafana/provisioning"] / "datasources").is_dir()
    assert sources[0]["url"] == "http://prometheus:9090"
    assert "prometheus" in services
