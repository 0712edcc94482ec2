"""Where the kernels write which feature: `D.free_in` is the column of that name in `features.py`, and so on."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from typing import Any

import numpy as np

from qdispatch_domain.compiled.jit import kernel
from qdispatch_domain.features import BOOKING, CLIP, CONTEXT, DRIVER, PAIR, Feature


def _columns(features: Sequence[Feature]) -> Any:  # a named tuple, whose names are the data's
    return namedtuple("Columns", [feature.name for feature in features])(*range(len(features)))


def _scales(features: Sequence[Feature]) -> np.ndarray:
    return np.array([feature.scale for feature in features])


D, B, P, C = _columns(DRIVER), _columns(BOOKING), _columns(PAIR), _columns(CONTEXT)
DRIVER_SCALES, BOOKING_SCALES, PAIR_SCALES, CONTEXT_SCALES = map(_scales, (DRIVER, BOOKING, PAIR, CONTEXT))
MOST_COLUMNS = max(len(DRIVER), len(BOOKING), len(PAIR), len(CONTEXT))


@kernel
def store(raw: np.ndarray, out: np.ndarray, i: int, scales: np.ndarray) -> None:
    """Scaled and clipped values into row i."""
    for c in range(scales.shape[0]):
        value = raw[c] / scales[c]
        value = value if value < CLIP else CLIP
        out[i, c] = value if value > -CLIP else -CLIP


@kernel
def flag(condition: bool) -> float:
    """What a condition is as a feature: 1 or 0."""
    return 1.0 if condition else 0.0
