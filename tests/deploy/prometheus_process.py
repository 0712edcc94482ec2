"""A real Prometheus with this project's configuration, pointed at one server and scraping it every second."""

from __future__ import annotations

import json
import math
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.system_packages import require_system

CONFIGURATION = Path(__file__).parents[2] / "deploy/prometheus"
START_SECONDS = 60.0


@dataclass(frozen=True)
class Prometheus:
    """One that answers queries at `url`."""

    url: str

    def values(self, expression: str) -> list[float]:
        """The finite values of an instant query now; AssertionError with Prometheus' words if it refuses it."""
        query = urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/query?{query}", timeout=10) as answer:
                result = json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{expression}: {error.read().decode()}") from error
        return [value for value in (float(row["value"][1]) for row in result) if math.isfinite(value)]


@contextmanager
def running_prometheus(folder: Path, metrics_address: str) -> Iterator[Prometheus]:
    """Scrapes `metrics_address` ("127.0.0.1:9464") with the deployed configuration and rules."""
    (program,) = require_system("prometheus")
    config = yaml.safe_load((CONFIGURATION / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (job,) = config["scrape_configs"]
    job["static_configs"] = [{"targets": [metrics_address]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    for name in config["rule_files"]:
        (folder / name).write_text((CONFIGURATION / name).read_text())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log_path = folder / "prometheus.log"
    with log_path.open("w") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'series'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + START_SECONDS
        while not _is_ready(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"Prometheus is not ready:\n{log_path.read_text()}")
            time.sleep(0.1)
        yield Prometheus(url)
    finally:
        process.terminate()
        process.wait(30)


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=5):
            return True
    except (urllib.error.URLError, ConnectionError):
        return False
