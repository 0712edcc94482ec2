"""What every feature means: ordered names, units, scales, and the fingerprint that locks trainer and server together.

A feature's value is `raw / scale`, clipped to [-CLIP, CLIP]; flags are 0 or 1. "x" is trips (done + running +
committed) per contract share; the mean is taken over the drivers who count for fairness. Lists are in the order of
the columns.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from qdispatch_domain.candidates import CANDIDATES, NEAREST, PRUNE_ABOVE
from qdispatch_domain.travel import DETOUR_FACTOR, FREE_FLOW_KM_PER_MIN, SPEED_FACTORS
from qdispatch_domain.weights import RULES, WEIGHTS

CLIP = 4.0
ENCODER_REVISION = 1  # raise it when a column keeps its name but changes its meaning
ACTION_CODEC = "pairs-then-wait/1: rows of q_pair are candidate pairs ordered by (booking, rank); q_wait is one number"


@dataclass(frozen=True, slots=True)
class Feature:
    """One input column."""

    name: str
    unit: str
    scale: float = 1.0


def _flags(*names: str) -> tuple[Feature, ...]:
    return tuple(Feature(name, "flag") for name in names)


DRIVER = (
    Feature("free_in", "min", 60.0),  # until the driver can begin a committed trip
    Feature("shift_left", "min", 240.0),  # from when the driver is free
    Feature("next_break_in", "min", 120.0),  # CLIP when there is none
    Feature("next_departure_in", "min", 60.0),  # CLIP when nothing is committed
    Feature("finish_in", "min", 240.0),  # predicted end of work
    Feature("seats", "seats", 8.0),
    Feature("trips", "trips", 8.0),  # done + running + committed
    Feature("committed", "trips", 4.0),
    Feature("load", "trips per share", 4.0),  # x - mean, 0 where it does not count
    Feature("contract_share", "share"),
    Feature("window_load", "trips per share", 20.0),  # fairness window, against the mean
    Feature("window_minutes", "min per share", 600.0),  # fairness window, against the mean
    Feature("minutes_driven", "min", 240.0),
    Feature("east", "km", 10.0),  # of the anchor, from the mean of all anchors
    Feature("north", "km", 10.0),
    Feature("wanted", "bookings", 4.0),  # bookings whose cheapest driver this is
    *_flags("regular", "wheelchair_access", "running"),
)
BOOKING = (
    Feature("due_in", "min", 60.0),
    Feature("decide_in", "min", 60.0),  # CLIP without a feasible driver
    Feature("known_for", "min", 240.0),  # CLIP when unknown
    Feature("loaded", "min", 30.0),  # free-flow
    Feature("tolerance", "min", 15.0),
    Feature("passengers", "persons", 4.0),
    Feature("feasible_drivers", "drivers", 6.0),
    Feature("on_time_drivers", "drivers", 6.0),
    Feature("best_cost", "min", 30.0),
    Feature("regret", "min", 30.0),  # second cheapest driver against the cheapest; CLIP with one driver
    Feature("pickup_east", "km", 10.0),
    Feature("pickup_north", "km", 10.0),
    Feature("dropoff_east", "km", 10.0),
    Feature("dropoff_north", "km", 10.0),
    *_flags(
        "outbound",
        "urgent",
        "wheelchair",
        "planned",
        "pinned",
        "promised",
        "other_leg_open",
        "other_leg_driven",
        "must",
    ),
)
PAIR = (
    Feature("deadhead", "min", 30.0),  # added
    Feature("lateness", "min", 15.0),  # of the booking
    Feature("lateness_cost", "min", 30.0),
    Feature("downstream", "min", 30.0),
    Feature("emergency", "min", 30.0),
    Feature("driver_change", "min", 30.0),
    Feature("spread", "min", 30.0),
    Feature("cost", "min", 30.0),  # sum of the cost terms
    Feature("pickup_in", "min", 60.0),
    Feature("departure_in", "min", 60.0),
    Feature("expires_in", "min", 60.0),
    Feature("idle_before", "min", 60.0),  # from free to departure
    Feature("slack", "min", 60.0),
    Feature("position", "trips", 4.0),
    Feature("regret_driver", "min", 30.0),  # this cost against the best other driver of the booking
    Feature("regret_booking", "min", 30.0),  # this cost against the best other booking of the driver
    Feature("load", "trips per share", 4.0),  # the driver's x - mean
    Feature("window_load", "trips per share", 20.0),
    Feature("shift_left_after", "min", 240.0),
    Feature("rank", "drivers", 6.0),
    *_flags("on_time", "appended", "wheelchair_wasted", "is_planned", "same_as_other_leg", "other_than_other_leg"),
)
CONTEXT = (
    Feature("drivers", "log(1 + drivers)", 4.0),
    Feature("open", "bookings per driver"),
    Feature("urgent_open", "bookings per driver"),
    Feature("not_ready", "bookings per driver"),  # forecast demand
    Feature("must", "bookings per driver"),
    Feature("hopeless", "bookings per driver"),  # open, nobody can
    Feature("pairs", "pairs per driver", 6.0),
    Feature("committed", "trips per driver", 4.0),
    Feature("done", "trips per driver", 8.0),
    Feature("running", "drivers per driver"),
    Feature("reserve", "EMERGENCY per driver"),
    Feature("wheelchair_access", "drivers per driver"),
    Feature("spread", "S per driver", 4.0),
    Feature("free_in", "min, mean", 60.0),
    Feature("shift_left", "min, mean", 240.0),
    Feature("time_of_day", "min from noon", 240.0),
    Feature("next_event_in", "min", 60.0),  # when a decision left now is looked at again; CLIP when never
)
N_DRIVER, N_BOOKING, N_PAIR, N_CONTEXT = len(DRIVER), len(BOOKING), len(PAIR), len(CONTEXT)


def fingerprint() -> str:
    """SHA-256 (hex) over ordered feature names, units, scales, action meaning, rules, weights and travel model."""
    what = {
        "revision": ENCODER_REVISION,
        "clip": CLIP,
        "features": {
            group: [asdict(f) for f in features]
            for group, features in (("driver", DRIVER), ("booking", BOOKING), ("pair", PAIR), ("context", CONTEXT))
        },
        "action": ACTION_CODEC,
        "candidates": [CANDIDATES, PRUNE_ABOVE, NEAREST],
        "rules": asdict(RULES),
        "weights": asdict(WEIGHTS),
        "travel": [DETOUR_FACTOR, FREE_FLOW_KM_PER_MIN, SPEED_FACTORS],
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
