from __future__ import annotations

import itertools

import numpy as np
import pytest

from qdispatch_bundle.manifest import Precision
from qdispatch_bundle.synthetic_inputs import SET_SIZES
from qdispatch_server.precision_measurement import boundary, faster
from qdispatch_server.precision_plan import PrecisionBucket, PrecisionMode, PrecisionPlan, fixed, measured

FP32, INT8 = Precision.FP32, Precision.INT8


def bucket(max_pairs: int | None, precision: Precision) -> PrecisionBucket:
    return PrecisionBucket(f"to {max_pairs}", 10, max_pairs, 1e-3, 1e-3, precision)


def test_a_bucket_holds_up_to_and_with_its_largest() -> None:
    plan = measured([bucket(95, FP32), bucket(207, INT8), bucket(None, FP32)])
    assert [plan.at(pairs) for pairs in (0, 95, 96, 207, 208, 10_000)] == [FP32, FP32, INT8, INT8, FP32, FP32]
    assert plan.precisions == {FP32, INT8}
    assert plan.summary == "mixed"
    assert plan.by_size == (("to 95", FP32), ("to 207", INT8), ("to None", FP32))


def test_a_plan_of_one_precision_says_so() -> None:
    assert (fixed(INT8).at(7), fixed(INT8).summary, fixed(INT8).mode) == (INT8, "int8", PrecisionMode.FIXED)
    assert fixed(INT8).by_size == (("all", INT8),)
    same = measured([bucket(95, INT8), bucket(None, INT8)])
    assert (same.summary, same.mode) == ("int8", PrecisionMode.AUTO)
    assert same.precisions == {INT8}


def test_what_could_not_be_measured_is_fp32() -> None:
    assert (measured(()).at(5), measured(()).mode) == (FP32, PrecisionMode.AUTO)


@pytest.mark.parametrize("bounds", [(95,), (None, None), (None, 95), (207, 95, None), (95, 95, None)])
def test_buckets_that_do_not_ascend_to_any_number_are_refused(bounds: tuple[int | None, ...]) -> None:
    with pytest.raises(ValueError, match="max_pairs to ascend"):
        PrecisionPlan(PrecisionMode.AUTO, tuple(bucket(bound, FP32) for bound in bounds), FP32)


@pytest.mark.parametrize("int8, chosen", [(0.5, INT8), (0.97, INT8), (0.971, FP32), (1.0, FP32), (1.5, FP32)])
def test_int8_only_if_it_is_clearly_faster(int8: float, chosen: Precision) -> None:
    spread = np.array([0.9, 1.0, 1.0, 1.1, 9.0])
    assert faster(spread, int8 * spread) is chosen


def test_a_disturbance_that_fell_on_fp32_alone_does_not_choose_int8() -> None:
    """Half of its runs were delayed: its median is larger, its fastest quarter is not."""
    fp32, int8 = np.array([1.0, 1.0, 1.0, 3.0, 3.0, 3.0, 3.0]), np.full(7, 1.05)
    assert np.median(int8) < 0.97 * np.median(fp32)
    assert faster(fp32, int8) is FP32


def test_a_boundary_lies_in_the_middle_of_two_sizes_on_a_logarithmic_scale() -> None:
    found = [boundary(size, following) for size, following in itertools.pairwise(SET_SIZES)]
    assert found == [95, 207, 464, 1039, 2749]
    for size, bound, following in zip(SET_SIZES, found, SET_SIZES[1:], strict=False):
        assert size.pairs < bound < following.pairs
