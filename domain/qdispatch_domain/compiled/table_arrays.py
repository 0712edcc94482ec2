"""The arrays of a `CandidateTable` as the one tuple that the features' kernels take."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class TableArrays(NamedTuple):
    """What the features need of a `CandidateTable`, under its names; P pairs, R schedule rows."""

    row: np.ndarray  # [P]
    day: np.ndarray
    driver: np.ndarray
    booking: np.ndarray
    position: np.ndarray
    depart: np.ndarray
    pickup: np.ndarray
    end: np.ndarray
    on_time: np.ndarray
    deadhead: np.ndarray
    lateness: np.ndarray
    downstream: np.ndarray
    slack: np.ndarray
    expiry: np.ndarray
    rank: np.ndarray
    emergency: np.ndarray
    driver_change: np.ndarray
    spread: np.ndarray
    total: np.ndarray
    has_pair: np.ndarray  # [N, B]
    feasible_drivers: np.ndarray
    on_time_drivers: np.ndarray
    decide_by: np.ndarray
    trips: np.ndarray  # [R]
    free_time: np.ndarray  # [R, L + 1]
    departs: np.ndarray  # [R, L]
    finish: np.ndarray  # [R]
    counts: np.ndarray  # [N, D]
    x: np.ndarray  # [N, D]
    size: np.ndarray  # [N]
    sum_x: np.ndarray  # [N]
    squares: np.ndarray  # [N]
    next_event: np.ndarray  # [N]
