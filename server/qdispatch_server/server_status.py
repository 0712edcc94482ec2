"""What the server runs and what it has done, over all workers: GetStatus without its switches."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from qdispatch_bundle import manifest
from qdispatch_client.stubs.v1.admin_service_pb2 import GetStatusResponse
from qdispatch_client.stubs.v1.provenance_pb2 import FallbackReason, Source
from qdispatch_client.stubs.v1.server_status_pb2 import ModelStatus, Precision, PrecisionMode, ProtocolLimits
from qdispatch_domain.features import fingerprint
from qdispatch_server import limits, precision_plan
from qdispatch_server.metrics_endpoint import Totals, read_totals
from qdispatch_server.model_repository import LoadedModel, ModelRepository
from qdispatch_server.provenance import Fallback
from qdispatch_server.search import Searching
from qdispatch_server.serving_model import ServingModel

PRECISIONS = {
    manifest.Precision.FP32: Precision.PRECISION_FP32,
    manifest.Precision.INT8: Precision.PRECISION_INT8,
}
MODES = {
    precision_plan.PrecisionMode.FIXED: PrecisionMode.PRECISION_MODE_FIXED,
    precision_plan.PrecisionMode.AUTO: PrecisionMode.PRECISION_MODE_AUTO,
}
MICROS = 1e6


class ServerStatus:
    """Reads the sums of all workers when asked."""

    def __init__(
        self,
        models: ModelRepository,
        searching: Searching,
        commit_ahead_min: float,
        metrics_directory: Path,
        started_at: float,
    ) -> None:
        self._models = models
        self._searching = searching
        self._commit_ahead = timedelta(minutes=commit_ahead_min)
        self._metrics_directory = metrics_directory
        self._started_at = started_at  # seconds after the epoch

    def read(self) -> GetStatusResponse:
        """The status now."""
        totals = read_totals(self._metrics_directory)
        answer = GetStatusResponse(
            feature_fingerprint=fingerprint(),
            failed_calls=totals.failed_suggest_calls,
            workers=totals.serving_workers,
            limits=protocol_limits(),
            server_version=version("qdispatch"),
        )
        answer.started_at.FromDatetime(datetime.fromtimestamp(self._started_at, UTC))
        answer.uptime.FromMicroseconds(max(0, round((time.time() - self._started_at) * 1e6)))
        loaded, refused = self._models.loaded, self._models.refused
        if loaded is not None:
            _write_model(loaded, answer.model)
            answer.model.search_moves = self._searching.moves
            answer.model.search_max_drivers = self._searching.most_drivers
            answer.model.commit_ahead.FromTimedelta(self._commit_ahead)
        if refused is not None:
            answer.last_refusal.reason = refused.reason.value
            answer.last_refusal.refused_at.FromDatetime(refused.refused_at)
        _write_answers(totals, answer)
        return answer


def protocol_limits() -> ProtocolLimits:
    """The limits every request is held to."""
    answer = ProtocolLimits(
        max_trips_per_driver=limits.MAX_TRIPS_PER_DRIVER,
        max_breaks_per_driver=limits.MAX_BREAKS_PER_DRIVER,
        max_matrix_locations=limits.MAX_MATRIX_LOCATIONS,
        max_request_bytes=limits.MAX_REQUEST_BYTES,
    )
    answer.snapshot.max_drivers = limits.MAX_DRIVERS
    answer.snapshot.max_bookings = limits.MAX_BOOKINGS
    return answer


def _write_model(loaded: LoadedModel, into: ModelStatus) -> None:
    model = loaded.model
    into.model_version = model.version
    _write_precision(model, into)
    into.loaded_at.FromDatetime(loaded.loaded_at)
    into.calibrated = model.calibrated
    most = model.manifest.limits
    if most.drivers < limits.MAX_DRIVERS or most.bookings < limits.MAX_BOOKINGS:
        into.limits.max_drivers = most.drivers
        into.limits.max_bookings = most.bookings


def _write_precision(model: ServingModel, into: ModelStatus) -> None:
    plan = model.plan
    several = len(plan.precisions) > 1
    into.precision = Precision.PRECISION_MIXED if several else PRECISIONS[next(iter(plan.precisions))]
    into.precision_mode = MODES[plan.mode]
    into.int8_qualified = model.manifest.quantization.int8_qualifies
    for bucket in plan.buckets:
        row = into.precision_buckets.add(
            size=bucket.size,
            measured_pairs=bucket.measured_pairs,
            precision=PRECISIONS[bucket.precision],
            fp32_median_micros=bucket.fp32_seconds * MICROS,
            int8_median_micros=bucket.int8_seconds * MICROS,
        )
        if bucket.max_pairs is not None:
            row.max_pairs = bucket.max_pairs


def _write_answers(totals: Totals, answer: GetStatusResponse) -> None:
    rows = []
    for (source, reason), count in totals.answers.items():
        number = Source.Value(f"SOURCE_{source}")
        fallback = FallbackReason.Value(f"FALLBACK_REASON_{Fallback(reason).value if reason else 'UNSPECIFIED'}")
        rows.append((number, fallback, count))
    for number, fallback, count in sorted(rows):
        answer.answers.add(source=number, fallback_reason=fallback, answers=count)
