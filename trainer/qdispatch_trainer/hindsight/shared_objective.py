"""The part of a day's problem that a general routing solver can express as well: what both are compared on.

Kept: who may drive what, shifts, start and end locations, realised service and driving, deadhead, EMERGENCY trips and
what is left out, at their own prices. Changed, because PyVRP knows no such thing:

* speed: every drive takes the minutes of one hour, that of the booking it leads to (a drive home: of the booking it
  comes from), as if that booking were on time;
* lateness: it costs nothing, but a pickup is refused when it is more than `late_room_min` beyond the tolerance;
* breaks: a driver may not have a booking whose ride, on time, would lie across a break; beyond `OWN_BREAKS` drivers
  breaks are ignored, since every driver would need a matrix of their own;
* the spread of the trips costs nothing.
"""

from __future__ import annotations

import numpy as np

from qdispatch_domain.fleet import EPS
from qdispatch_domain.travel import Travel
from qdispatch_trainer.hindsight.routes import (
    DROPOFF_SERVICE,
    LATE_RATE,
    LATEST,
    LOADED,
    PICKUP_SERVICE,
    REAL,
    SCHEDULED,
    TOLERANCE,
    Problem,
)

OWN_BREAKS = 40  # drivers
LEAST_ROOM_MIN = 0.1  # a window has to survive being rounded to hundredths


def shared_objective(p: Problem, late_room_min: float) -> Problem:
    """The same day under the objective above. The drivers of `p` must know the day's own times (`known`)."""
    if not p.known:
        raise ValueError("Expected a problem with full knowledge.")
    if late_room_min < LEAST_ROOM_MIN:
        raise ValueError(f"Expected late_room_min >= {LEAST_ROOM_MIN}, got {late_room_min}.")
    travel = Travel()
    drivers = len(p.driver)
    booking, scheduled = p.booking.copy(), p.booking[:, SCHEDULED]
    booking[:, LATE_RATE] = 0.0
    booking[:, LATEST] = np.minimum(p.booking[:, LATEST], scheduled + p.booking[:, TOLERANCE] + late_room_min)
    leave = scheduled + p.booking[:, PICKUP_SERVICE + REAL]
    loaded = travel.arrive(leave, p.booking[:, LOADED + REAL]) - leave
    booking[:, LOADED] = booking[:, LOADED + REAL] = loaded
    done = leave + loaded + p.booking[:, DROPOFF_SERVICE + REAL]
    approach = scheduled[None, :] - travel.depart(np.broadcast_to(scheduled, p.approach[REAL].shape), p.approach[REAL])
    home = travel.arrive(np.broadcast_to(done[:, None], p.home[REAL].shape), p.home[REAL]) - done[:, None]
    permitted = p.permitted.copy()
    if drivers <= OWN_BREAKS:
        for begins, ends in zip(p.breaks[0].T, p.breaks[1].T, strict=True):
            permitted &= ~((scheduled[:, None] < ends - EPS) & (done[:, None] > begins + EPS))
    return p._replace(
        booking=booking,
        breaks=np.zeros((2, drivers, 0)),
        permitted=permitted,
        approach=np.stack([approach, approach]),
        home=np.stack([home, home]),
        spread=0.0,
        constant_speed=True,
    )
