"""From a folder to a model that may be used: every lock is tried before a bundle is handed out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qdispatch_bundle.errors import BundleError, RefusalReason
from qdispatch_bundle.feature_lock import build_model, check_locks
from qdispatch_bundle.golden import read_golden
from qdispatch_bundle.manifest import GOLDEN_FILE, Manifest, Precision
from qdispatch_bundle.model import Model
from qdispatch_bundle.onnx_session import open_session
from qdispatch_bundle.onnx_weights import UnreadableModel, non_finite_tensor
from qdispatch_bundle.replay import ReplayReport, replay
from qdispatch_bundle.sealing import SealedBundle, read_sealed


@dataclass(frozen=True, slots=True)
class Bundle:
    """A checked bundle with one of its graphs loaded. `model` is the scorer to hand to `decide`."""

    manifest: Manifest
    digest: str  # SHA-256 of the manifest, hence of every file
    precision: Precision  # the graph that is loaded
    model: Model
    replayed: ReplayReport

    @property
    def version(self) -> str:
        """The name every answer carries."""
        return self.manifest.model_version

    @property
    def calibrated(self) -> bool:
        """Whether `q_value` and `advantage_minutes` may be reported."""
        calibration = self.manifest.calibration
        return calibration is not None and calibration.trustworthy


def load_bundle(directory: Path, precision: Precision | None = None) -> Bundle:
    """Load a bundle; `precision=None` takes the one its manifest recommends.

    Checks, in this order: files present and as sealed, manifest, feature fingerprint and cost weights, all stored
    weights of both graphs finite, graph loadable with the right signature, golden vectors. Raises BundleError with
    its `reason` at the first that fails; nothing is half loaded.
    """
    sealed = verify_bundle(directory)
    return open_bundle(sealed, sealed.manifest.recommended_precision if precision is None else precision)


def verify_bundle(directory: Path) -> SealedBundle:
    """The first half of `load_bundle`: everything that holds for both graphs. The files are read once, here."""
    sealed = read_sealed(directory)
    check_locks(sealed.manifest)
    check_weights(sealed)
    return sealed


def open_bundle(sealed: SealedBundle, precision: Precision) -> Bundle:
    """The second half: load one graph of a verified bundle and replay the golden vectors with it."""
    model = open_model(sealed, precision)
    cases = read_golden(sealed.files[GOLDEN_FILE], sealed.manifest.golden.snapshots)
    replayed = replay(model, precision, cases, sealed.manifest.golden)
    return Bundle(sealed.manifest, sealed.digest, precision, model, replayed)


def check_weights(sealed: SealedBundle) -> None:
    """Raise BundleError NOT_FINITE or MODEL_INVALID for the first bad tensor stored in either graph."""
    for precision in Precision:
        try:
            tensor = non_finite_tensor(sealed.files[precision.file])
        except UnreadableModel as error:
            raise BundleError(RefusalReason.MODEL_INVALID, f"{precision.file}: {error}") from error
        if tensor is not None:
            raise BundleError(RefusalReason.NOT_FINITE, f"{precision.file}: {tensor} is NaN or infinite")


def open_model(sealed: SealedBundle, precision: Precision) -> Model:
    """Load one of the graphs. Raises BundleError MODEL_INVALID or SIGNATURE, with the name of the file."""
    try:
        session = open_session(sealed.files[precision.file])
        return build_model(sealed.manifest.kind, session, sealed.manifest.limits)
    except BundleError as error:
        raise BundleError(error.reason, f"{precision.file}: {error.detail}") from error
