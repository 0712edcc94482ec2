"""The lock against training/serving skew: a bundle runs only with the features, actions and cost it was made for."""

from __future__ import annotations

import onnxruntime as ort

from qdispatch_bundle.errors import BundleError, RefusalReason
from qdispatch_bundle.flat_model import FlatModel
from qdispatch_bundle.manifest import Limits, Manifest, ModelKind
from qdispatch_bundle.model import Model
from qdispatch_bundle.set_model import SetModel
from qdispatch_domain.classic import classic_fingerprint
from qdispatch_domain.features import fingerprint
from qdispatch_domain.weights import WEIGHTS


def current_fingerprint(kind: ModelKind) -> str:
    """Fingerprint of this code's features and actions for one kind of model, 64 hex digits."""
    return fingerprint() if kind is ModelKind.SET else classic_fingerprint()


def check_locks(manifest: Manifest) -> None:
    """Raise BundleError FINGERPRINT_MISMATCH or COST_WEIGHTS_MISMATCH when the bundle was made for another code."""
    current = current_fingerprint(manifest.kind)
    if manifest.feature_fingerprint != current:
        detail = f"bundle {manifest.feature_fingerprint[:12]}, this code {current[:12]}"
        raise BundleError(RefusalReason.FINGERPRINT_MISMATCH, detail)
    if manifest.cost_weights != WEIGHTS.digest():
        detail = f"bundle {manifest.cost_weights}, this code {WEIGHTS.digest()}"
        raise BundleError(RefusalReason.COST_WEIGHTS_MISMATCH, detail)


def build_model(kind: ModelKind, session: ort.InferenceSession, limits: Limits) -> Model:
    """Wrap a session as the kind's model. Raises BundleError SIGNATURE when the graph does not fit."""
    return SetModel(session, limits) if kind is ModelKind.SET else FlatModel(session)
