"""The shipped bundle and the published evaluation belong together, to this code, and say what the README claims."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qdispatch_bundle.loading import Bundle, load_bundle
from qdispatch_bundle.manifest import Precision
from qdispatch_domain.features import fingerprint
from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.scenarios import scenario_named

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "models" / "default"
EVALUATION = ROOT / "docs" / "benchmarks" / "clinic-day.json"


@pytest.fixture(scope="module")
def evaluation() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(EVALUATION.read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module", params=list(Precision))
def bundle(request: pytest.FixtureRequest) -> Bundle:
    """Loading verifies hashes and fingerprint and replays the golden vectors, in both precisions."""
    return load_bundle(MODEL, request.param)


def test_the_bundle_is_of_this_code(bundle: Bundle) -> None:
    assert bundle.manifest.feature_fingerprint == fingerprint()
    assert bundle.manifest.cost_weights == WEIGHTS.digest()
    assert bundle.manifest.golden.snapshots >= 8


def test_the_manifest_says_how_it_was_trained(bundle: Bundle) -> None:
    training = bundle.manifest.training
    assert "qdispatch-trainer train" in training.command
    assert training.duration_s > 0
    settings = json.loads((ROOT / "training" / "default.json").read_text(encoding="utf-8"))
    assert training.seed == settings["seed"]
    stored: dict[str, Any] = dict(training.configuration)
    for name, value in settings.items():
        assert stored[name] == ({**stored[name], **value} if isinstance(value, dict) else value), name


def test_the_evaluation_is_of_this_bundle_scenario_and_cost(bundle: Bundle, evaluation: dict[str, Any]) -> None:
    assert evaluation["model"]["digest"] == bundle.digest
    assert evaluation["scenario_digest"] == scenario_named("clinic-day").digest()
    assert evaluation["weights_digest"] == WEIGHTS.digest()
    assert evaluation["seed_purpose"] == "test"
    assert evaluation["days"] >= 200


@pytest.mark.parametrize("policy", ["random feasible", "nearest driver"])
def test_the_model_beats_the_weak_policies_with_the_whole_interval(policy: str, evaluation: dict[str, Any]) -> None:
    assert evaluation["policies"][policy]["baseline_minus_this"]["cost"]["high"] < 0.0
