"""What a network sees: the encoded situation as a sparse list of driver x booking pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Observation:
    """One encoded situation. Rows of `pair_*` are the candidate pairs, ordered by (booking, rank).

    `driver_features` [D, Fd], `booking_features` [B, Fb], `pair_features` [P, Fp], `context` [Fc], all float32
    and scaled; `pair_driver` [P] and `pair_booking` [P] are rows of the first two (usable drivers, open
    bookings).
    Names, units and scales of every column stand in `features.py`, and the fingerprint covers them.
    """

    driver_features: F32
    booking_features: F32
    pair_features: F32
    pair_driver: I64
    pair_booking: I64
    context: F32
    pair_cost: F32  # [P] growth of the day's cost, minutes-equivalent, unscaled (a network input of its own)


@dataclass(frozen=True, slots=True)
class Scores:
    """Values of the pairs and of waiting, minutes-equivalent; higher is better."""

    q_pair: npt.NDArray[np.float64]  # [P]
    q_wait: float | npt.NDArray[np.float64]  # one number for one day, else [N]
    commit: npt.NDArray[np.bool_] | None = None  # [P] a rule's own choice of pairs worth committing, instead of q_wait
