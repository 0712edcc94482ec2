"""What is measured is what was played, however often the measurement is broken off."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from qdispatch_domain.heuristics import CheapestInsertion, NearestDriver
from qdispatch_trainer.closed_loop import kpis_of
from qdispatch_trainer.comparators import Kind, Policy, comparator
from qdispatch_trainer.quality.measure import measure, result_path, time_policy
from qdispatch_trainer.quality.moments import moments_of_size, moments_of_the_day
from qdispatch_trainer.quality.result import Result, columns, read_result
from qdispatch_trainer.quality.timing import time_decisions
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedRangeError
from qdispatch_trainer.watching import Unwatched

CLINIC = scenario_named("clinic-day")
FIRST = 1_000_000
NEAREST = Policy("nearest driver", Kind.HEURISTIC, {"window_min": 60.0}, NearestDriver)


def measured(path: Path, days: int, policy: Policy = NEAREST, validated: int = 2) -> Result:
    return measure(policy, CLINIC, FIRST, days, path, validated, Unwatched())


def test_the_file_holds_every_day_as_played(tmp_path: Path) -> None:
    found = measured(tmp_path / "a.json", 4)
    own = columns(kpis_of(CLINIC, range(FIRST, FIRST + 4), NearestDriver()))
    read = read_result(tmp_path / "a.json")
    for name, values in own.items():
        np.testing.assert_array_equal(found.kpis[name], values)
        np.testing.assert_array_equal(read.kpis[name], values)
    assert (found.validated.days, found.validated.broken_rules) == (2, 0)
    assert (found.scenario_digest, found.days) == (CLINIC.digest(), 4)
    assert found.agreement is not None
    assert 0 < found.agreement.agreed < found.agreement.decisions


def test_a_measurement_is_continued(tmp_path: Path) -> None:
    whole = measured(tmp_path / "whole.json", 5)
    measured(tmp_path / "parts.json", 3)
    parts = measured(tmp_path / "parts.json", 5)
    for name, values in whole.kpis.items():
        np.testing.assert_array_equal(parts.kpis[name], values)
    assert parts.agreement == whole.agreement
    assert parts.validated == whole.validated
    measured(tmp_path / "checked.json", 2, validated=4)
    assert measured(tmp_path / "checked.json", 4, validated=4).validated.days == 4


def test_days_that_stand_are_not_played_again(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    found = measured(path, 3)
    marked = {**found.kpis, "cost": found.kpis["cost"] + 1000.0}
    dataclasses.replace(found, kpis=marked).write(path)
    np.testing.assert_array_equal(measured(path, 3).kpis["cost"], marked["cost"])
    other = dataclasses.replace(NEAREST, parameters={"window_min": 30.0}, build=lambda: NearestDriver(30.0))
    again = measured(path, 3, other)
    own = [day.cost for day in kpis_of(CLINIC, range(FIRST, FIRST + 3), NearestDriver(30.0))]
    np.testing.assert_allclose(again.kpis["cost"], own, atol=1e-3)


def test_more_validated_days_than_stand_are_played_again(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    assert measured(path, 3, validated=0).validated.days == 0
    assert measured(path, 3, validated=3).validated.days == 3


def test_seeds_of_two_purposes_never_mix(tmp_path: Path) -> None:
    with pytest.raises(SeedRangeError):
        measure(NEAREST, CLINIC, 1_999_999, 2, tmp_path / "a.json", 0, Unwatched())


def test_cheapest_insertion_agrees_with_itself(tmp_path: Path) -> None:
    found = measured(tmp_path / "a.json", 3, comparator("cheapest insertion", CLINIC), validated=0)
    assert found.agreement is not None
    assert (found.agreement.share, found.agreement.share_when_both_act) == (1.0, 1.0)


def test_every_moment_is_timed_and_stands_in_the_file(tmp_path: Path) -> None:
    path = result_path(tmp_path, CLINIC, NEAREST.name)
    timed = time_policy(NEAREST, CLINIC, measured(path, 2), path).timing["day"]
    assert read_result(path).timing["day"].moments == timed.moments == 48
    assert 0.0 < timed.p50_ms <= timed.p95_ms
    assert 0.0 < timed.scored_mean_ms < timed.mean_ms
    assert timed.scored_mean_ms <= timed.scored_p95_ms < timed.p95_ms
    assert timed.drivers > timed.open_bookings / 10.0 > 0.0
    assert timed.pace_ms is not None
    assert timed.pace_ms > 0.0
    with pytest.raises(ValueError, match="at least one moment"):
        time_decisions([], CheapestInsertion())


def test_moments_are_spread_over_days_with_something_to_decide() -> None:
    found = moments_of_the_day("clinic-day", 6, 2)
    assert len(found) == 6
    first, second = [s.now for s in found[:3]], [s.now for s in found[3:]]
    assert first == sorted(set(first))
    assert second == sorted(set(second))
    assert {b.id for b in found[0].bookings} != {b.id for b in found[3].bookings}
    assert all(any(b.time_confirmed for b in s.bookings) for s in found)
    with pytest.raises(ValueError, match="play more days"):
        moments_of_size("clinic-day", 1000, 2, 1)


def test_moments_of_a_size_have_it() -> None:
    for snapshot in moments_of_size("fleet-10x60", 20, 3, 1):
        ready = sum(b.time_confirmed for b in snapshot.bookings)
        assert ready == pytest.approx(20, rel=0.15)
