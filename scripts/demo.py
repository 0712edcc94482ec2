"""`make demo`: a real server with the shipped model answers a clinic day of today, over gRPC, through the real client.

Starts the server as a subprocess (embedded SQLite in a temporary folder, free ports), shows what a dispatcher reads,
measures some calls, drains the server. Exit code 0: all of that worked.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from qdispatch_client import Client, Snapshot
from qdispatch_client.snapshot_file import snapshot_from_json
from qdispatch_client.suggestion import Source, Suggestion
from qdispatch_client.suggestion_table import suggestion_lines

ROOT = Path(__file__).resolve().parents[1]
CLINIC_DAY = ROOT / "clients" / "python" / "examples" / "clinic_day.json"
SHIPPED_MODEL = ROOT / "models" / "default"
COMPANY = "demo-company"
START_SECONDS = 120.0
DEADLINE_SECONDS = 30.0
CALLS = 200
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")


class DemoError(Exception):
    """The demo cannot go on; the text says why."""


def snapshot_of_today(path: Path) -> Snapshot:
    """The example moved to today in its own zone: the same hours on the clock, days before it as many days before."""
    document = json.loads(path.read_text(encoding="utf-8"))
    zone = ZoneInfo(document["time_zone"])
    then = datetime.fromisoformat(document["now"]).astimezone(zone).date()
    today = datetime.now(zone).date()

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: moved(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [moved(inner) for inner in value]
        if isinstance(value, str) and INSTANT.match(value):
            local = datetime.fromisoformat(value).astimezone(zone)
            day = today + (local.date() - then)
            return datetime.combine(day, local.time(), zone).isoformat()
        return value

    return snapshot_from_json(json.dumps(moved(document)))


@contextmanager
def running_server(bundle: Path) -> Iterator[str]:
    """The address of a server of our own; drained at the end."""
    with tempfile.TemporaryDirectory(prefix="qdispatch-demo-") as folder:
        ready, log_path = Path(folder, "ready.json"), Path(folder, "server.log")
        settings = {
            "COMPANY_DEFAULT": "enabled",
            "PORT": "0",
            "METRICS_PORT": "0",
            "BUNDLE_DIR": str(bundle),
            "READY_FILE": str(ready),
            "DATABASE_URL": f"sqlite:///{folder}/state.sqlite",
        }
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("QDISPATCH_SERVER_")}
        with log_path.open("w", encoding="utf-8") as log:
            server = subprocess.Popen(
                [sys.executable, "-m", "qdispatch_server", "serve"],
                env=inherited | {f"QDISPATCH_SERVER_{key}": value for key, value in settings.items()},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        done = False
        try:
            yield _address(server, ready, log_path)
            done = True
        finally:
            if not done:
                server.terminate()
                server.wait(60)
        server.send_signal(signal.SIGTERM)
        code = server.wait(60)
        if code != 0:
            raise DemoError(f"the server ended with {code}:\n{log_path.read_text(encoding='utf-8')}")


def _address(server: subprocess.Popen[bytes], ready: Path, log_path: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while not ready.exists():
        if server.poll() is not None or time.monotonic() > deadline:
            raise DemoError(f"the server did not start:\n{log_path.read_text(encoding='utf-8')}")
        time.sleep(0.05)
    address: str = json.loads(ready.read_text(encoding="utf-8"))["address"]
    return address


def latency_lines(client: Client, snapshot: Snapshot) -> list[str]:
    """Percentiles over CALLS calls, one after the other, as the caller and as the server saw them."""
    seen, inside = [], []
    for _ in range(CALLS):
        started = time.perf_counter()
        answer = client.suggest(snapshot, company_id=COMPANY, deadline_seconds=DEADLINE_SECONDS)
        seen.append((time.perf_counter() - started) * 1000)
        inside.append(answer.timing.total_micros / 1000)
    return [
        f"{CALLS} calls, one after the other:",
        _percentiles("the caller waited", seen),
        _percentiles("of it in the server", inside),
    ]


def _percentiles(what: str, values: list[float]) -> str:
    cuts = statistics.quantiles(values, n=100)
    return f"  {what:20} p50 {cuts[49]:5.1f} ms   p95 {cuts[94]:5.1f} ms   p99 {cuts[98]:5.1f} ms"


def check(suggestion: Suggestion, snapshot: Snapshot) -> None:
    """What the demo promises to show. Raises DemoError."""
    if suggestion.provenance.source is not Source.MODEL:
        raise DemoError(f"the model did not answer, because {suggestion.provenance.fallback_reason}")
    if len(suggestion.bookings) != len(snapshot.bookings):
        raise DemoError("not every booking was answered")
    if not any(advice.candidates for advice in suggestion.bookings):
        raise DemoError("no booking got a driver")
    if not any(advice.refusals for advice in suggestion.bookings):
        raise DemoError("no booking shows why nobody can take it")


def main() -> int:
    """Runs the demo."""
    parser = argparse.ArgumentParser(description="Shows the server answering a clinic day.")
    parser.add_argument("--bundle-dir", type=Path, default=SHIPPED_MODEL, help="default: models/default")
    bundle: Path = parser.parse_args().bundle_dir
    try:
        if not (bundle / "manifest.json").is_file():
            raise DemoError(f"no model bundle in {bundle}")
        with running_server(bundle) as address, Client(address) as client:
            snapshot = snapshot_of_today(CLINIC_DAY)
            suggestion = client.suggest(snapshot, company_id=COMPANY, deadline_seconds=DEADLINE_SECONDS)
            check(suggestion, snapshot)
            provenance = suggestion.provenance
            lines = [
                *suggestion_lines(snapshot, suggestion, ZoneInfo(snapshot.time_zone), candidates=2),
                f"Source {provenance.source.value}, model {provenance.model_version}, "
                f"features {provenance.feature_fingerprint[:16]}, cost weights {provenance.weights_digest}",
                "",
                *latency_lines(client, snapshot),
            ]
            print("\n".join(lines))
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    print("\nThe server was drained. Start one of your own: make serve; then: qdispatch suggest --help")
    return 0


if __name__ == "__main__":
    sys.exit(main())
