from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest

import qdispatch_client
from qdispatch_client import (
    Break,
    CallError,
    Location,
    NaiveDatetimeError,
    Position,
    TravelMatrix,
    calls,
    read_snapshot,
    snapshot_from_json,
)
from qdispatch_client.snapshot_file import SnapshotFileError
from qdispatch_client.stubs.v1 import snapshot_pb2
from tests.client.days import at, small_snapshot
from tests.client.filled_messages import filled

NAIVE = datetime(2026, 11, 23, 9, 10)


def rows_with_instants() -> list[tuple[Any, str]]:
    """Every row of a full snapshot that has instants, with the name of each of its instants."""
    snapshot = calls.SNAPSHOT.decode(filled(snapshot_pb2.Snapshot, rows=1))
    driver, booking = snapshot.drivers[0], snapshot.bookings[0]
    rows: list[Any] = [snapshot, driver, driver.position, driver.breaks[0], driver.trips[0], booking]
    return [(row, field.name) for row in rows for field in dataclasses.fields(row) if "datetime" in str(field.type)]


@pytest.mark.parametrize(
    ("row", "name"), [pytest.param(row, name, id=f"{type(row).__name__}.{name}") for row, name in rows_with_instants()]
)
def test_a_naive_datetime_is_refused_where_it_is_made(row: Any, name: str) -> None:
    with pytest.raises(NaiveDatetimeError, match=f"{type(row).__name__}.{name} .* without a UTC offset"):
        dataclasses.replace(row, **{name: NAIVE})


def test_every_kind_of_instant_is_tried_above() -> None:
    assert len(rows_with_instants()) == 1 + 2 + 1 + 2 + 5 + 3


class NoOffset(tzinfo):
    """A zone that does not know its offset: as naive as none at all."""

    def utcoffset(self, _: datetime | None) -> timedelta | None:
        return None

    def dst(self, _: datetime | None) -> timedelta | None:
        return None

    def tzname(self, _: datetime | None) -> str | None:
        return None


def test_a_zone_without_an_offset_is_naive() -> None:
    with pytest.raises(NaiveDatetimeError):
        Position(Location(46.2, 6.1), NAIVE.replace(tzinfo=NoOffset()))


@pytest.mark.parametrize(
    "same",
    [
        datetime(2026, 11, 23, 8, 10, tzinfo=UTC),
        datetime(2026, 11, 23, 9, 10, tzinfo=timezone(timedelta(hours=1))),
        at(9, 10),
    ],
    ids=["UTC", "offset", "zone"],
)
def test_one_instant_in_any_zone_is_one_message(same: datetime) -> None:
    sent: Any = calls.SNAPSHOT.encode(dataclasses.replace(small_snapshot(), now=same))
    assert sent.now.seconds == 1_795_421_400


def test_the_repeated_hour_of_autumn_keeps_its_two_instants() -> None:
    first = datetime(2026, 10, 25, 2, 30, tzinfo=at(0).tzinfo)
    pause: Any = calls.SNAPSHOT.encode(
        dataclasses.replace(
            small_snapshot(),
            drivers=(dataclasses.replace(small_snapshot().drivers[0], breaks=(Break(first, first.replace(fold=1)),)),),
        )
    )
    (only,) = pause.drivers[0].breaks
    assert only.end_time.seconds - only.start_time.seconds == 3600


def test_a_matrix_is_flattened_row_by_row_and_rounded() -> None:
    matrix = TravelMatrix.from_rows([[0, 60.4], [59.6, 0]], [[0, 500], [510, 0]])
    assert (matrix.location_count, matrix.seconds, matrix.meters) == (2, (0, 60, 60, 0), (0, 500, 510, 0))


def test_a_matrix_without_meters_has_none() -> None:
    assert TravelMatrix.from_rows([[0.0]]).meters == ()


@pytest.mark.parametrize(
    ("seconds", "meters", "message"),
    [
        ([[0, 1], [1]], None, r"seconds\[1\]: expected 2 values, got 1"),
        ([[0, 1], [1, 0]], [[0, 1]], r"meters: expected 2 rows, got 1"),
        ([[0, None], [1, 0]], None, r"seconds\[0\]\[1\]: expected a finite number of at least 0, got None"),
        ([[0, -1], [1, 0]], None, r"seconds\[0\]\[1\].*got -1"),
        ([[0, 1], [float("nan"), 0]], None, r"seconds\[1\]\[0\].*got nan"),
        ([[0, float("inf")], [1, 0]], None, r"seconds\[0\]\[1\].*got inf"),
    ],
)
def test_a_matrix_that_is_none_is_refused(seconds: Any, meters: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TravelMatrix.from_rows(seconds, meters)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "line 1 column 2"),
        ("[]", "expected a JSON object, got list"),
        ("7", "expected a JSON object, got int"),
        ('{"now": "2026-11-23T09:10:00+01:00", "drivers": [{"colour": "red"}]}', "colour"),
        ("now: 9:10", "no JSON"),
        ('{"now": "yesterday"}', "now"),
        ('{"now": "2026-11-23T09:10:00"}', "the offset required"),
        ('{"time_zone": "UTC"}', "now: required, but missing"),
        ('{"now": "2026-11-23T09:10:00Z", "bookings": [{"id": "b"}]}', r"bookings\[0\]\.leg: required"),
        ('{"now": "2026-11-23T09:10:00Z", "bookings": [{"id": "b", "leg": "LEG_UP"}]}', "LEG_UP"),
    ],
)
def test_a_text_that_is_no_snapshot_is_refused(text: str, message: str) -> None:
    with pytest.raises(SnapshotFileError, match=message):
        snapshot_from_json(text)


def test_a_file_that_is_no_text_is_refused(tmp_path: Any) -> None:
    path = tmp_path / "snapshot.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SnapshotFileError, match=r"snapshot\.json"):
        read_snapshot(path)


def test_the_public_names_are_sorted_documented_and_there() -> None:
    names = qdispatch_client.__all__
    assert names == sorted(set(names))
    assert [name for name in names if not getattr(qdispatch_client, name).__doc__] == []
    homes = {getattr(qdispatch_client, name).__module__.split(".")[0] for name in names}
    assert homes == {"qdispatch_client"}


def test_every_error_is_public() -> None:
    def below(kind: type[CallError]) -> set[type[CallError]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    assert {kind.__name__ for kind in below(CallError)} <= set(qdispatch_client.__all__)
