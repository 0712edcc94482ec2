"""The use case without a socket: every reason of a fallback, and the deadline."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from qdispatch_bundle.errors import ModelOutputError, OverModelLimit, RefusalReason
from qdispatch_bundle.loading import Bundle, load_bundle
from qdispatch_bundle.manifest import Precision
from qdispatch_domain.decision import Decision
from qdispatch_domain.decoder import decide
from qdispatch_domain.observation import Scores
from qdispatch_domain.packing import pack
from qdispatch_domain.situation import Situation
from qdispatch_domain.snapshot import Snapshot
from qdispatch_server.precision_plan import PrecisionBucket, measured
from qdispatch_server.provenance import Fallback
from qdispatch_server.search import Searching
from qdispatch_server.serving_model import ServingModel
from qdispatch_server.state.switch_board import CompanyState
from qdispatch_server.suggestion import HEURISTIC, StageSeconds, StepClock, Suggester, _ModelStep
from tests.bundle.snapshots import snapshot

NO_SEARCH = Searching("off")
ENABLED, DISABLED, UNKNOWN = CompanyState.ENABLED, CompanyState.DISABLED, CompanyState.UNKNOWN


def later(seconds: float = 60.0) -> float:
    return time.perf_counter() + seconds


@pytest.fixture(scope="module")
def bundle(tiny_bundle: Path) -> Bundle:
    return load_bundle(tiny_bundle)


@pytest.fixture(scope="module")
def model(bundle: Bundle) -> ServingModel:
    return ServingModel.of(bundle)


@pytest.fixture(scope="module")
def day() -> Snapshot:
    return snapshot(3, 6, 12)


def picks(decision: Decision) -> list[tuple[int, int]]:
    return [(pick.booking, pick.driver) for pick in decision.picks]


class Failing:
    """A model that raises, around a real bundle's manifest."""

    def __init__(self, bundle: Bundle, error: Exception) -> None:
        self.version, self.calibrated, self.manifest = bundle.version, False, bundle.manifest
        self.precision = bundle.precision
        self.model = SimpleNamespace(score=self._score)
        self._error = error

    def _score(self, situation: Situation) -> Scores:
        raise self._error


def test_the_model_decides_when_it_may(bundle: Bundle, model: ServingModel, day: Snapshot) -> None:
    answer = Suggester(lambda: model, NO_SEARCH).suggest(day, ENABLED, later())
    assert answer.provenance.fallback is None
    assert answer.provenance.heuristic == ""
    assert answer.provenance.precision is bundle.precision
    assert picks(answer.decision) == picks(decide(day, bundle.model))


@pytest.mark.parametrize(
    ("company", "loaded", "reason"),
    [
        (DISABLED, True, Fallback.DISABLED),
        (DISABLED, False, Fallback.DISABLED),
        (UNKNOWN, True, Fallback.STATE_UNKNOWN),
        (ENABLED, False, Fallback.MODEL_UNAVAILABLE),
    ],
)
def test_why_the_model_is_not_asked(
    model: ServingModel, day: Snapshot, company: CompanyState, loaded: bool, reason: Fallback
) -> None:
    answer = Suggester(lambda: model if loaded else None, NO_SEARCH).suggest(day, company, later())
    assert answer.provenance.fallback is reason
    assert answer.provenance.heuristic == "cheapest-insertion"
    assert answer.provenance.precision is None
    assert answer.provenance.model_version == ("tiny-1" if loaded else "")
    assert picks(answer.decision) == picks(decide(day, HEURISTIC))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ModelOutputError(RefusalReason.NOT_FINITE, "x"), Fallback.MODEL_FAILED),
        (OverModelLimit("x"), Fallback.MODEL_LIMIT),
    ],
)
def test_a_model_that_cannot_is_replaced_and_named(
    bundle: Bundle, day: Snapshot, error: Exception, reason: Fallback
) -> None:
    failing = ServingModel.of(cast(Bundle, Failing(bundle, error)))
    answer = Suggester(lambda: failing, NO_SEARCH).suggest(day, ENABLED, later())
    assert answer.provenance.fallback is reason
    assert picks(answer.decision) == picks(decide(day, HEURISTIC))


def test_a_fault_of_ours_is_not_hidden_behind_the_heuristic(bundle: Bundle, day: Snapshot) -> None:
    failing = ServingModel.of(cast(Bundle, Failing(bundle, KeyError("a bug"))))
    with pytest.raises(KeyError):
        Suggester(lambda: failing, NO_SEARCH).suggest(day, ENABLED, later())


def test_a_model_step_that_would_miss_the_deadline_is_not_made(model: ServingModel, day: Snapshot) -> None:
    suggester = Suggester(lambda: model, NO_SEARCH)
    assert suggester.suggest(day, ENABLED, later()).provenance.fallback is None
    answer = suggester.suggest(day, ENABLED, later(0.0))
    assert answer.provenance.fallback is Fallback.DEADLINE
    assert picks(answer.decision) == picks(decide(day, HEURISTIC))
    assert suggester.suggest(day, ENABLED, later()).provenance.fallback is None


def test_the_step_clock_learns_the_duration_of_a_step() -> None:
    clock = StepClock()
    assert clock.expected_seconds(100) == 0.0
    clock.learn(100, 0.3)
    assert clock.expected_seconds(100) == pytest.approx(0.3)
    assert clock.expected_seconds(400) == pytest.approx(0.6)
    for _ in range(200):
        clock.learn(100, 0.1)
    assert clock.expected_seconds(100) == pytest.approx(0.1)


def test_without_a_pair_the_model_is_the_source_and_nothing_is_scored(bundle: Bundle) -> None:
    failing = ServingModel.of(cast(Bundle, Failing(bundle, AssertionError("asked"))))
    answer = Suggester(lambda: failing, NO_SEARCH).suggest(snapshot(7, 2, 0), ENABLED, later())
    assert answer.provenance.fallback is None
    assert answer.provenance.precision is None
    assert answer.decision.picks == ()


def test_an_answer_keeps_the_precision_of_its_first_pass(tiny_bundle: Path) -> None:
    """A second pass has fewer pairs; without this, one answer could hold values of two graphs."""
    bundles = {precision: load_bundle(tiny_bundle, precision) for precision in Precision}
    buckets = (
        PrecisionBucket("small", 10, 20, 1.0, 2.0, Precision.FP32),
        PrecisionBucket("large", 50, None, 2.0, 1.0, Precision.INT8),
    )
    model = ServingModel(bundles, measured(buckets))
    small, large = (Situation(pack([snapshot(3, drivers, 12)])) for drivers in (1, 6))
    assert len(small.table.rank) <= 20 < len(large.table.rank)
    for first, second, precision in ((large, small, Precision.INT8), (small, large, Precision.FP32)):
        step = _ModelStep(model, NO_SEARCH, 0.0, StepClock(), StageSeconds(), later())
        assert step.precision is None
        for situation in (first, second):
            assert np.array_equal(step.score(situation).q_pair, bundles[precision].model.score(situation).q_pair), (
                situation
            )
            assert step.precision is precision


def test_the_stages_add_up_to_no_more_than_the_whole(model: ServingModel, day: Snapshot) -> None:
    suggester = Suggester(lambda: model, NO_SEARCH)
    started = time.perf_counter()
    stages = suggester.suggest(day, ENABLED, later()).stages
    whole = time.perf_counter() - started
    assert min(stages.features, stages.inference, stages.decision) > 0
    assert stages.features + stages.inference + stages.decision <= whole
