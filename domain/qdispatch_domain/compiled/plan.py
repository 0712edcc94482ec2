"""Plans of N days: every day's arrays become a problem, `search` solves it, and the plan is told per booking."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.compiled.day_problem import Days, day_problem, named_rows, rows_of, soonest
from qdispatch_domain.compiled.jit import kernel
from qdispatch_domain.compiled.local_search import Search, search
from qdispatch_domain.compiled.planned_routes import DEPART
from qdispatch_domain.compiled.runs import run_end
from qdispatch_domain.fleet import NEVER


@kernel
def plan_days(
    f: Days,
    pair_day: np.ndarray,
    pair_driver: np.ndarray,
    pair_booking: np.ndarray,
    pair_price: np.ndarray,
    how: Search,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Plan every day that has pairs; pairs [P] are ordered by (day, booking) and say which drivers are permitted.

    `pair_price` [P], minutes-equivalent, is added to the cost of using a pair: what a policy knows beyond the plan.

    Returns per booking the planned driver (-1: none, or beyond the horizon), the planned departure and the day's
    objective: [N, B], [N, B], [N].
    """
    days, bookings = f.scheduled.shape
    planned = np.full((days, bookings), -1)
    depart = np.full((days, bookings), NEVER)
    objective = np.zeros(days)
    first = 0
    while first < pair_day.shape[0]:
        n = pair_day[first]
        last = run_end(pair_day, first)
        objective[n] = _plan_day(
            f,
            n,
            pair_driver[first:last],
            pair_booking[first:last],
            pair_price[first:last],
            how,
            planned[n],
            depart[n],
        )
        first = last
    return planned, depart, objective


@kernel
def _plan_day(
    f: Days,
    n: int,
    pair_driver: np.ndarray,
    pair_booking: np.ndarray,
    pair_price: np.ndarray,
    how: Search,
    planned: np.ndarray,
    depart: np.ndarray,
) -> float:
    """Plan day n from the plan `f.first_driver`; pairs [P'] are those of the day, those of a booking side by side.

    Writes driver and departure into `planned` [B] and `depart` [B] where a booking has a place; returns the objective.
    """
    row_driver, rows = rows_of(f, n)
    chosen, start = soonest(f, n, f.scheduled[n], pair_booking, row_driver.shape[0], how)
    p, r, options = day_problem(
        f, n, f.scheduled[n], row_driver, rows, chosen, start, pair_driver, pair_booking, pair_price, how
    )
    order = np.arange(options.first, p.task.shape[0])
    objective = search(p, r, options, order, named_rows(rows, f.first_driver[n], chosen), how)
    for row in range(row_driver.shape[0]):
        for i in range(r.length[row]):
            k = r.task[row, i]
            if k >= options.first:
                planned[chosen[k - options.first]] = row_driver[row]
                depart[chosen[k - options.first]] = r.at[row, i, DEPART]
    return objective
