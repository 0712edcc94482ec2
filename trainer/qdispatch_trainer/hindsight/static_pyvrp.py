"""A known day as a vehicle routing problem of PyVRP (Wouda, Lan, Kool 2024). Needs the extra [pyvrp].

It takes a problem of `shared_objective`, whose docstring says what is approximated, and expresses all of it:

* A vehicle type per driver: shift as time window, start place, end at the driver's home or, without one, nowhere.
* A client per booking, optional, whose prize is the cost of leaving it out. Its service is loading, driving with the
  patient and unloading, its window goes from the scheduled time to the latest pickup.
* The edge i -> j is the drive from the dropoff of i to the pickup of j; its distance is its cost. Into a booking that
  the driver may not have it costs `FORBIDDEN`, and what a trip costs beyond driving is added. Drivers with the same
  permissions and prices share a routing profile.

All numbers are hundredths of a minute. Durations are rounded up and windows inwards: no rule breaks by rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pyvrp import (
    Client,
    Depot,
    IteratedLocalSearchParams,
    Location,
    ProblemData,
    SolveParams,
    VehicleType,
    solve,
)
from pyvrp.stop import MaxIterations

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

SCALE = 100  # units per minute
FORBIDDEN = 10_000.0  # minutes-equivalent; above every prize
HISTORY = 50  # of late acceptance; PyVRP's own 300 is made for runs of many thousand iterations


def pyvrp_routes(p: Problem, iterations: int, seed: int) -> list[list[int]]:
    """The bookings of every driver in driving order, as PyVRP plans them.

    Where PyVRP ends without a plan that keeps every rule, it is whatever it ended with; the caller prices it anyway.
    """
    routes: list[list[int]] = [[] for _ in range(p.permitted.shape[1])]
    found = solve(
        static_problem(p),
        MaxIterations(iterations),
        seed=seed,
        collect_stats=False,
        display=False,
        params=SolveParams(ils=IteratedLocalSearchParams(history_length=HISTORY)),
    )
    for route in found.best.routes():
        routes[route.vehicle_type()] = [stop.idx for stop in route.schedule() if stop.is_client()]
    return routes


def static_problem(p: Problem) -> ProblemData:
    """Client k is booking k, vehicle type d is driver d; places: D starts, D ends, then M bookings."""
    if not p.constant_speed or p.breaks.size or p.spread:
        raise ValueError("Expected a problem of shared_objective: PyVRP knows no hours, breaks or spread.")
    bookings, drivers = p.permitted.shape
    ends, clients = slice(drivers, 2 * drivers), slice(2 * drivers, None)
    drive = np.zeros((2 * drivers + bookings,) * 2)
    drive[:drivers, clients], drive[clients, clients] = p.approach[REAL, bookings:], p.approach[REAL, :bookings]
    drive[clients, ends] = p.home[REAL]
    duration = np.ceil(drive * SCALE).astype(np.int64)
    np.fill_diagonal(duration, 0)
    kinds, profile = np.unique(np.column_stack([~p.permitted.T, p.driver[:, TRIP_COST]]), axis=0, return_inverse=True)
    distances: list[Any] = []  # PyVRP's type of a matrix is not numpy's
    durations: list[Any] = []
    for kind in kinds:
        cost = p.deadhead * drive
        cost[:, clients] += FORBIDDEN * kind[:-1] + kind[-1]
        np.fill_diagonal(cost, 0.0)
        distances.append(np.rint(cost * SCALE).astype(np.int64))
        durations.append(duration)
    service = p.booking[:, [PICKUP_SERVICE + REAL, LOADED + REAL, DROPOFF_SERVICE + REAL]].sum(axis=1)
    nowhere = Location(0.0, 0.0)  # places stand in the matrices
    return ProblemData(
        [nowhere] * len(drive),
        [
            Client(
                location=2 * drivers + k,
                service_duration=int(np.ceil(service[k] * SCALE)),
                tw_early=int(np.ceil(p.booking[k, SCHEDULED] * SCALE)),
                tw_late=int(np.floor(p.booking[k, LATEST] * SCALE)),
                prize=round(float(p.booking[k, UNSERVED]) * SCALE),
                required=False,
            )
            for k in range(bookings)
        ],
        [Depot(location=place) for place in range(2 * drivers)],
        [
            VehicleType(
                start_depot=d,
                end_depot=drivers + d,
                tw_early=int(np.ceil(p.driver[d, START] * SCALE)),
                tw_late=int(np.floor(p.driver[d, SHIFT_END] * SCALE)),
                profile=int(profile[d]),
            )
            for d in range(drivers)
        ],
        distances,
        durations,
    )
