from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdispatch_bundle.snapshot_json import decode_snapshot, encode_snapshot
from qdispatch_bundle.strict_json import JsonMismatch
from qdispatch_domain.snapshot import Booking, Driver, Snapshot, TravelMatrix

minutes = st.floats(0, 1440, allow_nan=False)
MATRIX = TravelMatrix(np.array([[0.0, 61.5], [0.1, 0.0]]), np.array([[0.0, 800.0], [799.0, 0.0]]))


@settings(max_examples=60, deadline=None)
@given(
    st.builds(
        Snapshot,
        now=minutes,
        drivers=st.lists(st.from_type(Driver), max_size=3).map(tuple),
        bookings=st.lists(st.from_type(Booking), max_size=3).map(tuple),
        matrix=st.none(),
    )
)
def test_every_field_survives_bit_for_bit(snapshot: Snapshot) -> None:
    try:
        written = encode_snapshot(snapshot)
    except JsonMismatch:
        assert "nan" in repr(snapshot) or "inf" in repr(snapshot)
        return
    assert repr(decode_snapshot(written)) == repr(snapshot)


@pytest.mark.parametrize("matrix", [MATRIX, TravelMatrix(MATRIX.seconds)])
def test_the_matrix_survives(matrix: TravelMatrix) -> None:
    again = decode_snapshot(encode_snapshot(Snapshot(480.0, (), (), matrix))).matrix
    assert again is not None
    np.testing.assert_array_equal(again.seconds, matrix.seconds)
    assert (again.meters is None) == (matrix.meters is None)
    if again.meters is not None and matrix.meters is not None:
        np.testing.assert_array_equal(again.meters, matrix.meters)


@pytest.mark.parametrize(
    "change, complaint",
    [
        ({"now": "8:00"}, "now: expected a finite number"),
        ({"matrix": {"seconds": [[0.0, 1.0]], "meters": None}}, "matrix.seconds: expected 1 rows of 1 numbers"),
        ({"matrix": {"seconds": [[0.0]], "meters": [[0.0], [0.0]]}}, "matrix.meters: expected 1 rows"),
        ({"weather": "fine"}, "weather: unknown field"),
    ],
)
def test_a_wrong_document_is_refused(change: dict[str, object], complaint: str) -> None:
    document = json.loads(encode_snapshot(Snapshot(480.0, (), ()))) | change
    with pytest.raises(JsonMismatch, match=complaint):
        decode_snapshot(json.dumps(document).encode())


def test_the_codec_knows_every_field_of_a_snapshot() -> None:
    written = json.loads(encode_snapshot(Snapshot(480.0, (), (), MATRIX)))
    assert set(written) == {field.name for field in dataclasses.fields(Snapshot)}
    assert set(written["matrix"]) == {field.name for field in dataclasses.fields(TravelMatrix)}
