"""Golden vectors: snapshots with the network inputs, values and choices they had at export.

`golden.npz` holds, for case i: `i.snapshot` (UTF-8 JSON as uint8), `i.in.<name>` for each graph input,
`i.out.<precision>.<name>` for each graph output, and `i.picks.<precision>` [n, 3] int64
(booking, driver, position), the recommended insertions in the order they were made. No pickles.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qdispatch_bundle.errors import BundleError, RefusalReason
from qdispatch_bundle.manifest import GOLDEN_FILE, Precision
from qdispatch_bundle.onnx_session import Array
from qdispatch_bundle.snapshot_json import decode_snapshot, encode_snapshot
from qdispatch_bundle.strict_json import JsonMismatch
from qdispatch_domain.observation import I64
from qdispatch_domain.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class GoldenCase:
    """One snapshot and everything that must come out of it again."""

    snapshot: Snapshot
    inputs: Mapping[str, Array]  # graph input name -> array
    outputs: Mapping[Precision, Mapping[str, Array]]  # per precision, graph output name -> array
    picks: Mapping[Precision, I64]  # per precision [n, 3]: booking, driver, position


def write_golden(cases: Sequence[GoldenCase]) -> bytes:
    """Serialise the cases as a compressed npz; the same cases give the same bytes."""
    arrays: dict[str, Array] = {}
    for index, case in enumerate(cases):
        arrays[f"{index}.snapshot"] = np.frombuffer(encode_snapshot(case.snapshot), dtype=np.uint8)
        for name, array in case.inputs.items():
            arrays[f"{index}.in.{name}"] = array
        for precision, outputs in case.outputs.items():
            for name, array in outputs.items():
                arrays[f"{index}.out.{precision}.{name}"] = array
        for precision, picks in case.picks.items():
            arrays[f"{index}.picks.{precision}"] = picks
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def read_golden(data: bytes, count: int) -> tuple[GoldenCase, ...]:
    """Read `count` cases. Raises BundleError GOLDEN_INVALID when they are not there, or not readable."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        if {name.split(".", 1)[0] for name in arrays} != {str(index) for index in range(count)}:
            raise BundleError(RefusalReason.GOLDEN_INVALID, f"{GOLDEN_FILE}: not {count} cases")
        return tuple(_case(arrays, index) for index in range(count))
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise BundleError(RefusalReason.GOLDEN_INVALID, f"{GOLDEN_FILE}: {_words(error)}") from error


def _case(arrays: Mapping[str, Array], index: int) -> GoldenCase:
    snapshot = decode_snapshot(arrays[f"{index}.snapshot"].tobytes())
    outputs = {precision: _below(arrays, f"{index}.out.{precision}.") for precision in Precision}
    picks = {precision: _picks(arrays[f"{index}.picks.{precision}"]) for precision in Precision}
    return GoldenCase(snapshot, _below(arrays, f"{index}.in."), outputs, picks)


def _picks(array: Array) -> I64:
    if array.ndim != 2 or array.shape[1] != 3 or array.dtype != np.int64:
        raise ValueError("picks are not [n, 3] int64")
    return array.astype(np.int64)


def _below(arrays: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _words(error: Exception) -> str:
    if isinstance(error, JsonMismatch):
        return str(error)
    if isinstance(error, KeyError):
        return f"{error.args[0]} is not in it"
    return "not readable"
