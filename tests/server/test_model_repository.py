"""Which graphs are held, and why, for every setting of the precision."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from qdispatch_bundle.loading import load_bundle
from qdispatch_bundle.manifest import Limits, Precision
from qdispatch_bundle.measurements import ClosedLoop, Interval
from qdispatch_server.model_repository import ModelRepository
from qdispatch_server.precision_measurement import measure_buckets
from qdispatch_server.precision_plan import PrecisionMode
from qdispatch_server.serving_model import ServingModel
from qdispatch_server.shared_measurement import SharedMeasurement
from tests.bundle.tiny_bundle import write_tiny_bundle
from tests.server.slow_graphs import make_slow

FP32, INT8 = Precision.FP32, Precision.INT8


@pytest.fixture
def bundle(tmp_path: Path, tiny_bundle: Path) -> Path:
    return Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))


def loaded(bundle: Path, precision: str, folder: Path) -> ServingModel:
    repository = ModelRepository(precision, SharedMeasurement(folder))
    assert repository.load(bundle), repository.refused
    model = repository.current()
    assert model is not None
    return model


@pytest.mark.parametrize("precision", list(Precision))
def test_a_named_precision_is_held_alone_and_nothing_is_measured(
    bundle: Path, tmp_path: Path, precision: Precision
) -> None:
    model = loaded(bundle, precision.value, tmp_path)
    assert set(model.bundles) == {precision}
    assert (model.plan.mode, model.plan.buckets) == (PrecisionMode.FIXED, ())
    assert model.at(5).precision is precision


def test_each_size_gets_the_graph_that_is_faster_there(bundle: Path, tmp_path: Path) -> None:
    make_slow(bundle, fp32=True, int8=True)
    model = loaded(bundle, "auto", tmp_path)
    rows = [(row.size, row.measured_pairs, row.max_pairs, row.precision) for row in model.plan.buckets]
    assert rows == [("4x19", 76, 95, INT8), ("10x20", 120, 207, INT8), ("30x60", 360, None, FP32)]
    for row in model.plan.buckets:
        assert (row.int8_seconds < row.fp32_seconds) is (row.precision is INT8)
    assert [model.at(pairs).precision for pairs in (1, 207, 208)] == [INT8, INT8, FP32]
    assert {p: one.precision for p, one in model.bundles.items()} == {FP32: FP32, INT8: INT8}


def test_a_graph_that_never_answers_is_not_held(bundle: Path, tmp_path: Path) -> None:
    make_slow(bundle, fp32=True, int8=False)
    model = loaded(bundle, "auto", tmp_path)
    assert set(model.bundles) == {INT8}
    assert (model.plan.summary, len(model.plan.buckets)) == ("int8", 3)


def test_int8_that_is_worse_in_closed_loop_never_answers_however_fast(tmp_path: Path, tiny_bundle: Path) -> None:
    report = load_bundle(tiny_bundle).manifest.quantization
    worse = ClosedLoop("clinic-day", 200, 1_200_000, Interval(5.0, 1.0, 9.0), ())
    forms = tuple(dataclasses.replace(form, closed_loop=(*form.closed_loop, worse)) for form in report.forms)
    changed = dataclasses.replace(report, forms=forms)
    write_tiny_bundle(tmp_path / "worse", quantization=changed)
    make_slow(tmp_path / "worse", fp32=True, int8=False)
    model = loaded(tmp_path / "worse", "auto", tmp_path)
    assert set(model.bundles) == {FP32}
    assert (model.plan.mode, model.plan.buckets, model.at(5).precision) == (PrecisionMode.AUTO, (), FP32)
    assert loaded(tmp_path / "worse", "int8", tmp_path).at(5).precision is INT8  # who names it gets it


def test_only_sizes_within_the_model_s_limits_are_measured(tiny_bundle: Path) -> None:
    loaded_twice = {precision: load_bundle(tiny_bundle, precision) for precision in Precision}
    models = {precision: one.model for precision, one in loaded_twice.items()}

    def sizes(limits: Limits) -> list[tuple[str, int | None]]:
        manifest = dataclasses.replace(loaded_twice[FP32].manifest, limits=limits)
        return [(row.size, row.max_pairs) for row in measure_buckets(manifest, models)]

    assert sizes(Limits(10, 30, 120)) == [("4x19", 95), ("10x20", None)]
    assert sizes(Limits(10, 30, 119)) == [("4x19", None)]
    assert sizes(Limits(10, 18, 120)) == []


def test_another_bundle_is_measured_anew_and_the_same_one_is_not(bundle: Path, tmp_path: Path) -> None:
    repository = ModelRepository("auto", SharedMeasurement(tmp_path))
    make_slow(bundle, fp32=True, int8=True)
    assert repository.load(bundle)
    first = repository.current()
    assert first is not None
    assert repository.load(bundle)
    again = repository.current()
    assert again is not None
    assert again is not first
    assert again.plan == first.plan  # equal to the last digit: read, not measured
    write_tiny_bundle(tmp_path / "other", model_version="tiny-2")
    assert repository.load(tmp_path / "other")
    other = repository.current()
    assert other is not None
    assert other.plan != first.plan
