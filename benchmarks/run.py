"""`python -m benchmarks.run`: measure kernel, features, model, decision and server side by side on this machine."""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: one thread, as in a worker of the server

import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort

from benchmarks.latency_page import page
from benchmarks.server_latency import ServerRow, measure_server, running_server
from benchmarks.situations import moments
from benchmarks.stages import StageRow, measure_stages
from qdispatch_bundle.errors import BundleError
from qdispatch_bundle.loading import load_bundle
from qdispatch_bundle.manifest import Precision
from qdispatch_export.machine import this_machine
from qdispatch_trainer.engine_snapshot import EngineDay

ROOT = Path(__file__).parents[1]
SCENARIO_DAYS = {"clinic-day": 8, "fleet-10x60": 4, "fleet-30x200": 2, "fleet-60x300": 1, "fleet-100x700": 1}
CALLERS = (1, 4)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the page; returns the exit code."""
    options = _parser().parse_args(arguments)
    load = os.getloadavg()[0]
    try:
        bundles = {precision: load_bundle(options.bundle, precision) for precision in Precision}
    except BundleError as error:
        sys.stderr.write(f"bench: {options.bundle}: {error}\n")
        return 1
    models = {precision: bundle.model for precision, bundle in bundles.items()}
    stages: list[StageRow] = []
    server: list[ServerRow] = []
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder), options.bundle) as address:
        for scenario in options.scenario:
            print(f"{scenario} ...", flush=True)
            snapshots = moments(scenario, SCENARIO_DAYS[scenario])
            stages.append(measure_stages(scenario, snapshots, models, options.repeats))
            asked = [EngineDay().snapshot(snapshot) for snapshot in snapshots]
            for callers in CALLERS:
                server.append(measure_server(scenario, address, asked, callers, options.seconds))
    versions = f"Python {platform.python_version()}, numpy {np.__version__}, ONNX Runtime {ort.__version__}"
    text = page(this_machine(), versions, bundles[Precision.FP32].version, load, stages, server)
    options.out.write_text(text, encoding="utf-8")
    print(text)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--bundle", type=Path, default=ROOT / "models/default", help="bundle to measure")
    parser.add_argument("--scenario", nargs="+", choices=sorted(SCENARIO_DAYS), default=list(SCENARIO_DAYS))
    parser.add_argument("--repeats", type=int, default=20, help="timed runs per stage and moment")
    parser.add_argument("--seconds", type=float, default=5.0, help="of calls per scenario and number of callers")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/benchmarks/latency.md", help="page to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())
