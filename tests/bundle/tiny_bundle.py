"""A whole, real bundle of an untrained network, small enough to be made in a test."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch

from qdispatch_bundle.feature_lock import build_model, current_fingerprint
from qdispatch_bundle.golden import write_golden
from qdispatch_bundle.manifest import (
    FP32_FILE,
    GOLDEN_FILE,
    INT8_FILE,
    SCHEMA_VERSION,
    ActionCodec,
    Limits,
    Manifest,
    ModelKind,
    Network,
    Precision,
    Training,
)
from qdispatch_bundle.measurements import (
    ClosedLoop,
    FastestForm,
    FormReport,
    Interval,
    LatencyRow,
    Machine,
    ModelForm,
    ObservedDays,
    QuantizationReport,
)
from qdispatch_bundle.onnx_session import open_session
from qdispatch_bundle.sealing import read_sealed, seal, write_sealed
from qdispatch_domain.features import ACTION_CODEC, N_BOOKING, N_CONTEXT, N_DRIVER, N_PAIR
from qdispatch_domain.weights import WEIGHTS
from qdispatch_export.golden_choice import choose_golden
from qdispatch_export.quantization import dynamic_int8, prepare
from qdispatch_export.torch_export import to_onnx
from qdispatch_trainer.checkpoint import Checkpoint
from qdispatch_trainer.networks.set_network import SetNetwork, SetNetworkConfig
from tests.bundle.snapshots import diverse, snapshot

LIMITS = Limits(drivers=40, bookings=80, pairs=480)


def tiny_network(seed: int = 0) -> SetNetwork:
    """A set network of the real feature sizes with random, not zero, heads."""
    torch.manual_seed(seed)
    network = SetNetwork(SetNetworkConfig(N_DRIVER, N_BOOKING, N_PAIR, N_CONTEXT, 8, 8, 16))
    for head in (network.pair_advantage, network.wait_advantage, network.value):
        torch.nn.init.normal_(head.weight, std=0.3)
    return network.eval()


def tiny_checkpoint(seed: int = 0) -> Checkpoint:
    return Checkpoint(
        network=tiny_network(seed),
        feature_fingerprint=current_fingerprint(ModelKind.SET),
        scenario="clinic-day",
        scenario_digest="0" * 12,
        weights_digest=WEIGHTS.digest(),
        seed=seed,
        wait_bias_min=-1.5,
        training={"gamma": 1.0},
    )


def _report(form: ModelForm, data: bytes) -> FormReport:
    latency = (LatencyRow("4x19", 4, 19, 76, 0.1),)
    if form is ModelForm.FP32:
        return FormReport(form, len(data), latency, None, 1, None, (), "the reference")
    loop = ClosedLoop("clinic-day", 2, 1_000_000, Interval(0.0, -1.0, 1.0), ())
    return FormReport(form, len(data), latency, 1.0, 1, 0.1, (loop,), "as good")


def write_tiny_bundle(directory: Path, **changes: object) -> Manifest:
    """Write a bundle into `directory` (made if absent); `changes` replace fields of its manifest."""
    fp32 = to_onnx(tiny_checkpoint())
    int8 = dynamic_int8(prepare(fp32))
    graphs = {Precision.FP32: fp32, Precision.INT8: int8}
    models = {p: build_model(ModelKind.SET, open_session(data), LIMITS) for p, data in graphs.items()}
    rough = {p: build_model(ModelKind.SET, open_session(data, optimise=False), LIMITS) for p, data in graphs.items()}
    candidates = [*diverse(), *(snapshot(seed, 2 + seed % 4, 3 + seed % 5, seed % 3) for seed in range(20, 40))]
    golden, cases = choose_golden(models, rough, candidates, 10)
    files = {FP32_FILE: fp32, INT8_FILE: int8, GOLDEN_FILE: write_golden(cases)}
    fields: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "model_version": "tiny-1",
        "kind": ModelKind.SET,
        "created_at": "2026-11-21T00:00:00Z",
        "feature_fingerprint": current_fingerprint(ModelKind.SET),
        "cost_weights": WEIGHTS.digest(),
        "action_codec": ActionCodec(ACTION_CODEC),
        "limits": LIMITS,
        "network": Network("set", 4000, {"hidden": 8}),
        "training": Training({"gamma": 1.0}, 0, "qdispatch-trainer train", 1.0, "0" * 40),
        "export_command": "qdispatch-export",
        "export_git_revision": "0" * 40,
        "commit_threshold": -1.5,
        "recommended_precision": Precision.FP32,
        "golden": golden,
        "quantization": QuantizationReport(
            Machine("test", 2, "none", "1"),
            (_report(ModelForm.FP32, fp32), _report(ModelForm.INT8_DYNAMIC, int8)),
            "the rule",
            ModelForm.INT8_DYNAMIC,
            "the reason",
            (ObservedDays("clinic-day", 1, 1_900_000, 2, 9),),
            (FastestForm("4x19", ModelForm.FP32, 0.1, 1.0),),
        ),
        "kpis": (),
        "files": {name: seal(data) for name, data in files.items()},
    }
    manifest = Manifest(**{**fields, **changes})  # type: ignore[arg-type] # a test changes any field it likes
    directory.mkdir(parents=True, exist_ok=True)
    write_sealed(directory, manifest, files)
    return manifest


def reseal(directory: Path, contents: dict[str, bytes]) -> None:
    """Replace files of a bundle and make all hashes right again, as a forger would."""
    sealed = read_sealed(directory)
    files = {**sealed.files, **contents}
    manifest = dataclasses.replace(sealed.manifest, files={name: seal(data) for name, data in files.items()})
    for path in directory.iterdir():
        path.unlink()
    write_sealed(directory, manifest, files)
