from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from qdispatch_bundle.manifest import Precision
from qdispatch_server.precision_plan import PrecisionBucket
from qdispatch_server.shared_measurement import LOCK_FILE, SharedMeasurement

BUCKETS = (
    PrecisionBucket("4x19", 76, 95, 1.25e-3, 1.5e-3, Precision.FP32),
    PrecisionBucket("10x20", 120, None, 2e-3, 1e-3, Precision.INT8),
)
WORKER = """
import sys, time
from pathlib import Path
from qdispatch_bundle.manifest import Precision
from qdispatch_server.precision_plan import PrecisionBucket
from qdispatch_server.shared_measurement import SharedMeasurement
folder = Path(sys.argv[1])
def measure():
    with (folder / "measured").open("a") as file:
        file.write("x")
    time.sleep(0.3)  # the others come while this one measures
    return (PrecisionBucket("4x19", 76, None, time.time(), 1.0, Precision.FP32),)
buckets, here = SharedMeasurement(folder).read_or_make("d", measure)
print(buckets[0].fp32_seconds, here)
"""


def never() -> tuple[PrecisionBucket, ...]:
    raise AssertionError("measured again")


def test_what_one_measured_the_others_read(tmp_path: Path) -> None:
    assert SharedMeasurement(tmp_path).read_or_make("digest", lambda: BUCKETS) == (BUCKETS, True)
    assert SharedMeasurement(tmp_path).read_or_make("digest", never) == (BUCKETS, False)


def test_every_bundle_is_measured(tmp_path: Path) -> None:
    shared = SharedMeasurement(tmp_path)
    shared.read_or_make("one", lambda: BUCKETS)
    assert shared.read_or_make("other", lambda: BUCKETS[1:]) == (BUCKETS[1:], True)
    assert shared.read_or_make("one", never) == (BUCKETS, False)


def test_a_failed_measurement_leaves_nothing_and_is_made_again(tmp_path: Path) -> None:
    shared = SharedMeasurement(tmp_path)
    with pytest.raises(AssertionError):
        shared.read_or_make("digest", never)
    assert [path.name for path in tmp_path.iterdir()] == [LOCK_FILE]
    assert shared.read_or_make("digest", lambda: BUCKETS) == (BUCKETS, True)


def test_workers_that_start_together_measure_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WORKER, str(tmp_path)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [worker.communicate(timeout=120)[0].split() for worker in workers]
    assert (tmp_path / "measured").read_text() == "x"
    assert len({number for number, _ in said}) == 1
    assert sorted(here for _, here in said) == ["False", "False", "True"]


def test_a_worker_killed_while_it_measures_does_not_hold_up_the_next(tmp_path: Path) -> None:
    slow = WORKER.replace("time.sleep(0.3)", "time.sleep(600)")
    worker = subprocess.Popen([sys.executable, "-c", slow, str(tmp_path)], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (tmp_path / "measured").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    worker.kill()
    worker.wait()
    assert SharedMeasurement(tmp_path).read_or_make("d", lambda: BUCKETS) == (BUCKETS, True)
