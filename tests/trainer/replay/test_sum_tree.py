"""The sum tree against plain cumulative sums."""

from __future__ import annotations

import numpy as np
import pytest

from qdispatch_trainer.replay.sum_tree import SumTree


@pytest.mark.parametrize("capacity", [1, 2, 3, 8, 13])
def test_finds_the_leaf_of_every_point(capacity: int) -> None:
    rng = np.random.default_rng(capacity)
    priority = rng.integers(0, 4, capacity).astype(float)
    priority[0] = 1.0
    tree = SumTree(capacity)
    tree.set(np.arange(capacity), priority)
    assert tree.total == priority.sum()
    points = np.arange(0.0, priority.sum(), 0.25)
    expected = np.searchsorted(np.cumsum(priority), points, side="right")
    np.testing.assert_array_equal(tree.find(points), expected)


def test_never_a_leaf_without_priority_even_at_the_border() -> None:
    tree = SumTree(4)
    tree.set(np.arange(4), np.array([0.0, 2.0, 0.0, 0.0]))
    np.testing.assert_array_equal(tree.find(np.array([0.0, 1.0, 2.0])), [1, 1, 1])


def test_priorities_can_change() -> None:
    tree = SumTree(5)
    tree.set(np.arange(5), np.ones(5))
    tree.set(np.array([1, 3]), np.array([0.0, 7.0]))
    assert tree.total == 10.0
    np.testing.assert_array_equal(tree.get(np.array([0, 1, 3])), [1.0, 0.0, 7.0])


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_bad_priorities_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        SumTree(2).set(np.array([0]), np.array([bad]))
