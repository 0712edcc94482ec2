"""Whether two ways say the same: order and choices exactly, numbers to 1e-9, features to the rounding of float32."""

from dataclasses import fields

import numpy as np

from qdispatch_domain.candidates import CandidateTable
from qdispatch_domain.encoding import Observations

PER_PAIR = ("rank", "emergency", "driver_change", "spread", "total")
PER_BOOKING = ("has_pair", "feasible_drivers", "on_time_drivers", "decide_by", "best_expiry")
PER_ROW = ("day", "driver", "count", "finish", "home_deadhead", "latest_finish")
PER_TRIP = ("approach", "depart", "pickup", "end", "deadhead", "latest_pickup")


def assert_same(one: np.ndarray, other: np.ndarray, name: str) -> None:
    """Equal, or for floats equal to 1e-9; NaN equals NaN."""
    assert one.shape == other.shape, name
    assert one.dtype == other.dtype, name
    if one.dtype.kind == "f":
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-9, equal_nan=True, err_msg=name)
    else:
        np.testing.assert_array_equal(one, other, err_msg=name)


def assert_same_tables(one: CandidateTable, other: CandidateTable) -> None:
    """Every field that means something; the schedules may have different room."""
    for field in fields(one.insertion):
        assert_same(getattr(one.insertion, field.name), getattr(other.insertion, field.name), field.name)
    for name in (*PER_PAIR, *PER_BOOKING, "must", "now"):
        assert_same(getattr(one, name), getattr(other, name), name)
    for name in ("counts", "x", "size", "total", "squares", "spread"):
        assert_same(getattr(one.loads, name), getattr(other.loads, name), name)
    for name in PER_ROW:
        assert_same(getattr(one.schedules, name), getattr(other.schedules, name), name)
    count = one.schedules.count
    for names, extra in ((PER_TRIP, 0), (("free_time", "free_place"), 1)):
        for name in names:
            rows, others = getattr(one.schedules, name), getattr(other.schedules, name)
            there = np.arange(rows.shape[1])[None, :] < count[:, None] + extra
            there_too = np.arange(others.shape[1])[None, :] < count[:, None] + extra
            assert_same(rows[there], others[there_too], name)


def assert_same_observations(one: Observations, other: Observations) -> None:
    """Every array; a value of 1e-3 and more to 3e-7 of itself, two steps of float32 at most."""
    for field in fields(one):
        rows, others = getattr(one, field.name), getattr(other, field.name)
        assert rows.shape == others.shape, field.name
        assert rows.dtype == others.dtype, field.name
        if rows.dtype.kind == "f":
            np.testing.assert_allclose(rows, others, rtol=3e-7, atol=3e-10, err_msg=field.name)
        else:
            np.testing.assert_array_equal(rows, others, err_msg=field.name)
