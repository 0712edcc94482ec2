"""`python -m benchmarks.simulator`: situations per second of the batched simulator on one core, and where time goes.

Every round encodes the situations of all days with all features, a cheap rule picks one pair per day or waits, and the
batch takes the step, rewards included. CPU time of this process, so that neighbours on the machine do not count.
"""

from __future__ import annotations

import argparse
import json
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: one thread

import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.simulator_page import page
from qdispatch_domain.acceleration import SWITCH, kernels
from qdispatch_domain.situation import Situation
from qdispatch_export.machine import this_machine
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose
from qdispatch_trainer.simulator import day_batch
from qdispatch_trainer.simulator.day_batch import WAIT, DayBatch

ROOT = Path(__file__).parents[1]
BATCHES = {"clinic-day": 256, "fleet-10x60": 128, "urgent-heavy": 128, "fleet-30x200": 32, "fleet-60x300": 8}
WINDOW_MIN = 60.0
# the parts of a step that are timed one by one, by the names under which `day_batch` calls them
PARTS = {
    "candidates": "Situation",  # made inside the step, whose reward needs the predicted cost
    "insertions": "commit",
    "driving": "advance",
    "what is seen": "refresh",
    "cost so far": "started_cost",
}


@dataclass(frozen=True, slots=True)
class SimulatorRow:
    """One batch of days, played to the end. `micros` maps a part to CPU microseconds per situation."""

    scenario: str
    days: int
    situations: int
    per_second: float
    micros: Mapping[str, float]


class Watch:
    """CPU time by part."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Times a block."""
        begun = time.process_time()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - begun

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function whose calls are timed."""

        def call(*arguments: Any) -> Any:
            with self.part(name):
                return function(*arguments)

        return call


@contextmanager
def inside_the_step(watch: Watch) -> Iterator[None]:
    """Time the parts of a step while the block runs."""
    before = {name: getattr(day_batch, name) for name in PARTS.values()}
    for part, name in PARTS.items():
        setattr(day_batch, name, watch.timed(part, before[name]))
    try:
        yield
    finally:
        for name, function in before.items():
            setattr(day_batch, name, function)


def choose(situation: Situation) -> np.ndarray:
    """Per day the cheapest first-rank pair whose booking must be decided within the window, else WAIT, [N]."""
    table, fleet = situation.table, situation.fleet
    pairs = table.insertion
    due = table.decide_by[pairs.day, pairs.booking] - fleet.now[pairs.day] <= WINDOW_MIN
    index = np.flatnonzero(due & (table.rank == 0))
    order = index[np.lexsort((table.total[index], pairs.day[index]))]
    first = order[np.diff(pairs.day[order], prepend=-1) != 0]
    chosen = np.full(fleet.days, WAIT, dtype=np.int64)
    chosen[pairs.day[first]] = first
    return chosen


def measure(scenario: str, days: int) -> SimulatorRow:
    """Play `days` validation days side by side."""
    first = SeedPurpose.VALIDATION.first_seed
    batch = DayBatch([generate_day(scenario_named(scenario), first + number) for number in range(days)])
    batch.cost()
    watch = Watch()
    situations = 0
    with inside_the_step(watch):
        while not batch.over.all():
            situations += int((~batch.over).sum())
            situation = batch.situation()
            with watch.part("features"):
                _ = situation.observations
            with watch.part("choice"):
                chosen = choose(situation)
            with watch.part("step"):
                batch.step(chosen)
    return _row(scenario, days, situations, watch.seconds)


def _row(scenario: str, days: int, situations: int, seconds: Mapping[str, float]) -> SimulatorRow:
    parts = dict(seconds)
    whole = parts["features"] + parts["choice"] + parts["step"]
    rest = parts.pop("step") - sum(parts[name] for name in PARTS)
    micros = {name: 1e6 * value / situations for name, value in {**parts, "rest of the step": rest}.items()}
    return SimulatorRow(scenario, days, situations, situations / whole, micros)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure with and without the kernels, and write the page; returns the exit code."""
    options = _parser().parse_args(arguments)
    if options.json:
        rows = []
        for name in options.scenario:
            measure(name, 2)  # compiled, or loaded from the cache
            rows.append(asdict(measure(name, max(1, BATCHES[name] // options.divide))))
        print(json.dumps(rows))
        return 0
    if kernels() is None:
        sys.stderr.write("simulator: numba is not installed; pip install '.[trainer]'\n")
        return 1
    compiled = _elsewhere("1", options.scenario, divide=1)
    plain = _elsewhere("0", options.scenario, divide=4)
    import numba

    versions = f"Python {platform.python_version()}, numpy {np.__version__}, numba {numba.__version__}"
    text = page(this_machine(), versions, compiled, plain)
    options.out.write_text(text, encoding="utf-8")
    print(text)
    return 0


def _elsewhere(setting: str, scenarios: Sequence[str], divide: int) -> list[SimulatorRow]:
    """The rows of a process of its own, with the kernels (`1`) or without (`0`)."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.simulator", "--json", "--divide", str(divide), "--scenario", *scenarios],
        env={**os.environ, SWITCH: setting},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    return [SimulatorRow(**row) for row in json.loads(done.stdout)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulator", description=__doc__)
    parser.add_argument("--scenario", nargs="+", choices=sorted(BATCHES), default=list(BATCHES))
    parser.add_argument("--json", action="store_true", help="print the rows of this process and stop")
    parser.add_argument("--divide", type=int, default=1, help="with --json: play so many times fewer days")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/benchmarks/simulator.md", help="page to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())
