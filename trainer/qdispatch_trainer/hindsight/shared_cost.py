"""What routes cost under the shared objective, minute by minute: the judge of both solvers, who share none of this."""

from __future__ import annotations

from collections.abc import Sequence

from qdispatch_domain.fleet import EPS
from qdispatch_trainer.hindsight.routes import (
    DROPOFF_SERVICE,
    LATEST,
    LOADED,
    PICKUP_SERVICE,
    REAL,
    SCHEDULED,
    SHIFT_END,
    START,
    TRIP_COST,
    UNSERVED,
    Problem,
)


def shared_cost(p: Problem, routes: Sequence[Sequence[int]]) -> float:
    """Deadhead, EMERGENCY trips and what is left out, minutes-equivalent; `routes`: bookings in order per driver.

    `p` comes from `shared_objective`. Raises ValueError when a hard rule is broken.
    """
    bookings, drivers = p.permitted.shape
    if len(routes) != drivers:
        raise ValueError(f"Expected {drivers} routes, got {len(routes)}.")
    cost = 0.0
    waiting = set(range(bookings))
    for d, route in enumerate(routes):
        clock, row = float(p.driver[d, START]), bookings + d
        for k in route:
            if k not in waiting:
                raise ValueError(f"booking {k} is driven twice")
            if not p.permitted[k, d]:
                raise ValueError(f"driver {d} may not have booking {k}")
            waiting.remove(k)
            deadhead = float(p.approach[REAL, row, k])
            pickup = max(clock + deadhead, float(p.booking[k, SCHEDULED]))
            if pickup > p.booking[k, LATEST] + EPS:
                raise ValueError(f"booking {k} is picked up at {pickup:.2f}, too late")
            ride = p.booking[k, [PICKUP_SERVICE + REAL, LOADED + REAL, DROPOFF_SERVICE + REAL]]
            clock, row = pickup + float(ride.sum()), k
            cost += p.deadhead * deadhead + float(p.driver[d, TRIP_COST])
        if route:
            homeward = float(p.home[REAL, row, d])
            if clock + homeward > p.driver[d, SHIFT_END] + EPS:
                raise ValueError(f"driver {d} ends at {clock + homeward:.2f}, after the shift")
            cost += p.deadhead * homeward
    return cost + sum(float(p.booking[k, UNSERVED]) for k in waiting)
