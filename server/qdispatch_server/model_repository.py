"""The model that answers: loaded whole and verified, or refused whole, while the one before it goes on."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from qdispatch_bundle.errors import BundleError, RefusalReason
from qdispatch_bundle.loading import open_bundle, verify_bundle
from qdispatch_bundle.manifest import Precision
from qdispatch_server import metrics
from qdispatch_server.precision_measurement import measure_buckets
from qdispatch_server.precision_plan import PrecisionBucket, measured
from qdispatch_server.serving_model import ServingModel
from qdispatch_server.shared_measurement import SharedMeasurement

LOG = structlog.get_logger("qdispatch.model")
AUTO = "auto"


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A verified model and since when it answers."""

    model: ServingModel
    loaded_at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """The bundle refused last."""

    reason: RefusalReason
    refused_at: datetime


class ModelRepository:
    """Holds at most one model. Reading is one attribute; loading happens beside it."""

    def __init__(self, precision: str, measurements: SharedMeasurement) -> None:
        """`precision`: "fp32", "int8", or "auto" for whichever this machine runs faster, size by size."""
        self._precision = None if precision == AUTO else Precision(precision)
        self._measurements = measurements
        self._loading = threading.Lock()
        self.loaded: LoadedModel | None = None
        self.refused: Refused | None = None

    def current(self) -> ServingModel | None:
        """The model that answers now."""
        loaded = self.loaded
        return None if loaded is None else loaded.model

    def load(self, directory: Path) -> bool:
        """Loads and verifies the bundle in `directory`; says whether it answers now. Never raises for a bad bundle."""
        with self._loading:
            try:
                model = self._open(directory)
            except BundleError as error:
                metrics.REFUSED_BUNDLES.labels(reason=error.reason.value).inc()
                LOG.error("bundle_refused", reason=error.reason.value, detail=error.detail)
                self.refused = Refused(error.reason, datetime.now(UTC))  # last: whoever reads it finds it counted
                return False
            before = self.current()
            self.loaded = LoadedModel(model, datetime.now(UTC))
            if before is not None:
                _show(before, 0)
            _show(model, 1)
            LOG.info(
                "model_loaded",
                model_version=model.version,
                precision_mode=model.plan.mode.value,
                precision=model.plan.summary,
                by_size=" ".join(f"{size}:{precision}" for size, precision in model.plan.by_size),
            )
            return True

    def _open(self, directory: Path) -> ServingModel:
        """Both graphs are held only if both of them answer. Raises BundleError."""
        sealed = verify_bundle(directory)
        if self._precision is not None:
            return ServingModel.of(open_bundle(sealed, self._precision))
        if not sealed.manifest.quantization.int8_qualifies:
            # Significantly worse in closed loop: however fast it is, it does not answer.
            return ServingModel({Precision.FP32: open_bundle(sealed, Precision.FP32)}, measured(()))
        bundles = {precision: open_bundle(sealed, precision) for precision in Precision}

        def measure() -> tuple[PrecisionBucket, ...]:
            return measure_buckets(sealed.manifest, {precision: one.model for precision, one in bundles.items()})

        buckets, here = self._measurements.read_or_make(sealed.digest, measure)
        for bucket in buckets if here else ():
            LOG.info(
                "precision_measured",
                size=bucket.size,
                fp32_micros=round(bucket.fp32_seconds * 1e6, 1),
                int8_micros=round(bucket.int8_seconds * 1e6, 1),
                precision=bucket.precision.value,
            )
        plan = measured(buckets)
        return ServingModel({precision: bundles[precision] for precision in plan.precisions}, plan)


def _show(model: ServingModel, workers: int) -> None:
    """Counts this worker among those that answer with the model (1), or no longer (0)."""
    metrics.MODEL_INFO.labels(
        model_version=model.version,
        precision=model.plan.summary,
        feature_fingerprint=model.manifest.feature_fingerprint[:12],
    ).set(workers)
    for size, precision in model.plan.by_size:
        metrics.PRECISION_INFO.labels(size=size, precision=precision.value).set(workers)
    for bucket in model.plan.buckets:
        for precision, seconds in ((Precision.FP32, bucket.fp32_seconds), (Precision.INT8, bucket.int8_seconds)):
            metrics.PRECISION_SECONDS.labels(size=bucket.size, precision=precision.value).set(seconds * workers)
