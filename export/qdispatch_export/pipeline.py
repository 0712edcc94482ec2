"""Checkpoint in, bundle out: the steps of an export, in order."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from qdispatch_bundle.errors import BundleError
from qdispatch_bundle.feature_lock import current_fingerprint
from qdispatch_bundle.golden import write_golden
from qdispatch_bundle.loading import load_bundle
from qdispatch_bundle.manifest import (
    FP32_FILE,
    GOLDEN_FILE,
    INT8_FILE,
    SCHEMA_VERSION,
    ActionCodec,
    Golden,
    Manifest,
    ModelKind,
    Network,
    Precision,
    Training,
)
from qdispatch_bundle.measurements import FormReport, KpiTable, ModelForm, QuantizationReport
from qdispatch_bundle.replay import ReplayReport
from qdispatch_bundle.sealing import publish, seal, staging_folder, write_sealed
from qdispatch_domain import classic, features
from qdispatch_domain.weights import WEIGHTS
from qdispatch_export.agreement import Moment
from qdispatch_export.closed_loop import collect_moments, merge_moments
from qdispatch_export.equivalence import check_equivalence
from qdispatch_export.errors import ExportError
from qdispatch_export.forms import OpenForm, open_form, quantized_forms
from qdispatch_export.golden_choice import choose_golden
from qdispatch_export.machine import this_machine
from qdispatch_export.measuring import Say, compare_policies, measure_forms, synthetic_observations
from qdispatch_export.request import ExportRequest
from qdispatch_export.selection import RULE, Choice, choose
from qdispatch_export.torch_export import export_form, to_onnx
from qdispatch_trainer.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from qdispatch_trainer.networks.build import config_to_dict
from qdispatch_trainer.scenarios import Scenario, scenario_named
from qdispatch_trainer.source_revision import UNKNOWN, git_revision

_GOLDEN_CANDIDATES = 80  # snapshots tried as golden vectors


@dataclass(frozen=True, slots=True)
class ExportResult:
    """A finished bundle."""

    directory: Path
    manifest: Manifest
    digest: str
    torch_difference: float  # largest difference of the FP32 graph from the checkpoint, minutes-equivalent
    replays: tuple[ReplayReport, ...]  # one per precision


def export_bundle(request: ExportRequest, say: Say) -> ExportResult:
    """Make, measure, verify and publish the bundle. `say` is told what is being done.

    Raises ExportError (with nothing left at `request.out` that was not there before) when the checkpoint cannot be
    used, the graph differs from it, or the finished bundle does not load.
    """
    if request.out.exists() and not request.force:
        raise ExportError(f"{request.out} exists already; --force replaces it.")
    checkpoint = _usable_checkpoint(request.checkpoint)
    kind = ModelKind(checkpoint.kind)
    scenarios = [_scenario(name) for name in request.judged(kind)]
    observed = [(_scenario(name), days) for name, days in request.observe(kind)]
    limits = request.limits(kind)

    say("Exporting FP32")
    fp32 = open_form(kind, to_onnx(checkpoint), limits)
    moments = _observe(kind, fp32, observed, request.moments, say)
    calibration, judged = moments[::2], moments[1::2]

    say("Comparing the graph with the checkpoint")
    synthetic = [inputs for _, inputs in synthetic_observations(kind, np.random.default_rng(1), edges=True)]
    module = export_form(checkpoint)
    difference = check_equivalence(module, fp32.session, [*synthetic, *(moment.inputs for moment in moments)])

    say("Quantizing")
    forms = {ModelForm.FP32: fp32, **quantized_forms(kind, fp32.data, [m.inputs for m in calibration], limits)}
    reports = measure_forms(kind, forms, judged, scenarios, request.days, request.latency_runs, say)
    choice = choose(reports)
    kpis = compare_policies(fp32, scenarios, request.days, say)

    say("Choosing golden vectors")
    kept = {Precision.FP32: fp32, Precision.INT8: forms[choice.int8_form]}
    rough = {p: open_form(kind, form.data, limits, optimise=False) for p, form in kept.items()}
    golden, cases = choose_golden(
        {p: form.model for p, form in kept.items()},
        {p: form.model for p, form in rough.items()},
        [moment.snapshot for moment in moments[:_GOLDEN_CANDIDATES]],
        request.golden,
    )
    files = {FP32_FILE: fp32.data, INT8_FILE: kept[Precision.INT8].data, GOLDEN_FILE: write_golden(cases)}
    manifest = _manifest(request, checkpoint, kind, golden, reports, choice, kpis, files)
    say("Loading and replaying the finished bundle")
    return _publish(request, manifest, files, difference)


def _usable_checkpoint(path: Path) -> Checkpoint:
    try:
        checkpoint = load_checkpoint(path)
    except CheckpointError as error:
        raise ExportError(str(error)) from error
    if checkpoint.feature_fingerprint != current_fingerprint(ModelKind(checkpoint.kind)):
        raise ExportError(f"{path} was trained on other features than this code has; train it again.")
    if checkpoint.weights_digest != WEIGHTS.digest():
        raise ExportError(f"{path} was trained for other cost weights than this code has; train it again.")
    return checkpoint


def _scenario(name: str) -> Scenario:
    try:
        return scenario_named(name)
    except ValueError as error:
        raise ExportError(str(error)) from error


def _observe(
    kind: ModelKind, fp32: OpenForm, observed: Sequence[tuple[Scenario, int]], wanted: int, say: Say
) -> tuple[Moment, ...]:
    groups = []
    for number, (scenario, days) in enumerate(observed):
        say(f"Observing {days} days of {scenario.name}")
        groups.append(collect_moments(kind, scenario, days, fp32.model, wanted, np.random.default_rng(number)))
    return merge_moments(groups)


def _manifest(
    request: ExportRequest,
    checkpoint: Checkpoint,
    kind: ModelKind,
    golden: Golden,
    reports: Mapping[ModelForm, FormReport],
    choice: Choice,
    kpis: tuple[KpiTable, ...],
    files: Mapping[str, bytes],
) -> Manifest:
    digits = hashlib.sha256(files[FP32_FILE]).hexdigest()[:8]
    training = checkpoint.training
    codec = (
        ActionCodec(features.ACTION_CODEC)
        if kind is ModelKind.SET
        else ActionCodec("0 waits, 1 + bookings x driver + slot inserts", classic.DRIVERS, classic.BOOKINGS)
    )
    return Manifest(
        schema_version=SCHEMA_VERSION,
        model_version=request.model_version or f"{kind.value}-{checkpoint.scenario}-{digits}",
        kind=kind,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        feature_fingerprint=checkpoint.feature_fingerprint,
        cost_weights=checkpoint.weights_digest,
        action_codec=codec,
        limits=request.limits(kind),
        network=Network(
            architecture=type(checkpoint.network).__name__,
            parameters=sum(parameter.numel() for parameter in checkpoint.network.parameters()),
            sizes=config_to_dict(checkpoint.network.config),
        ),
        training=Training(
            configuration={
                **training,
                "scenario_digest": checkpoint.scenario_digest,
                "validation": checkpoint.validation,
                "progress": checkpoint.progress,
            },
            seed=checkpoint.seed,
            command=str(training.get("command", UNKNOWN)),
            duration_s=float(checkpoint.progress.get("seconds", 0.0)),
            git_revision=str(training.get("git_revision", UNKNOWN)),
        ),
        export_command=request.command,
        export_git_revision=git_revision(),
        commit_threshold=checkpoint.wait_bias_min,
        recommended_precision=choice.recommended,
        golden=golden,
        quantization=QuantizationReport(
            machine=this_machine(),
            forms=tuple(reports.values()),
            rule=RULE,
            int8_form=choice.int8_form,
            reason=choice.reason,
        ),
        kpis=kpis,
        files={name: seal(data) for name, data in files.items()},
    )


def _publish(request: ExportRequest, manifest: Manifest, files: Mapping[str, bytes], difference: float) -> ExportResult:
    staging = staging_folder(request.out)
    try:
        write_sealed(staging, manifest, files)
        loaded = [load_bundle(staging, precision) for precision in Precision]
        publish(staging, request.out, replace=request.force)
    except BundleError as error:
        raise ExportError(f"The finished bundle is refused: {error}") from error
    except FileExistsError as error:
        raise ExportError(f"{request.out} appeared meanwhile; --force replaces it.") from error
    finally:
        if staging.exists():
            shutil.rmtree(staging)
    replays = tuple(bundle.replayed for bundle in loaded)
    return ExportResult(request.out, manifest, loaded[0].digest, difference, replays)
