"""Paired statistics by hand, and Holm's correction against its definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_rel

from qdispatch_trainer.comparison.statistics import holm, paired


def test_a_paired_difference_by_hand() -> None:
    a, b = np.array([5.0, 7.0, 3.0, 4.0]), np.array([4.0, 5.0, 3.0, 7.0])
    found = paired(a, b)
    assert found is not None
    assert found.difference.mean == 0.0  # 1, 2, 0, -3
    assert (found.higher, found.ties, found.lower) == (2, 1, 1)
    assert found.effect_size == 0.0
    assert found.p_value == pytest.approx(1.0)


def test_p_value_and_effect_size_are_the_paired_t_tests() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=40)
    b = a - 0.3 + rng.normal(scale=0.8, size=40)
    found = paired(a, b)
    assert found is not None
    assert found.p_value == pytest.approx(ttest_rel(a, b).pvalue)
    assert found.effect_size == pytest.approx((a - b).mean() / (a - b).std(ddof=1))


def test_days_without_a_value_on_either_side_are_left_out() -> None:
    found = paired(np.array([1.0, np.nan, 3.0, 4.0]), np.array([0.0, 1.0, np.nan, 3.0]))
    assert found is not None
    assert found.difference.days == 2
    assert found.difference.mean == 1.0
    assert found.p_value == 0.0  # one and the same difference on every day
    assert found.effect_size is None
    assert paired(np.array([1.0, np.nan]), np.array([1.0, 2.0])) is None
    same = paired(np.ones(3), np.ones(3))
    assert same is not None
    assert (same.p_value, same.ties) == (1.0, 3)


def test_other_days_are_refused() -> None:
    with pytest.raises(ValueError, match="same days"):
        paired(np.zeros(2), np.zeros(3))


def test_holm_by_hand() -> None:
    # sorted 0.01, 0.02, 0.03, 0.5: times 4, 3, 2, 1, never falling
    assert holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx((0.06, 0.04, 0.5, 0.06))
    assert holm([0.9, 0.8]) == (1.0, 1.0)
    assert holm([]) == ()
