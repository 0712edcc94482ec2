"""`Truth` and `Progress` as the tuples of arrays that the simulator's kernels take; no copies."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qdispatch_trainer.simulator.progress import Progress
from qdispatch_trainer.simulator.truth import Truth


class TruthArrays(NamedTuple):
    """Fields of `Truth` under their names."""

    driver_real: np.ndarray
    regular: np.ndarray
    start_place: np.ndarray
    home: np.ndarray
    has_home: np.ndarray
    homeward_factor: np.ndarray
    dropoff: np.ndarray
    loaded: np.ndarray
    is_return: np.ndarray
    urgent: np.ndarray
    scheduled: np.ndarray
    tolerance: np.ndarray
    known_since: np.ndarray
    ready_at: np.ndarray
    linked: np.ndarray
    deadhead_factor: np.ndarray
    loaded_factor: np.ndarray
    pickup_service: np.ndarray
    dropoff_service: np.ndarray


class ProgressArrays(NamedTuple):
    """Fields of `Progress` under their names; what a kernel writes, it writes into the progress."""

    now: np.ndarray
    over: np.ndarray
    fate: np.ndarray
    driver: np.ndarray
    promised: np.ndarray
    decided_at: np.ndarray
    approach: np.ndarray
    departed_at: np.ndarray
    arrived_at: np.ndarray
    picked_up_at: np.ndarray
    left_pickup_at: np.ndarray
    reached_dropoff_at: np.ndarray
    done_at: np.ndarray
    came_from: np.ndarray
    running: np.ndarray
    last_done: np.ndarray
    free_since: np.ndarray


def truth_arrays(truth: Truth) -> TruthArrays:
    """What the kernels read of the truth. ValueError for a travel matrix: generated days have none."""
    if truth.travel.matrix is not None:
        raise ValueError("Expected days without a travel matrix.")
    return TruthArrays(*(getattr(truth, name) for name in TruthArrays._fields))


def progress_arrays(progress: Progress) -> ProgressArrays:
    """What the kernels read and write of the progress."""
    return ProgressArrays(*(getattr(progress, name) for name in ProgressArrays._fields))
