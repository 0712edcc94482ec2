"""The command from checkpoint to bundle, with few days so that it is quick."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import qdispatch_export.pipeline
from qdispatch_bundle.errors import BundleError, RefusalReason
from qdispatch_bundle.loading import load_bundle
from qdispatch_bundle.manifest import ModelKind, Precision
from qdispatch_bundle.measurements import ModelForm
from qdispatch_domain.decoder import decide
from qdispatch_export.cli import app
from qdispatch_trainer.checkpoint import Checkpoint, save_checkpoint
from tests.bundle.snapshots import snapshot
from tests.export.checkpoints import flat_checkpoint, set_checkpoint

FEW = ["--days", "3", "--allow-few-days", "--moments", "24", "--latency-runs", "2"]
QUICK = [*FEW, "--observe", "clinic-day:2,fleet-10x60:1"]

FLAT = [*FEW, "--observe", "classic-10x20:2", "--observe", "clinic-day:1"]


def run(*arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def saved(checkpoint: Checkpoint, folder: Path) -> Path:
    path = folder / "model.pt"
    save_checkpoint(checkpoint, path)
    return path


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """Checkpoint, bundle and what was printed."""
    folder = tmp_path_factory.mktemp("export")
    checkpoint = saved(set_checkpoint(), folder)
    code, output, errors = run(checkpoint, "--out", folder / "models" / "tiny", *QUICK)
    assert code == 0, errors
    return checkpoint, folder / "models" / "tiny", output


def test_the_bundle_loads_in_both_precisions_and_decides(exported: tuple[Path, Path, str]) -> None:
    for precision in Precision:
        bundle = load_bundle(exported[1], precision)
        assert bundle.manifest.kind is ModelKind.SET
        assert bundle.replayed.snapshots == bundle.manifest.golden.snapshots >= 8
        assert len(decide(snapshot(3, 4, 8), bundle.model).bookings) == 8


def test_the_manifest_holds_what_was_measured_and_where_it_came_from(exported: tuple[Path, Path, str]) -> None:
    manifest = load_bundle(exported[1]).manifest
    assert {report.form for report in manifest.quantization.forms} == set(ModelForm)
    for report in manifest.quantization.forms:
        assert [row.size for row in report.latency] == ["4x19", "10x20", "30x60", "50x100", "100x300", "100x700"]
        assert all(row.median_ms > 0.0 for row in report.latency)
        if report.form is not ModelForm.FP32:
            assert [(loop.scenario, loop.days) for loop in report.closed_loop] == [
                ("clinic-day", 3),
                ("fleet-10x60", 3),
            ]
            assert report.top1_agreement is not None
            assert 0.0 <= report.top1_agreement <= 1.0
            assert 18 <= report.observations <= 24
    found = manifest.quantization.calibration
    assert found is not None
    assert [(row.scenario, row.days, row.first_seed) for row in found] == [
        ("clinic-day", 2, 1_900_000),
        ("fleet-10x60", 1, 1_900_000),
    ]
    assert all(9 <= row.situations <= 12 for row in found)
    assert found[1].most_pairs > found[0].most_pairs > 0
    assert manifest.quantization.fastest is not None
    assert [row.size for row in manifest.quantization.fastest] == [row.size for row in report.latency]
    assert {row.policy for table in manifest.kpis for row in table.rows} >= {"model fp32", "cheapest insertion"}
    assert manifest.commit_threshold == set_checkpoint().wait_bias_min
    assert manifest.network.parameters == sum(p.numel() for p in set_checkpoint().network.parameters())
    assert manifest.training.seed == 0
    assert manifest.calibration is None
    assert manifest.model_version.startswith("set-clinic-day-")


def test_the_screen_shows_the_measurements_and_the_choice(exported: tuple[Path, Path, str]) -> None:
    for words in (
        "int8-dynamic",
        "int8-qdq",
        "int8-qdq-all",
        "median ms, 100x300",
        "information only: top-1 agreement",
        "Recommended:",
        "verdict",
        "Calibrated with",
    ):
        assert words in exported[2]


def test_nothing_but_the_bundle_is_left_behind(exported: tuple[Path, Path, str]) -> None:
    assert [path.name for path in exported[1].parent.iterdir()] == ["tiny"]
    assert len(list(exported[1].iterdir())) == 5
    assert oct(exported[1].stat().st_mode)[-3:] == "755"


def test_an_existing_bundle_is_kept_unless_forced(exported: tuple[Path, Path, str]) -> None:
    checkpoint, bundle, _ = exported
    before = load_bundle(bundle).digest
    code, output, errors = run(checkpoint, "--out", bundle, *QUICK)
    assert (code, output) == (1, "")
    assert "exists already" in errors
    assert load_bundle(bundle).digest == before
    code, _, _ = run(checkpoint, "--out", bundle, *QUICK, "--force", "--model-version", "again-2")
    assert code == 0
    assert load_bundle(bundle).version == "again-2"
    assert [path.name for path in bundle.parent.iterdir()] == ["tiny"]


def test_json_is_the_manifest_and_nothing_else(tmp_path: Path) -> None:
    checkpoint = saved(flat_checkpoint(), tmp_path)
    scenarios = ["--scenario", "classic-10x20,clinic-day"]
    code, output, _ = run(checkpoint, "--out", tmp_path / "flat", *FLAT, *scenarios, "--json")
    assert code == 0
    document = json.loads(output)
    bundle = load_bundle(tmp_path / "flat")
    assert document["digest"] == bundle.digest
    assert document["manifest"]["kind"] == "flat"
    assert document["manifest"]["limits"] == {"drivers": 10, "bookings": 20, "pairs": 200}
    loops = [loop["scenario"] for form in document["manifest"]["quantization"]["forms"] for loop in form["closed_loop"]]
    assert loops == ["classic-10x20", "clinic-day"] * 3
    assert len(decide(snapshot(3, 4, 8), bundle.model).bookings) == 8


def test_days_that_the_model_cannot_take_are_refused_without_a_trace(tmp_path: Path) -> None:
    checkpoint = saved(flat_checkpoint(), tmp_path)
    code, _, errors = run(checkpoint, "--out", tmp_path / "flat", *FLAT, "--scenario", "fleet-10x60")
    assert code == 1
    assert "11 usable drivers; the flat model takes 10" in " ".join(errors.split())
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]


@pytest.mark.parametrize(
    "change, complaint",
    [
        ({"feature_fingerprint": "0" * 64}, "trained on other features"),
        ({"weights_digest": "0" * 12}, "trained for other cost weights"),
    ],
)
def test_a_checkpoint_of_another_code_is_refused(tmp_path: Path, change: dict[str, str], complaint: str) -> None:
    checkpoint = saved(dataclasses.replace(set_checkpoint(), **change), tmp_path)  # type: ignore[arg-type] # str fields
    code, _, errors = run(checkpoint, "--out", tmp_path / "bundle", *QUICK)
    assert code == 1
    assert complaint in " ".join(errors.split())
    assert not (tmp_path / "bundle").exists()


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"nothing of the kind")
    for path in (tmp_path / "model.pt", tmp_path / "absent.pt"):
        code, _, errors = run(path, "--out", tmp_path / "bundle", *QUICK)
        assert code == 1
        assert "Not exported" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]


def test_a_bundle_that_does_not_load_is_never_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(directory: Path, precision: Precision) -> None:
        assert directory.exists()
        raise BundleError(RefusalReason.GOLDEN_MISMATCH, "differs")

    monkeypatch.setattr(qdispatch_export.pipeline, "load_bundle", refuse)
    checkpoint = saved(set_checkpoint(), tmp_path)
    code, _, errors = run(checkpoint, "--out", tmp_path / "bundle", *QUICK)
    assert code == 1
    assert "GOLDEN_MISMATCH" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--days", "99"],
        ["--days", "1", "--allow-few-days"],
        ["--observe", "clinic-day"],
        ["--observe", "clinic-day:0"],
        ["--observe", "clinic-day:2,,fleet-10x60:1"],
        ["--scenario", "clinic-day,clinic-day"],
        ["--scenario", "clinic-day", "--scenario", "clinic-day"],
        ["--scenario", ","],
        ["--moments", "3"],
        ["--latency-runs", "0"],
        ["--surprise"],
    ],
)
def test_wrong_usage_exits_2(tmp_path: Path, arguments: list[str]) -> None:
    assert run(tmp_path / "model.pt", "--out", tmp_path / "bundle", *arguments)[0] == 2


def test_unknown_scenarios_are_refused_before_any_work(tmp_path: Path) -> None:
    checkpoint = saved(set_checkpoint(), tmp_path)
    for arguments in (["--scenario", "moon"], ["--observe", "moon:2"]):
        code, _, errors = run(checkpoint, "--out", tmp_path / "bundle", "--days", "2", "--allow-few-days", *arguments)
        assert code == 1
        assert "unknown scenario 'moon'" in errors


def test_the_command_explains_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from qdispatch_export.cli import main; main()", "--help"],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "120"},
        check=False,
    )
    assert done.returncode == 0
    assert "--allow-few-days" in done.stdout
