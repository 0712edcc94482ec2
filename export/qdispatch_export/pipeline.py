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
from qdispatch_bundle.measurements import KpiTable, ModelForm, QuantizationReport
from qdispatch_bundle.replay import ReplayReport
from qdispatch_bundle.sealing import publish, seal, staging_folder, write_sealed
from qdispatch_bundle.synthetic_inputs import synthetic_observations
from qdispatch_domain import classic, features
from qdispatch_domain.snapshot import Snapshot
from qdispatch_domain.weights import WEIGHTS
from qdispatch_export.equivalence import check_equivalence
from qdispatch_export.errors import ExportError
from qdispatch_export.forms import OpenForm, open_form, quantized_forms
from qdispatch_export.golden_choice import choose_golden
from qdispatch_export.machine import this_machine
from qdispatch_export.measuring import Say, compare_policies, compare_with_fp32, measure_forms, play_forms
from qdispatch_export.moments import Moment, Observed, observe, take_turns
from qdispatch_export.request import ExportRequest
from qdispatch_export.selection import RULE, choose
from qdispatch_export.torch_export import export_form, to_onnx
from qdispatch_trainer.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from qdispatch_trainer.networks.build import config_to_dict
from qdispatch_trainer.scenarios import Scenario, scenario_named
from qdispatch_trainer.source_revision import UNKNOWN, git_revision

_GOLDEN_CANDIDATES = 80  # snapshots tried as golden vectors
_GOLDEN_PAIRS = 600  # the most candidate pairs one of them has


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
    observing = [(_scenario(name), days) for name, days in request.observe(kind)]
    limits = request.limits(kind)

    say("Exporting FP32")
    fp32 = open_form(kind, to_onnx(checkpoint), limits)
    observed = _observe(kind, fp32, observing, request.moments, say)
    moments = take_turns([one.moments for one in observed])
    calibrating = take_turns([one.calibrating for one in observed])

    say("Comparing the graph with the checkpoint")
    synthetic = [inputs for _, inputs in synthetic_observations(kind, np.random.default_rng(1), edges=True)]
    module = export_form(checkpoint)
    difference = check_equivalence(module, fp32.session, [*synthetic, *(moment.inputs for moment in moments)])

    say("Quantizing")
    forms = {ModelForm.FP32: fp32, **quantized_forms(kind, fp32.data, [m.inputs for m in calibrating], limits)}
    played = play_forms(forms, scenarios, request.days, say)
    closed_loop = compare_with_fp32(scenarios, request.days, played)
    judging = take_turns([one.judging for one in observed])
    reports = measure_forms(kind, forms, judging, closed_loop, request.latency_runs, say)
    choice = choose(reports)
    kpis = compare_policies(scenarios, request.days, played, say)

    say("Choosing golden vectors")
    kept = {Precision.FP32: fp32, Precision.INT8: forms[choice.int8_form]}
    rough = {p: open_form(kind, form.data, limits, optimise=False) for p, form in kept.items()}
    golden, cases = choose_golden(
        {p: form.model for p, form in kept.items()},
        {p: form.model for p, form in rough.items()},
        _golden_candidates(moments),
        request.golden,
    )
    files = {FP32_FILE: fp32.data, INT8_FILE: kept[Precision.INT8].data, GOLDEN_FILE: write_golden(cases)}
    quantization = QuantizationReport(
        machine=this_machine(),
        forms=tuple(reports.values()),
        rule=RULE,
        int8_form=choice.int8_form,
        reason=choice.reason,
        calibration=tuple(one.provenance() for one in observed),
        fastest=choice.fastest,
    )
    manifest = _manifest(request, checkpoint, kind, golden, quantization, choice.recommended, kpis, files)
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
    kind: ModelKind, fp32: OpenForm, observing: Sequence[tuple[Scenario, int]], wanted: int, say: Say
) -> tuple[Observed, ...]:
    """What was met in every scenario. Raises ExportError where it is not enough to calibrate with and to judge."""
    found = []
    for number, (scenario, days) in enumerate(observing):
        say(f"Observing {days} days of {scenario.name}")
        found.append(observe(kind, scenario, days, fp32.model, wanted, np.random.default_rng(number)))
        if len(found[-1].moments) < 2:
            raise ExportError(f"{days} days of {scenario.name} hold less than two decisions; observe more of them.")
    return tuple(found)


def _golden_candidates(moments: Sequence[Moment]) -> list[Snapshot]:
    """Snapshots tried as golden vectors, evenly over all scenarios and sizes but the largest.

    A server replays its golden vectors before it serves, and a bundle carries them: a fleet of a hundred is too much.
    """
    usable = [moment.snapshot for moment in moments if moment.pairs <= _GOLDEN_PAIRS]
    return usable[:: max(1, len(usable) // _GOLDEN_CANDIDATES)][:_GOLDEN_CANDIDATES]


def _manifest(
    request: ExportRequest,
    checkpoint: Checkpoint,
    kind: ModelKind,
    golden: Golden,
    quantization: QuantizationReport,
    recommended: Precision,
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
        recommended_precision=recommended,
        golden=golden,
        quantization=quantization,
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
