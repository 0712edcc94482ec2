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
from qdispatch_trainer.closed_loop import kpis_of
from qdispatch_trainer.quality.result import Result, read_results
from qdispatch_trainer.quality.targets import SCENARIOS, compared
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose, purpose_of

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "models" / "default"
QUALITY = ROOT / "docs" / "benchmarks" / "quality"
DAYS = 200


@pytest.fixture(scope="module")
def results() -> dict[str, dict[str, Result]]:
    return read_results(QUALITY)


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
    assert len(training.git_revision) == 40  # of a tree without changes: "unknown" and "+changes" are neither
    settings = json.loads((ROOT / "training" / "default.json").read_text(encoding="utf-8"))
    assert training.seed == settings["seed"]
    stored: dict[str, Any] = {"hidden_sizes": None, **training.configuration}  # a setting that came after this bundle
    # The threshold was calibrated anew after the run (docs/training.md); this bundle's checkpoint kept the first days.
    settings = {name: value for name, value in settings.items() if not name.startswith("calibration_")}
    for name, value in settings.items():
        assert stored[name] == ({**stored[name], **value} if isinstance(value, dict) else value), name


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_published_results_are_of_this_bundle(
    scenario: str, bundle: Bundle, results: dict[str, dict[str, Result]]
) -> None:
    found = results[scenario]["model"]
    assert found.parameters["digest"] == bundle.digest
    assert found.scenario_digest == scenario_named(scenario).digest()
    assert found.weights_digest == WEIGHTS.digest()
    assert purpose_of(found.first_seed) is SeedPurpose.TEST
    assert found.days >= DAYS


def test_the_published_days_are_what_the_bundle_does(results: dict[str, dict[str, Result]]) -> None:
    found = results["clinic-day"]["model"]
    model = load_bundle(MODEL, Precision(found.parameters["precision"])).model
    played = kpis_of(scenario_named("clinic-day"), found.seeds[:3], model)
    assert found.kpis["cost"][:3] == pytest.approx([day.cost for day in played], abs=1e-3)


@pytest.mark.parametrize("policy", ["random feasible", "nearest driver"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_model_beats_the_weak_policies_with_the_whole_interval(
    scenario: str, policy: str, results: dict[str, dict[str, Result]]
) -> None:
    high = compared(results, scenario, "model", policy).difference.high
    assert high is not None
    assert high < 0.0
