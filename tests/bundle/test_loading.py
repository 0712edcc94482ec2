"""A good bundle loads; every spoilt one is refused with its own reason."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from qdispatch_bundle.errors import BundleError, RefusalReason
from qdispatch_bundle.golden import read_golden, write_golden
from qdispatch_bundle.loading import Bundle, load_bundle
from qdispatch_bundle.manifest import (
    FP32_FILE,
    GOLDEN_FILE,
    INT8_FILE,
    MANIFEST_DIGEST_FILE,
    MANIFEST_FILE,
    Precision,
    read_manifest,
)
from qdispatch_bundle.measurements import Calibration
from qdispatch_bundle.replay import situation_of
from qdispatch_domain.decoder import decide
from tests.bundle.snapshots import snapshot
from tests.bundle.tiny_bundle import reseal, write_tiny_bundle


def refusal(directory: Path, precision: Precision | None = None) -> BundleError:
    with pytest.raises(BundleError) as caught:
        load_bundle(directory, precision)
    return caught.value


def change_manifest(directory: Path, change: dict[str, Any]) -> None:
    """Change the manifest and make its own hash right again."""
    path = directory / MANIFEST_FILE
    data = json.dumps(json.loads(path.read_bytes()) | change).encode()
    path.write_bytes(data)
    (directory / MANIFEST_DIGEST_FILE).write_bytes(f"{hashlib.sha256(data).hexdigest()}  {MANIFEST_FILE}\n".encode())


@pytest.mark.parametrize("precision", list(Precision))
def test_a_good_bundle_loads_and_decides(pristine_bundle: Path, precision: Precision) -> None:
    bundle = load_bundle(pristine_bundle, precision)
    assert bundle.precision is precision
    assert bundle.version == "tiny-1"
    assert bundle.replayed.snapshots == 10
    assert bundle.replayed.picks > 0
    assert not bundle.calibrated
    situation = situation_of(snapshot(99, 4, 8))
    scores = bundle.model.score(situation)
    assert scores.q_pair.shape == (len(situation.table.rank),)
    assert len(decide(snapshot(99, 4, 8), bundle.model).bookings) == 8


def test_without_a_wish_the_recommended_precision_is_loaded(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path / "b", recommended_precision=Precision.INT8)
    assert load_bundle(tmp_path / "b").precision is Precision.INT8


@pytest.mark.parametrize("name", [FP32_FILE, INT8_FILE, GOLDEN_FILE, MANIFEST_FILE, MANIFEST_DIGEST_FILE])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_one_flipped_byte_anywhere_is_seen(bundle_folder: Path, name: str, share: float) -> None:
    path = bundle_folder / name
    data = bytearray(path.read_bytes())
    data[int(share * len(data))] ^= 1
    path.write_bytes(data)
    error = refusal(bundle_folder)
    assert error.reason is RefusalReason.HASH_MISMATCH
    assert (MANIFEST_FILE if name == MANIFEST_DIGEST_FILE else name) in error.detail


@pytest.mark.parametrize("name", [FP32_FILE, INT8_FILE, GOLDEN_FILE, MANIFEST_FILE, MANIFEST_DIGEST_FILE])
def test_a_missing_file_is_named(bundle_folder: Path, name: str) -> None:
    (bundle_folder / name).unlink()
    error = refusal(bundle_folder)
    assert error.reason is RefusalReason.MISSING_FILE
    assert name in error.detail


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nothing").reason is RefusalReason.MISSING_FILE


def test_a_folder_in_the_place_of_a_file_is_refused(bundle_folder: Path) -> None:
    (bundle_folder / FP32_FILE).unlink()
    (bundle_folder / FP32_FILE).mkdir()
    assert refusal(bundle_folder).reason is RefusalReason.UNREADABLE


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"schema_version": 3}, RefusalReason.SCHEMA_VERSION),
        ({"schema_version": "1"}, RefusalReason.SCHEMA),
        ({"kind": "transformer"}, RefusalReason.SCHEMA),
        ({"mood": "good"}, RefusalReason.SCHEMA),
        ({"model_version": "../escape"}, RefusalReason.SCHEMA),
        ({"files": {}}, RefusalReason.SCHEMA),
        ({"limits": {"drivers": 0, "bookings": 1, "pairs": 1}}, RefusalReason.SCHEMA),
        ({"feature_fingerprint": "0" * 64}, RefusalReason.FINGERPRINT_MISMATCH),
        ({"feature_fingerprint": "short"}, RefusalReason.SCHEMA),
        ({"cost_weights": "000000000000"}, RefusalReason.COST_WEIGHTS_MISMATCH),
    ],
)
def test_a_manifest_for_something_else_is_refused(
    bundle_folder: Path, change: dict[str, Any], reason: RefusalReason
) -> None:
    change_manifest(bundle_folder, change)
    assert refusal(bundle_folder).reason is reason


def written_by_schema_1(folder: Path, **more: Any) -> None:
    """Makes the manifest what an export of schema 1 wrote; `more` stays in its quantization report."""
    report = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))["quantization"]
    for name in ("calibration", "fastest"):
        del report[name]
    change_manifest(folder, {"schema_version": 1, "quantization": {**report, **more}})


def test_a_bundle_of_schema_1_is_still_read(bundle_folder: Path) -> None:
    written_by_schema_1(bundle_folder)
    report = load_bundle(bundle_folder).manifest.quantization
    assert (report.calibration, report.fastest) == (None, None)
    assert report.int8_qualifies


def test_each_schema_has_its_own_fields_and_no_other(bundle_folder: Path) -> None:
    written_by_schema_1(bundle_folder, fastest=[])
    assert refusal(bundle_folder).reason is RefusalReason.SCHEMA
    change_manifest(bundle_folder, {"schema_version": 2})
    error = refusal(bundle_folder)  # calibration is missing
    assert error.reason is RefusalReason.SCHEMA
    assert "calibration" in error.detail


def poisoned(data: bytes, value: float) -> bytes:
    """The same graph with one weight replaced."""
    model = onnx.load_from_string(data)
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) >= 1:
            array = numpy_helper.to_array(tensor).copy()
            array.flat[0] = value
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
            return bytes(model.SerializeToString())
    raise AssertionError("no float weight")


@pytest.mark.parametrize("name", [FP32_FILE, INT8_FILE])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_though_all_hashes_are_right(
    bundle_folder: Path, name: str, value: float
) -> None:
    reseal(bundle_folder, {name: poisoned((bundle_folder / name).read_bytes(), value)})
    error = refusal(bundle_folder, Precision.FP32)  # also when the other graph is the spoilt one
    assert error.reason is RefusalReason.NOT_FINITE
    assert name in error.detail


def test_finite_weights_whose_output_overflows_are_refused(bundle_folder: Path) -> None:
    data = (bundle_folder / FP32_FILE).read_bytes()
    model = onnx.load_from_string(data)
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) == 2:
            array = np.full_like(numpy_helper.to_array(tensor), 3e38)
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    reseal(bundle_folder, {FP32_FILE: model.SerializeToString()})
    assert refusal(bundle_folder, Precision.FP32).reason is RefusalReason.NOT_FINITE


def test_other_weights_are_seen_by_the_golden_vectors(bundle_folder: Path) -> None:
    model = onnx.load_from_string((bundle_folder / FP32_FILE).read_bytes())
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) == 2:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * np.float32(1.05), tensor.name))
    reseal(bundle_folder, {FP32_FILE: model.SerializeToString()})
    assert refusal(bundle_folder, Precision.FP32).reason is RefusalReason.GOLDEN_MISMATCH
    assert load_bundle(bundle_folder, Precision.INT8).precision is Precision.INT8


def test_something_that_is_no_graph_is_refused(bundle_folder: Path) -> None:
    reseal(bundle_folder, {FP32_FILE: b"not a model" * 10})
    assert refusal(bundle_folder).reason is RefusalReason.MODEL_INVALID


def test_a_graph_of_other_inputs_is_refused(bundle_folder: Path) -> None:
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["P"])
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["P"])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "g", [x], [y])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=8)
    reseal(bundle_folder, {FP32_FILE: model.SerializeToString()})
    assert refusal(bundle_folder).reason is RefusalReason.SIGNATURE


@pytest.mark.parametrize(
    "spoil, reason",
    [
        (lambda arrays: arrays.pop("3.snapshot"), RefusalReason.GOLDEN_INVALID),
        (lambda arrays: arrays.pop("9.picks.int8"), RefusalReason.GOLDEN_INVALID),
        (lambda arrays: arrays.update({"10.snapshot": arrays["0.snapshot"]}), RefusalReason.GOLDEN_INVALID),
        (lambda arrays: arrays.update({"0.snapshot": arrays["0.snapshot"][:-1]}), RefusalReason.GOLDEN_INVALID),
        (
            lambda arrays: arrays.update({"9.picks.fp32": np.zeros((3, 3), dtype=np.int64)}),
            RefusalReason.GOLDEN_MISMATCH,
        ),
        (lambda arrays: arrays["9.in.pair_features"].__iadd__(1e-4), RefusalReason.GOLDEN_MISMATCH),
        (lambda arrays: arrays["9.in.pair_driver"].__iadd__(1), RefusalReason.GOLDEN_MISMATCH),
        (lambda arrays: arrays["9.out.fp32.q_pair"].__iadd__(0.1), RefusalReason.GOLDEN_MISMATCH),
        (lambda arrays: arrays["9.out.fp32.q_wait"].__isub__(0.1), RefusalReason.GOLDEN_MISMATCH),
    ],
)
def test_spoilt_golden_vectors_are_refused(bundle_folder: Path, spoil: Any, reason: RefusalReason) -> None:
    path = bundle_folder / GOLDEN_FILE
    with np.load(path) as archive:
        arrays: dict[str, Any] = {name: archive[name].copy() for name in archive.files}
    spoil(arrays)
    other = bundle_folder.parent / "other.npz"
    np.savez_compressed(other, allow_pickle=False, **arrays)
    reseal(bundle_folder, {GOLDEN_FILE: other.read_bytes()})
    assert refusal(bundle_folder, Precision.FP32).reason is reason


def test_pickles_among_the_golden_vectors_are_never_opened(bundle_folder: Path) -> None:
    other = bundle_folder.parent / "other.npz"
    np.savez_compressed(other, allow_pickle=True, **{"0.snapshot": np.array([{"a": 1}], dtype=object)})
    reseal(bundle_folder, {GOLDEN_FILE: other.read_bytes()})
    assert refusal(bundle_folder).reason is RefusalReason.GOLDEN_INVALID


def test_golden_bytes_are_the_same_for_the_same_cases(pristine_bundle: Path) -> None:
    data = (pristine_bundle / GOLDEN_FILE).read_bytes()
    assert write_golden(read_golden(data, 10)) == data


@pytest.mark.parametrize(
    "calibration, calibrated",
    [
        (None, False),
        (Calibration(1.1, 0.05, 4.0, "clinic-day", 100), True),
        (Calibration(0.79, 0.05, 4.0, "clinic-day", 100), False),
        (Calibration(1.21, 0.05, 4.0, "clinic-day", 100), False),
        (Calibration(1.0, 0.05, 4.0, "clinic-day", 99), False),
    ],
)
def test_values_are_shown_only_when_calibrated(
    pristine_bundle: Path, calibration: Calibration | None, calibrated: bool
) -> None:
    loaded = load_bundle(pristine_bundle)
    manifest = read_manifest((pristine_bundle / MANIFEST_FILE).read_bytes())
    changed = json.loads((pristine_bundle / MANIFEST_FILE).read_bytes())
    changed["calibration"] = (
        None
        if calibration is None
        else {
            "slope": calibration.slope,
            "slope_error": calibration.slope_error,
            "residual_min": calibration.residual_min,
            "scenario": calibration.scenario,
            "days": calibration.days,
        }
    )
    manifest = read_manifest(json.dumps(changed).encode())
    assert manifest.calibration == calibration
    bundle = Bundle(manifest, loaded.digest, loaded.precision, loaded.model, loaded.replayed)
    assert bundle.calibrated is calibrated


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_refused(bundle_folder: Path) -> None:
    (bundle_folder / FP32_FILE).chmod(0)
    assert refusal(bundle_folder).reason is RefusalReason.UNREADABLE


def test_loading_a_bundle_never_imports_torch(pristine_bundle: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from qdispatch_bundle.loading import load_bundle;"
        "load_bundle(Path(sys.argv[1]));"
        "roots = {name.split('.')[0] for name in sys.modules};"
        "print(sorted(roots & {'torch', 'onnx', 'gymnasium', 'grpc', 'qdispatch_trainer', 'qdispatch_export'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(pristine_bundle)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
