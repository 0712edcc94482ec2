"""The columns of rows of numbers, by way of bytes: numpy looks longer at every number of a list."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import starmap
from struct import Struct

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]


def columns(rows: Sequence[tuple[float, ...]]) -> F64:
    """The columns [C, M] of M > 0 rows of C numbers each; whole numbers are exact up to 2^53."""
    width = len(rows[0])
    packed = b"".join(starmap(Struct(f"{width}d").pack, rows))
    return np.frombuffer(packed).reshape(len(rows), width).T
