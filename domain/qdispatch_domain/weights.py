"""The cost of a day: one frozen set of weights, in minutes-equivalent.

Fixed before the first training. A change makes every published table void, so every result prints `digest()`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class CostWeights:
    """Weights of the cost C; the undiscounted return of a day is C(start) - C(end)."""

    deadhead_per_min: float = 1.0  # empty driving
    outbound_lateness_per_min: float = 10.0  # beyond the booking's tolerance (0 by default)
    return_lateness_per_min: float = 1.0  # beyond the booking's tolerance (15 min by default)
    emergency_trip: float = 30.0  # a trip driven by an EMERGENCY driver
    driver_change: float = 5.0  # a booking taken from the driver it was planned for
    unserved: float = 1000.0  # above any lateness, so that serving always wins
    unserved_urgent: float = 2000.0
    spread: float = 15.0  # times S = sqrt(D * sum((x_d - mean)^2)), x_d = trips per contract share

    def digest(self) -> str:
        """First 12 hex digits of the SHA-256 of the canonical JSON of all weights."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Rules:
    """The hard rules' constants, minutes. Frozen with the weights."""

    outbound_tolerance_min: float = 0.0
    return_tolerance_min: float = 15.0
    latest_insertion_min: float = 60.0  # a new booking may be inserted this late; then it is UNSERVED for good
    pickup_service_min: float = 5.0
    dropoff_service_min: float = 10.0
    arrival_buffer_min: float = 5.0  # a driver leaves so as to arrive this early, if free
    position_max_age_min: float = 15.0  # an older position does not locate a driver


WEIGHTS = CostWeights()
RULES = Rules()
