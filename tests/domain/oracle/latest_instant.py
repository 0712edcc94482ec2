"""`expiry` and `decide_by` by bisection over the instant at which the driver leaves: slow, plainly the definition."""

from __future__ import annotations

from qdispatch_domain.snapshot import Booking
from qdispatch_domain.validator.brute_force import Insertion, feasible_insertions, insert, permitted_drivers
from qdispatch_domain.validator.situation import Situation

HALVINGS = 60


def expiry(situation: Situation, booking: Booking, found: Insertion) -> float:
    """Last instant at which this feasible insertion is still on time (still feasible, if it is late already)."""
    driver, position = found.driver, found.position
    now = situation.snapshot.now

    def goes(instant: float) -> bool:
        held = insert(situation, booking, driver, position, hold=instant)
        return held.feasible and (held.on_time or not found.on_time)

    legs = situation.timeline(driver).legs
    horizon = max(now, legs[position].departed) if position < len(legs) else now + 3000.0
    if goes(horizon):
        return horizon
    early, late = now, horizon
    if not goes(early):  # on time now to the rounding of the last digit only
        return now
    for _ in range(HALVINGS):
        middle = 0.5 * (early + late)
        early, late = (middle, late) if goes(middle) else (early, middle)
    return early


def decide_by(situation: Situation, booking: Booking) -> float | None:
    """The greatest expiry of a permitted on-time insertion, else of a permitted late one; None: nobody can."""
    found = [
        insertion
        for driver in permitted_drivers(situation, booking)
        for insertion in feasible_insertions(situation, booking, driver)
    ]
    punctual = [insertion for insertion in found if insertion.on_time]
    return max((expiry(situation, booking, insertion) for insertion in punctual or found), default=None)
