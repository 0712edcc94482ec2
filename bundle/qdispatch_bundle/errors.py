"""Why a bundle is refused. Every refusal carries one reason code; the text names the file or field, never data."""

from __future__ import annotations

from enum import StrEnum


class RefusalReason(StrEnum):
    """What is wrong with a bundle, or with one answer of its model."""

    MISSING_FILE = "MISSING_FILE"  # the folder, or a file the manifest lists, is not there
    UNREADABLE = "UNREADABLE"  # the operating system refuses to read it
    HASH_MISMATCH = "HASH_MISMATCH"  # a file is not the one that was sealed
    SCHEMA_VERSION = "SCHEMA_VERSION"  # the manifest is of a version this code does not read
    SCHEMA = "SCHEMA"  # the manifest is no valid manifest
    FINGERPRINT_MISMATCH = "FINGERPRINT_MISMATCH"  # trained on other features, units, scales or actions
    COST_WEIGHTS_MISMATCH = "COST_WEIGHTS_MISMATCH"  # trained for another cost
    SIGNATURE = "SIGNATURE"  # the graph's inputs or outputs are not those of its kind
    MODEL_INVALID = "MODEL_INVALID"  # ONNX Runtime cannot load the graph, or its tensors cannot be read
    NOT_FINITE = "NOT_FINITE"  # a weight or an output is NaN or infinite
    GOLDEN_INVALID = "GOLDEN_INVALID"  # the golden vectors cannot be read
    GOLDEN_MISMATCH = "GOLDEN_MISMATCH"  # encoding, values or choices differ from what was exported


class BundleError(Exception):
    """A bundle that must not be used. `reason` is for machines, the text for people."""

    def __init__(self, reason: RefusalReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class ModelOutputError(Exception):
    """The model gave no usable answer to one observation: `reason` is NOT_FINITE or MODEL_INVALID."""

    def __init__(self, reason: RefusalReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class OverModelLimit(Exception):
    """The observation has more rows than the model takes (the caller answers HEURISTIC, MODEL_LIMIT)."""
