"""Lossless JSON of a `Snapshot`: what the golden vectors hold. Floats are written with all their digits.

The travel matrix is written as nested lists, [L][L] seconds and optionally meters.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from qdispatch_bundle import strict_json
from qdispatch_domain.snapshot import Booking, Driver, Snapshot, TravelMatrix


@dataclass(frozen=True, slots=True)
class _MatrixRows:
    seconds: tuple[tuple[float, ...], ...]
    meters: tuple[tuple[float, ...], ...] | None


@dataclass(frozen=True, slots=True)
class _SnapshotRows:
    now: float
    drivers: tuple[Driver, ...]
    bookings: tuple[Booking, ...]
    matrix: _MatrixRows | None


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """Write one snapshot as UTF-8 JSON. Raises JsonMismatch when a number in it is not finite."""
    matrix = None
    if snapshot.matrix is not None:
        meters = snapshot.matrix.meters
        matrix = _MatrixRows(_rows(snapshot.matrix.seconds), None if meters is None else _rows(meters))
    rows = _SnapshotRows(snapshot.now, snapshot.drivers, snapshot.bookings, matrix)
    return json.dumps(strict_json.dump(rows), separators=(",", ":"), allow_nan=False).encode()


def decode_snapshot(data: bytes) -> Snapshot:
    """Read what `encode_snapshot` wrote. Raises JsonMismatch with the path of the first field that does not fit."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise strict_json.JsonMismatch("snapshot: not UTF-8") from error
    rows = strict_json.read(_SnapshotRows, strict_json.parse(text))
    matrix = None
    if rows.matrix is not None:
        size = len(rows.matrix.seconds)
        seconds = _square(rows.matrix.seconds, size, "matrix.seconds")
        meters = None if rows.matrix.meters is None else _square(rows.matrix.meters, size, "matrix.meters")
        matrix = TravelMatrix(seconds, meters)
    return Snapshot(now=rows.now, drivers=rows.drivers, bookings=rows.bookings, matrix=matrix)


def _rows(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(item) for item in row) for row in values)


def _square(
    rows: tuple[tuple[float, ...], ...], size: int, path: str
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    if len(rows) != size or any(len(row) != size for row in rows):
        raise strict_json.JsonMismatch(f"{path}: expected {size} rows of {size} numbers")
    return np.array(rows, dtype=np.float64).reshape(size, size)
