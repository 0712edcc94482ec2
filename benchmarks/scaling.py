"""`python -m benchmarks.scaling`: the same command on one core and on every core of this machine, by Ray.

Wall time of whole commands as a person waits for them, alternating, the medians of a few rounds; Ray is started once,
outside the clock, as a cluster that stays up would be. `docs/benchmarks/scaling.md` says what came of it, and what
follows for more machines.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: one thread a process

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.scaling_page import Row, page
from qdispatch_trainer.quality.machine import machine, package_versions

ROOT = Path(__file__).parents[1]
TRAINER = (sys.executable, "-m", "qdispatch_trainer.entry")
TUNE = ("--trials", "6", "--episodes", "20", "--eval-episodes", "5", "--measure-days", "2", "--seed", "3")
ONE_ROUND = (
    *("--set", "rounds=1", "--set", "q_stage.rounds=0", "--set", 'validation_days={"clinic-day": 20}'),
    *("--set", "calibration_days={}"),
)


@dataclass(frozen=True, slots=True)
class Job:
    """A command; `{out}` is a fresh folder in every run."""

    name: str
    pieces: str
    command: tuple[str, ...]
    most_pieces: int | None = None  # at once, however long the work is


JOBS = (
    Job(
        "compare, 200 days of three policies",
        "25 days of one policy",
        ("compare", "regret-2", "joint matching", "planner 1 ms", "--scenario", "clinic-day", "--days", "200"),
    ),
    Job(
        "measure, 20 days of hindsight",
        "5 days",
        ("measure", "--policy", "hindsight", "--scenario", "fleet-10x60", "--days", "20", "--out", "{out}"),
    ),
    Job(
        "tune, 6 trials",
        "a trial",
        ("tune", "--study-name", "x", *TUNE, "--storage", "{out}/x.journal", "--output", "{out}/tuned.json"),
    ),
    Job(
        "train, one round of the default recipe",
        "a group of the mix in a round",
        ("train", "--config", "training/default.json", *ONE_ROUND, "--out", "{out}/run"),
        most_pieces=3,
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Time every job both ways and write the page; returns the exit code."""
    options = _parser().parse_args(arguments)
    if find_spec("ray") is None:
        sys.stderr.write("scaling: ray not installed; pip install '.[cluster]'\n")
        return 1
    import ray
    from ray.cluster_utils import Cluster

    cores = os.cpu_count() or 1
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": cores})
    try:
        rows = [_timed(job, cluster.address, cores, options.rounds) for job in JOBS]
    finally:
        cluster.shutdown()  # type: ignore[no-untyped-call]  # Ray's has no types
    text = page(machine(), {**package_versions(), "ray": ray.__version__}, options.rounds, rows)
    options.out.write_text(text, encoding="utf-8")
    print(text)
    return 0


def _timed(job: Job, address: str, cores: int, rounds: int) -> Row:
    alone, together = [], []
    for _ in range(rounds):
        alone.append(_seconds(job.command))
        together.append(_seconds((*job.command, "--ray", address)))
    medians = statistics.median(alone), statistics.median(together)
    return Row(job.name, job.pieces, cores, *medians, job.most_pieces)


def _seconds(command: tuple[str, ...]) -> float:
    with tempfile.TemporaryDirectory() as out:
        given = [part.replace("{out}", out) for part in command]
        started = time.perf_counter()
        done = subprocess.run([*TRAINER, *given], capture_output=True, text=True, cwd=ROOT, check=False)
        seconds = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{' '.join(given)} failed:\n{done.stderr}")
    return seconds


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2, help="how often each is timed, both ways in turn")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/benchmarks/scaling.md", help="page to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())
