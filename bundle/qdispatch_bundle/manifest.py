"""The manifest of a bundle: what the model is, where it comes from, and what every file must hash to."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from qdispatch_bundle import strict_json
from qdispatch_bundle.errors import BundleError, RefusalReason
from qdispatch_bundle.measurements import Calibration, KpiTable, QuantizationReport
from qdispatch_bundle.strict_json import JsonObject

SCHEMA_VERSION = 2  # what is written
READABLE_VERSIONS = (1, 2)  # 1 lacks `quantization.calibration` and `quantization.fastest`

MANIFEST_FILE = "manifest.json"
MANIFEST_DIGEST_FILE = "manifest.sha256"  # `sha256sum --check` reads it
FP32_FILE = "model.fp32.onnx"
INT8_FILE = "model.int8.onnx"
GOLDEN_FILE = "golden.npz"
SEALED_FILES = (FP32_FILE, INT8_FILE, GOLDEN_FILE)

_SHA256 = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class ModelKind(StrEnum):
    """`set` scores a sparse list of pairs of any fleet; `flat` is the classic 10 x 20 network with fixed axes."""

    SET = "set"
    FLAT = "flat"


class Precision(StrEnum):
    """Which of the two graphs runs."""

    FP32 = "fp32"
    INT8 = "int8"

    @property
    def file(self) -> str:
        """Name of the graph's file in the bundle."""
        return FP32_FILE if self is Precision.FP32 else INT8_FILE


@dataclass(frozen=True, slots=True)
class FileSeal:
    """SHA-256 (64 hex digits) and size of one file."""

    sha256: str
    bytes: int

    def __post_init__(self) -> None:
        if not _SHA256.fullmatch(self.sha256):
            raise ValueError("Expected sha256 as 64 lower-case hex digits.")
        if self.bytes < 1:
            raise ValueError("Expected bytes >= 1.")


@dataclass(frozen=True, slots=True)
class ActionCodec:
    """What the outputs mean."""

    meaning: str
    drivers: int | None = None  # rows of a fixed action grid; None when the pairs carry their own indices
    bookings: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest observation the model takes; beyond it the caller answers HEURISTIC, MODEL_LIMIT."""

    drivers: int
    bookings: int
    pairs: int

    def __post_init__(self) -> None:
        if min(self.drivers, self.bookings, self.pairs) < 1:
            raise ValueError("Expected drivers, bookings and pairs >= 1.")

    def admits(self, drivers: int, bookings: int) -> bool:
        """Whether a snapshot with so many drivers and open bookings is within the model's limits."""
        return drivers <= self.drivers and bookings <= self.bookings


@dataclass(frozen=True, slots=True)
class Network:
    """Architecture by name and its sizes (as the trainer's checkpoint states them)."""

    architecture: str
    parameters: int
    sizes: JsonObject

    def __post_init__(self) -> None:
        if self.parameters < 1:
            raise ValueError("Expected parameters >= 1.")


@dataclass(frozen=True, slots=True)
class Training:
    """How the weights came about, so that anybody can do it again."""

    configuration: JsonObject
    seed: int
    command: str
    duration_s: float
    git_revision: str

    def __post_init__(self) -> None:
        if self.duration_s < 0:
            raise ValueError("Expected duration_s >= 0.")


@dataclass(frozen=True, slots=True)
class Golden:
    """How strictly the golden vectors must be met."""

    snapshots: int
    observation_tolerance: float  # absolute, in scaled features
    q_tolerance: Mapping[str, float]  # per precision, absolute, minutes-equivalent

    def __post_init__(self) -> None:
        if self.snapshots < 1:
            raise ValueError("Expected snapshots >= 1.")
        if set(self.q_tolerance) != {precision.value for precision in Precision}:
            raise ValueError("Expected a q_tolerance for each precision.")
        if self.observation_tolerance < 0 or min(self.q_tolerance.values()) < 0:
            raise ValueError("Expected tolerances >= 0.")


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything a bundle says about itself. `files` holds the seal of every other file but the manifest's own."""

    schema_version: int
    model_version: str  # [A-Za-z0-9._-], at most 64 characters; names this bundle everywhere
    kind: ModelKind
    created_at: str  # ISO 8601, UTC
    feature_fingerprint: str
    cost_weights: str  # qdispatch_domain.weights.CostWeights.digest()
    action_codec: ActionCodec
    limits: Limits
    network: Network
    training: Training
    export_command: str
    export_git_revision: str
    commit_threshold: float  # minutes-equivalent; the graph's Q(wait) already has it added
    recommended_precision: Precision
    golden: Golden
    quantization: QuantizationReport
    kpis: tuple[KpiTable, ...]
    files: Mapping[str, FileSeal]
    calibration: Calibration | None = None  # None: q_value is never reported

    def __post_init__(self) -> None:
        if self.schema_version not in READABLE_VERSIONS:
            raise ValueError(f"Expected schema_version {_either(READABLE_VERSIONS)}.")
        since_2 = (self.quantization.calibration, self.quantization.fastest)
        if self.schema_version == 1 and since_2 != (None, None):
            raise ValueError("Expected no quantization.calibration and quantization.fastest in schema_version 1.")
        if self.schema_version > 1 and None in since_2:
            raise ValueError("Expected quantization.calibration and quantization.fastest.")
        if not _VERSION.fullmatch(self.model_version):
            raise ValueError("Expected model_version of 1 to 64 letters, digits, '.', '_' or '-'.")
        if not _SHA256.fullmatch(self.feature_fingerprint):
            raise ValueError("Expected feature_fingerprint as 64 lower-case hex digits.")
        if set(self.files) != set(SEALED_FILES):
            raise ValueError(f"Expected files to be exactly {', '.join(SEALED_FILES)}.")


def write_manifest(manifest: Manifest) -> bytes:
    """Serialise a manifest, UTF-8 JSON, indented, keys in the order of the dataclass."""
    text = json.dumps(strict_json.dump(manifest), indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def read_manifest(data: bytes) -> Manifest:
    """Parse a manifest. Raises BundleError SCHEMA_VERSION for another version, SCHEMA for anything else wrong."""
    try:
        parsed = strict_json.parse(data.decode())
    except (UnicodeDecodeError, strict_json.JsonMismatch) as error:
        raise BundleError(RefusalReason.SCHEMA, f"{MANIFEST_FILE}: {error}") from error
    version = parsed.get("schema_version") if isinstance(parsed, dict) else None
    if isinstance(version, int) and version not in READABLE_VERSIONS:
        detail = f"{MANIFEST_FILE}: schema_version {version}, this code reads {_either(READABLE_VERSIONS)}"
        raise BundleError(RefusalReason.SCHEMA_VERSION, detail)
    try:
        return strict_json.read(Manifest, parsed)
    except strict_json.JsonMismatch as error:
        raise BundleError(RefusalReason.SCHEMA, f"{MANIFEST_FILE}: {error}") from error


def _either(versions: tuple[int, ...]) -> str:
    return " or ".join(str(version) for version in versions)
