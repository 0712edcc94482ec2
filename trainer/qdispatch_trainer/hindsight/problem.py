"""A generated day as a routing problem with full knowledge, and who competes with whom in it."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.day import F64, I64, Day
from qdispatch_trainer.hindsight.routes import (
    BOOKING_COLUMNS,
    DRIVER_COLUMNS,
    DROPOFF_SERVICE,
    LATE_RATE,
    LATEST,
    LOAD_STEP,
    LOADED,
    PICKUP_SERVICE,
    PLAN,
    REAL,
    SCHEDULED,
    SHIFT_END,
    START,
    TOLERANCE,
    TRIP_COST,
    UNSERVED,
    Problem,
)
from qdispatch_trainer.simulator.live_fleet import live_fleet
from qdispatch_trainer.simulator.truth import Truth, stack

RELATED = 16  # bookings taken out together are among so many of the most related ones
SAME_PLACE_MIN = 2.0  # minutes of time difference that weigh as much as one minute of driving, when relating bookings


def truth_of(day: Day) -> Truth:
    """The day alone, as arrays."""
    return stack([day])


def problem_of(truth: Truth, *, known: bool = True) -> Problem:
    """The only day of `truth`: all bookings open from the start, vehicle rules, shifts, breaks and costs as they are.

    `known`: drivers and rules go by the day's own travel and service times, else by the predicted ones (`routes.py`).
    The EMERGENCY rule is relaxed: everybody may call the reserve, at its price.
    """
    fleet = live_fleet(truth)
    drivers, bookings = int(truth.driver_real[0].sum()), int(truth.booking_real[0].sum())
    m, d = slice(0, bookings), slice(0, drivers)
    pickup, dropoff = truth.pickup[0, m], truth.dropoff[0, m]
    origins = np.concatenate([dropoff, truth.start_place[0, d]])
    approach = truth.travel.free_flow(origins[:, None, :], pickup[None, :, :])
    home = np.where(
        truth.has_home[0, d][None, :],
        truth.travel.free_flow(dropoff[:, None, :], truth.home[0, d][None, :, :]),
        0.0,
    )
    clocks = [
        (
            approach,
            truth.loaded[0, m],
            fleet.pickup_service[0, m],
            fleet.dropoff_service[0, m],
            home,
        ),
        (
            approach * truth.deadhead_factor[0, m][None, :],
            truth.loaded[0, m] * truth.loaded_factor[0, m],
            truth.pickup_service[0, m],
            truth.dropoff_service[0, m],
            home * truth.homeward_factor[0, d][None, :],
        ),
    ]
    if known:
        clocks[PLAN] = clocks[REAL]
    booking = np.zeros((bookings, BOOKING_COLUMNS))
    booking[:, SCHEDULED], booking[:, TOLERANCE] = truth.scheduled[0, m], truth.tolerance[0, m]
    booking[:, LATE_RATE] = np.where(
        truth.is_return[0, m], WEIGHTS.return_lateness_per_min, WEIGHTS.outbound_lateness_per_min
    )
    booking[:, LATEST] = truth.expires[0, m]
    booking[:, UNSERVED] = np.where(truth.urgent[0, m], WEIGHTS.unserved_urgent, WEIGHTS.unserved)
    for clock, (_, loaded, pickup_service, dropoff_service, _) in enumerate(clocks):
        booking[:, LOADED + clock] = loaded
        booking[:, PICKUP_SERVICE + clock], booking[:, DROPOFF_SERVICE + clock] = pickup_service, dropoff_service
    regular = truth.regular[0, d]
    driver = np.zeros((drivers, DRIVER_COLUMNS))
    driver[:, START] = np.maximum(fleet.shift_start[0, d], truth.start[0])
    driver[:, SHIFT_END] = fleet.shift_end[0, d]
    driver[:, TRIP_COST] = np.where(regular, 0.0, WEIGHTS.emergency_trip)
    driver[:, LOAD_STEP] = np.where(regular, 1.0 / fleet.contract_share[0, d], 0.0)
    permitted = fleet.wheelchair_access[0, d][None, :] | ~truth.wheelchair[0, m][:, None]
    permitted &= truth.passengers[0, m][:, None] <= fleet.seats[0, d][None, :]
    return Problem(
        booking=booking,
        driver=driver,
        breaks=np.stack([fleet.break_start[0, d], fleet.break_end[0, d]]),
        permitted=permitted,
        approach=np.stack([clock[0] for clock in clocks]),
        home=np.stack([clock[-1] for clock in clocks]),
        spread=WEIGHTS.spread,
        load_size=float(regular.sum()),
        deadhead=WEIGHTS.deadhead_per_min,
        known=known,
        constant_speed=False,
    )


def related(p: Problem, most: int = RELATED) -> I64:
    """The bookings that compete most with each one, closest first, [M, min(most, M - 1)].

    Two bookings are close when one could take the other's place: near in time, pickups reached from alike.
    """
    scheduled = p.booking[:, SCHEDULED]
    bookings = len(scheduled)
    drive: F64 = p.approach[PLAN, :bookings]
    apart = np.abs(scheduled[:, None] - scheduled[None, :]) / SAME_PLACE_MIN + 0.5 * (drive + drive.T)
    np.fill_diagonal(apart, np.inf)
    nearest: I64 = np.argsort(apart, axis=1, kind="stable")[:, : min(most, bookings - 1)]
    return nearest
