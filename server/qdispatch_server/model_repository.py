"""The model that answers: loaded whole and verified, or refused whole, while the one before it goes on."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from prometheus_client import Gauge

from qdispatch_bundle.errors import BundleError, RefusalReason
from qdispatch_bundle.loading import Bundle, load_bundle
from qdispatch_bundle.manifest import Precision
from qdispatch_server import metrics

LOG = structlog.get_logger("qdispatch.model")


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A verified bundle and since when it answers."""

    bundle: Bundle
    loaded_at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """The bundle refused last."""

    reason: RefusalReason
    refused_at: datetime


class ModelRepository:
    """Holds at most one model. Reading is one attribute; loading happens beside it."""

    def __init__(self, precision: str) -> None:
        """`precision`: "fp32", "int8", or "manifest" for the one the export chose."""
        self._precision = None if precision == "manifest" else Precision(precision)
        self._loading = threading.Lock()
        self.loaded: LoadedModel | None = None
        self.refused: Refused | None = None

    def current(self) -> Bundle | None:
        """The bundle that answers now."""
        loaded = self.loaded
        return None if loaded is None else loaded.bundle

    def load(self, directory: Path) -> bool:
        """Loads and verifies the bundle in `directory`; says whether it answers now. Never raises for a bad bundle."""
        with self._loading:
            try:
                bundle = load_bundle(directory, self._precision)
            except BundleError as error:
                self.refused = Refused(error.reason, datetime.now(UTC))
                metrics.REFUSED_BUNDLES.labels(reason=error.reason.value).inc()
                LOG.error("bundle_refused", reason=error.reason.value, detail=error.detail)
                return False
            before = self.current()
            self.loaded = LoadedModel(bundle, datetime.now(UTC))
            if before is not None:
                _info(before).set(0)
            _info(bundle).set(1)
            LOG.info("model_loaded", model_version=bundle.version, precision=bundle.precision.value)
            return True


def _info(bundle: Bundle) -> Gauge:
    return metrics.MODEL_INFO.labels(
        model_version=bundle.version,
        precision=bundle.precision.value,
        feature_fingerprint=bundle.manifest.feature_fingerprint[:12],
    )
