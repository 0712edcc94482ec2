"""scripts/proto.sh finds what it is there to find; every case runs in a copy of the files it reads."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MESSAGES = ROOT / "proto/qdispatch/v1"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The protocol, its tools and the client's package, to be spoilt."""
    for name in ("proto", "clients/python/qdispatch_client"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("buf.yaml", "scripts/proto.sh", "scripts/find-python.sh"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for environment in (".venv", ".venv-proto"):
        if (ROOT / environment).exists():
            (tmp_path / environment).symlink_to(ROOT / environment)
    return tmp_path


def run(copy: Path, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "scripts/proto.sh", command],
        cwd=copy,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def replace(path: Path, pattern: str, by: str) -> None:
    """Replace the one match of the pattern."""
    text, count = re.subn(pattern, by, path.read_text("utf-8"), flags=re.MULTILINE)
    assert count == 1
    path.write_text(text, encoding="utf-8")


def test_the_protocol_is_clean_and_compatible_with_its_baseline(copy: Path) -> None:
    for command in ("lint", "breaking"):
        done = run(copy, command)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "pattern", "by", "complaint"),
    [
        ("booking.proto", r"^  optional uint32 passengers = 9;$", "", 'field "9" with name "passengers"'),
        ("booking.proto", r"^  optional uint32 passengers = 9;$", "  optional uint64 passengers = 9;", "type"),
        ("booking.proto", r"^  optional uint32 passengers = 9;$", "  optional uint32 persons = 9;", "passengers"),
        ("location.proto", r"^  optional double latitude = 1;$", "  double latitude = 1;", "latitude"),
        ("suggestion.proto", r"^  BOOKING_STATE_EXPIRED = 6;$", "", 'enum value "6" on enum "BookingState"'),
        ("admin_service.proto", r"^  rpc SetEnabled.*$", "", "SetEnabled"),
    ],
    ids=["field removed", "type changed", "field renamed", "presence lost", "enum value removed", "call removed"],
)
def test_a_breaking_change_is_found(copy: Path, file: str, pattern: str, by: str, complaint: str) -> None:
    replace(copy / "proto/qdispatch/v1" / file, pattern, by)
    done = run(copy, "breaking")
    assert done.returncode != 0
    assert complaint in done.stdout + done.stderr


def test_a_new_field_breaks_nothing(copy: Path) -> None:
    replace(
        copy / "proto/qdispatch/v1/booking.proto",
        r"^  optional bool pinned = 17;$",
        "  optional bool pinned = 17;\n\n  // A remark.\n  optional string remark = 18;",
    )
    for command in ("lint", "breaking"):
        done = run(copy, command)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("pattern", "by", "complaint"),
    [
        (r"^  // Required\. False: \"call when ready\".*$", "", "comment"),
        (r"^  optional bool pinned = 17;$", "  optional bool Pinned = 17;", "lower_snake_case"),
        (r"^  optional bool pinned = 17;$", "  optional   bool pinned = 17;", "buf format"),
    ],
    ids=["no comment", "name", "format"],
)
def test_a_fault_of_style_is_found(copy: Path, pattern: str, by: str, complaint: str) -> None:
    replace(copy / "proto/qdispatch/v1/booking.proto", pattern, by)
    done = run(copy, "lint")
    assert done.returncode != 0
    assert complaint in done.stdout + done.stderr


def test_stale_stubs_are_found_and_generated_anew(copy: Path) -> None:
    package = copy / "clients/python/qdispatch_client"
    replace(
        copy / "proto/qdispatch/v1/booking.proto",
        r"^  optional bool pinned = 17;$",
        "  optional bool pinned = 17;\n\n  // A remark.\n  optional string remark = 18;",
    )
    (package / "stubs/v1/forgotten_pb2.py").touch()
    (package / "service_config.json").write_text("{}", encoding="utf-8")
    stale = run(copy, "check")
    assert stale.returncode != 0
    for name in ("booking_pb2.py", "booking_pb2.pyi", "forgotten_pb2.py", "service_config.json"):
        assert name in stale.stderr
    assert "stale: clients/python/qdispatch_client/./stubs/v1/trip_pb2.py" not in stale.stderr
    assert run(copy, "generate").returncode == 0
    fresh = run(copy, "check")
    assert fresh.returncode == 0, fresh.stdout + fresh.stderr
    assert "remark" in (package / "stubs/v1/booking_pb2.pyi").read_text("utf-8")


def test_only_a_release_moves_the_baseline(copy: Path) -> None:
    baseline = copy / "proto/baseline.binpb"
    before = baseline.read_bytes()
    replace(copy / "proto/qdispatch/v1/booking.proto", r"\n\n  // Only .*\n  optional bool pinned = 17;\n", "\n")
    run(copy, "generate")
    assert baseline.read_bytes() == before
    assert run(copy, "breaking").returncode != 0
    done = run(copy, "release")
    assert done.returncode == 0, done.stdout + done.stderr
    assert run(copy, "breaking").returncode == 0


def test_the_committed_baseline_knows_every_message(copy: Path) -> None:
    """A baseline that forgot a file would let that file break."""
    image = (ROOT / "proto/baseline.binpb").read_bytes()
    assert [path.name for path in MESSAGES.glob("*.proto") if f"qdispatch/v1/{path.name}".encode() not in image] == []
