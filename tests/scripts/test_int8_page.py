"""The page on INT8 is what the shipped bundle's manifest says."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from qdispatch_bundle.manifest import FP32_FILE, GOLDEN_FILE, INT8_FILE, Manifest
from qdispatch_bundle.measurements import (
    ClosedLoop,
    FastestForm,
    Interval,
    KpiRow,
    LatencyRow,
    ModelForm,
    QuantizationReport,
)
from qdispatch_bundle.sealing import read_sealed, write_sealed
from scripts import int8_page
from tests.bundle.tiny_bundle import write_tiny_bundle


def loop(scenario: str, low: float) -> ClosedLoop:
    served = KpiRow("x", "served", "% of all legs", 97.0, Interval(-0.25, -0.5, 0.0))
    return ClosedLoop(scenario, 200, 1_200_000, Interval(low + 2.0, low, low + 4.0), (served,))


def with_two_forms(manifest: Manifest) -> Manifest:
    """Dynamic is fast and out in the second scenario; QDQ stays and wins the larger size."""
    report = manifest.quantization
    fp32, dynamic = report.forms

    def times(*milliseconds: float) -> tuple[LatencyRow, ...]:
        sizes = (("4x19", 4, 19, 76), ("30x60", 30, 60, 360))
        return tuple(LatencyRow(*size, ms) for size, ms in zip(sizes, milliseconds, strict=True))

    forms = (
        dataclasses.replace(fp32, latency=times(0.1, 0.5)),
        dataclasses.replace(dynamic, latency=times(0.05, 0.25), closed_loop=(loop("clinic-day", -9), loop("two", 1.5))),
        dataclasses.replace(
            dynamic, form=ModelForm.INT8_QDQ, latency=times(0.2, 0.4), closed_loop=(loop("clinic-day", -9),)
        ),
    )
    changed = QuantizationReport(
        report.machine,
        forms,
        "the rule",
        ModelForm.INT8_QDQ,
        "the reason",
        report.calibration,
        (FastestForm("4x19", ModelForm.FP32, 0.1, 1.0), FastestForm("30x60", ModelForm.INT8_QDQ, 0.4, 0.8)),
    )
    return dataclasses.replace(manifest, quantization=changed)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page") / "bundle"
    write_tiny_bundle(folder)
    sealed = read_sealed(folder)
    for path in folder.iterdir():
        path.unlink()
    files = {name: sealed.files[name] for name in (FP32_FILE, INT8_FILE, GOLDEN_FILE)}
    write_sealed(folder, with_two_forms(sealed.manifest), files)
    return folder


@pytest.fixture
def root(tmp_path: Path, bundle: Path) -> Path:
    (tmp_path / int8_page.PAGE).parent.mkdir(parents=True)
    (tmp_path / int8_page.BUNDLE).parent.mkdir(parents=True)
    (tmp_path / int8_page.BUNDLE).symlink_to(bundle)
    return tmp_path


def test_the_page_is_in_step_with_the_shipped_bundle() -> None:
    assert int8_page.main(["--check"]) == 0


def test_the_page_shows_every_form_every_scenario_and_every_size(root: Path) -> None:
    assert int8_page.main([], root) == 0
    text = (root / int8_page.PAGE).read_text()
    served = "-0.25 [-0.50, +0.00]"
    for line in (
        f"| int8-dynamic | clinic-day | 200 | -7.0 [-9.0, -5.0] | no | {served} | – | – |",
        f"| int8-dynamic | two | 200 | +3.5 [+1.5, +5.5] | out | {served} | – | – |",
        f"| int8-qdq | clinic-day | 200 | -7.0 [-9.0, -5.0] | no | {served} | – | – |",
        "| 4x19 | 76 | **0.100** | 0.050 | 0.200 |",
        "| 30x60 | 360 | 0.500 | 0.250 | **0.400** |",
        "| clinic-day | 1 | 1,900,000 | 2 | 9 |",
        "**Kept as INT8: int8-qdq.** the reason Recommended: fp32.",
    ):
        assert line in text.splitlines(), line


def test_a_number_changed_by_hand_is_noticed(root: Path) -> None:
    assert int8_page.main(["--check"], root) == 1  # no page yet
    assert int8_page.main([], root) == 0
    assert int8_page.main(["--check"], root) == 0
    page = root / int8_page.PAGE
    page.write_text(page.read_text().replace("0.400", "0.300"))
    assert int8_page.main(["--check"], root) == 1


def test_without_a_bundle_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert int8_page.main([], tmp_path) == 2
    assert "MISSING_FILE" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
