"""Pairs are pairs of the same day, and only of the same world."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from qdispatch_trainer.quality.compare import compare, mean
from qdispatch_trainer.quality.result import ResultError
from tests.trainer.quality.made_results import result


def test_days_are_paired_by_seed() -> None:
    one = result("clinic-day", "one", 0.0, days=6)
    other = result("clinic-day", "other", 0.0, days=6)
    one = dataclasses.replace(one, kpis={"cost": np.array([1.0, 2.0, 3.0, 4.0])}, first_seed=2_000_002)
    other = dataclasses.replace(other, kpis={"cost": np.array([9.0, 9.0, 0.0, 1.0, 2.0])})
    found = compare(one, other)  # common seeds: …002, …003, …004
    assert found is not None
    assert (found.difference.mean, found.difference.half_width, found.difference.days) == (1.0, 0.0, 3)
    assert (found.subject_mean, found.reference_mean) == (2.0, 1.0)
    assert found.percent.mean == 100.0
    turned = compare(other, one)
    assert turned is not None
    assert (turned.difference.mean, turned.difference.days, turned.reference_mean) == (-1.0, 3, 2.0)


def test_days_without_a_value_are_left_out_of_the_pairs() -> None:
    one = dataclasses.replace(result("clinic-day", "a", 0.0), kpis={"cost": np.array([1.0, np.nan, 5.0])})
    other = dataclasses.replace(result("clinic-day", "b", 0.0), kpis={"cost": np.array([np.nan, 1.0, 3.0])})
    found = compare(one, other)
    assert found is not None
    assert (found.difference.mean, found.difference.days) == (2.0, 1)
    assert (found.subject_mean, found.reference_mean) == (5.0, 3.0)


def test_nothing_in_common_is_no_comparison() -> None:
    one = dataclasses.replace(result("clinic-day", "a", 1.0, days=3), first_seed=2_000_100)
    assert compare(one, result("clinic-day", "b", 1.0, days=3)) is None
    assert compare(one, one, "unheard_of") is None
    assert mean(one, "unheard_of") is None


@pytest.mark.parametrize("change", [{"scenario_digest": "other"}, {"weights_digest": "other"}])
def test_other_worlds_are_refused(change: dict[str, str]) -> None:
    one = result("clinic-day", "a", 1.0)
    with pytest.raises(ResultError, match="other scenarios or cost weights"):
        compare(one, dataclasses.replace(one, **change))  # type: ignore[arg-type]
