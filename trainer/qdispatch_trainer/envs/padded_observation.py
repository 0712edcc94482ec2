"""An observation in arrays of fixed size: what a Gymnasium space can describe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from qdispatch_domain.candidates import CANDIDATES
from qdispatch_domain.features import CLIP, N_BOOKING, N_CONTEXT, N_DRIVER, N_PAIR
from qdispatch_domain.observation import Observation
from qdispatch_trainer.scenarios import Scenario

Padded = dict[str, Any]  # arrays, see `DispatchDayEnv`; Gymnasium types the values of a Dict space as Any
MAX_PAIR_COST = 1e5  # minutes-equivalent


@dataclass(frozen=True, slots=True)
class PaddedShape:
    """The most rows an observation of a scenario can have."""

    drivers: int
    bookings: int
    pairs: int

    @staticmethod
    def of(scenario: Scenario) -> PaddedShape:
        """Maxima of the scenario; at most `CANDIDATES` pairs per booking."""
        drivers, bookings = scenario.max_drivers, scenario.max_bookings
        return PaddedShape(drivers, bookings, bookings * min(CANDIDATES, drivers))

    def space(self) -> spaces.Dict:
        """The observation space."""

        def features(rows: int, columns: int) -> spaces.Box:
            return spaces.Box(-CLIP, CLIP, (rows, columns), np.float32)

        return spaces.Dict(
            {
                "driver_features": features(self.drivers, N_DRIVER),
                "booking_features": features(self.bookings, N_BOOKING),
                "pair_features": features(self.pairs, N_PAIR),
                "pair_driver": spaces.Box(-1, self.drivers - 1, (self.pairs,), np.int64),
                "pair_booking": spaces.Box(-1, self.bookings - 1, (self.pairs,), np.int64),
                "pair_cost": spaces.Box(-MAX_PAIR_COST, MAX_PAIR_COST, (self.pairs,), np.float32),
                "context": spaces.Box(-CLIP, CLIP, (N_CONTEXT,), np.float32),
                "rows": spaces.Box(0, max(self.pairs, self.drivers), (3,), np.int64),
            }
        )

    def pad(self, observation: Observation) -> Padded:
        """The observation in the space above: features padded with 0, indices with -1. ValueError if it is too big."""
        return {
            "driver_features": _padded(observation.driver_features, self.drivers, 0),
            "booking_features": _padded(observation.booking_features, self.bookings, 0),
            "pair_features": _padded(observation.pair_features, self.pairs, 0),
            "pair_driver": _padded(observation.pair_driver, self.pairs, -1),
            "pair_booking": _padded(observation.pair_booking, self.pairs, -1),
            "pair_cost": _padded(observation.pair_cost, self.pairs, 0),
            "context": observation.context.copy(),
            "rows": np.array(
                [len(observation.driver_features), len(observation.booking_features), len(observation.pair_driver)],
                dtype=np.int64,
            ),
        }


def _padded(array: npt.NDArray[Any], rows: int, fill: int) -> npt.NDArray[Any]:
    if len(array) > rows:
        raise ValueError(f"Expected at most {rows} rows, got {len(array)}.")
    out = np.full((rows, *array.shape[1:]), fill, dtype=array.dtype)
    out[: len(array)] = array
    return out
