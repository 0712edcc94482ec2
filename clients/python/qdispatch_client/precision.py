"""The number format of the model's graph."""

from __future__ import annotations

from enum import Enum


class Precision(Enum):
    """Number format of the graph that answers; MIXED: one or the other, by the size of the snapshot."""

    UNKNOWN = "UNKNOWN"
    FP32 = "FP32"
    INT8 = "INT8"
    MIXED = "MIXED"


class PrecisionMode(Enum):
    """What chose it: a setting (FIXED), or a measurement on the server's own processor (AUTO)."""

    UNKNOWN = "UNKNOWN"
    FIXED = "FIXED"
    AUTO = "AUTO"
