"""What the validator reports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """The kinds of broken rules; the numbers refer to the hard rules of `docs/dispatch-rules.md`."""

    UNKNOWN_INDEX = "UNKNOWN_INDEX"  # a row or position that does not exist
    DUPLICATE = "DUPLICATE"  # one booking picked, listed or driven twice
    MISSING = "MISSING"  # a booking or a row without its answer
    GAP_WRONG = "GAP_WRONG"  # a booking's or a driver's gap is not the one its data has
    GAP_PICKED = "GAP_PICKED"  # a booking that is not open was picked
    UNAVAILABLE = "UNAVAILABLE"  # rule 1
    NO_SHIFT = "NO_SHIFT"  # rule 1
    POSITION_UNKNOWN = "POSITION_UNKNOWN"  # rule 1
    PINNED = "PINNED"  # rule 1
    WHEELCHAIR = "WHEELCHAIR"  # rule 1
    SEATS = "SEATS"  # rule 1
    TOO_LATE = "TOO_LATE"  # rule 2
    PROMISE_BROKEN = "PROMISE_BROKEN"  # rule 3
    SHIFT = "SHIFT"  # rule 4
    BREAK = "BREAK"  # rule 5
    OVERLAP = "OVERLAP"  # rule 5
    EMERGENCY_NOT_NEEDED = "EMERGENCY_NOT_NEEDED"  # rule 6
    TOO_EARLY = "TOO_EARLY"  # a pickup before its scheduled time
    PREDICTION_WRONG = "PREDICTION_WRONG"  # a predicted time, lateness or driving differs from the rules' timing
    PROMISE_WRONG = "PROMISE_WRONG"  # the promise is not the one of the promise rule, or it changed later
    COST_WRONG = "COST_WRONG"  # a cost term differs from the rules' cost
    POSITION_NOT_BEST = "POSITION_NOT_BEST"  # a cheaper feasible position exists in the same schedule
    CANDIDATE_INFEASIBLE = "CANDIDATE_INFEASIBLE"  # listed as a candidate, but no hard rule lets the driver take it
    REFUSAL_WRONG = "REFUSAL_WRONG"  # "nobody can" is false, or its counts are
    RECOMMENDATION_WRONG = "RECOMMENDATION_WRONG"  # `recommended` and `assign_now` disagree with the picks
    DECIDE_BY_WRONG = "DECIDE_BY_WRONG"  # not the last instant, or waited although it has come
    ORDER_WRONG = "ORDER_WRONG"  # candidates not listed best first
    REEVALUATE_WRONG = "REEVALUATE_WRONG"  # an event that the snapshot knows comes before `reevaluate_at`
    TELEPORT = "TELEPORT"  # a drive does not start where the driver was
    TRAVEL_TIME = "TRAVEL_TIME"  # a realised drive is faster or slower than distance and noise allow
    SERVICE_TIME = "SERVICE_TIME"  # a realised service time is outside its noise
    NOT_YET_KNOWN = "NOT_YET_KNOWN"  # seen, picked or driven before it was known, called or decided
    UNSERVED_WRONG = "UNSERVED_WRONG"  # given up without the stated cause
    NOT_DECIDED = "NOT_DECIDED"  # driven by a driver whom no decision gave it to
    SNAPSHOT_WRONG = "SNAPSHOT_WRONG"  # a logged snapshot contradicts the day


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: the kind, the row (a path such as `picks[2]` or a trip's booking id), and the figures."""

    fault: Fault
    where: str
    detail: str

    def __str__(self) -> str:
        return f"{self.fault} at {self.where}: {self.detail}"
