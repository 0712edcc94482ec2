"""From scores to conflict-free insertions, for simulator, export and server (`decoder.decide` puts them into rows).

One pass over all pairs: those above Q(wait), best first, at most one per driver. Within a pass a pick changes neither
another driver's schedule nor, since REGULAR drivers only become scarcer, the permission of an EMERGENCY driver, so the
picks stay legal by construction; `commit` checks them again. While bookings past their `decide_by` remain
and somebody can take them, the schedules as changed are timed and scored anew and the best pair of such a booking is
taken, whatever Q(wait) says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qdispatch_domain.acceleration import kernels
from qdispatch_domain.fleet import EPS, Fleet, commit
from qdispatch_domain.insertion import Insertions
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Scorer, Situation, days_of

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PassPicks:
    """The picks of one pass: indices of pairs [M] of that pass's candidate table, and its scores."""

    situation: Situation
    scores: Scores
    pairs: I64
    promised: F64  # [M] what the patient is told, service-day minutes


def decide_fleet(situation: Situation, scorer: Scorer) -> list[PassPicks]:
    """Decide all N days at once. The fleet given is left as it is; the picks of a pass refer to the state before it."""
    fleet = situation.fleet
    scores = scorer.score(situation)
    allowed = scores.commit
    if allowed is None:
        allowed = scores.q_pair > days_of(scores, fleet.days)[situation.table.insertion.day]
    passes = [_picked(situation, scores, _greedy(situation, scores.q_pair, allowed))]
    while True:
        last = passes[-1]
        day, booking = last.situation.table.insertion.day, last.situation.table.insertion.booking
        left = last.situation.table.must
        left[day[last.pairs], booking[last.pairs]] = False
        days = np.flatnonzero(left.any(axis=1))
        if not len(days):
            return passes
        mine = np.isin(day[last.pairs], days)
        changed = last.situation.fleet.only(days)  # the other days are decided
        apply(changed, PassPicks(last.situation, last.scores, last.pairs[mine], last.promised[mine]))
        again = Situation(changed)
        pairs = again.table.insertion
        urgent = again.table.must[pairs.day, pairs.booking]
        if not urgent.any():
            return passes
        rescored = scorer.score(again)
        passes.append(_picked(again, rescored, _greedy(again, rescored.q_pair, urgent)))


def apply(fleet: Fleet, picks: PassPicks) -> None:
    """Commit the picks of one pass to a fleet in the state they were made for."""
    chosen = picks.situation.table.insertion.take(picks.pairs)
    commit(fleet, chosen.day, chosen.driver, chosen.booking, chosen.position, picks.promised)


def promised_time(fleet: Fleet, day: I64, booking: I64, pickup: F64) -> F64:
    """What the patient is told when (day, booking) is inserted with the predicted `pickup`, all [M]."""
    scheduled, earlier = fleet.scheduled[day, booking], fleet.promised[day, booking]
    on_time = pickup <= scheduled + fleet.tolerance[day, booking] + EPS
    told = np.where(np.isnan(earlier), scheduled, earlier)
    return np.where(on_time, told, np.fmax(pickup, earlier))


def _picked(situation: Situation, scores: Scores, pairs: I64) -> PassPicks:
    chosen = situation.table.insertion.take(pairs)
    promised = promised_time(situation.fleet, chosen.day, chosen.booking, chosen.pickup)
    return PassPicks(situation, scores, pairs, promised)


def _greedy(situation: Situation, score: F64, allowed: Bool) -> I64:
    """Best first, at most one pick per driver and per booking of a day; ties go to the first pair."""
    pairs = situation.table.insertion
    index = np.flatnonzero(allowed)
    order = index[np.lexsort((index, -score[index], pairs.day[index]))]
    if not len(order):
        return order
    compiled = kernels()
    if compiled is None:
        picks = _first_come(pairs, order)
    else:
        shape = (*situation.fleet.driver_real.shape, situation.fleet.open.shape[1])
        picks = compiled.first_come(order, pairs.day, pairs.driver, pairs.booking, shape)
    return _reserve_last(situation, picks)


def _first_come(pairs: Insertions, order: I64) -> I64:
    """Of the pairs `order`, best first, those whose driver and booking are still free."""
    taken: set[tuple[int, int, str]] = set()
    picks: list[int] = []
    days, drivers, bookings = (a[order].tolist() for a in (pairs.day, pairs.driver, pairs.booking))
    for pair, n, d, b in zip(order.tolist(), days, drivers, bookings, strict=True):
        driver, booking = (n, d, "driver"), (n, b, "booking")
        if driver not in taken and booking not in taken:
            taken |= {driver, booking}
            picks.append(pair)
    return np.array(picks, dtype=np.int64)


def _reserve_last(situation: Situation, picks: I64) -> I64:
    """The picks without EMERGENCY drivers on days where a REGULAR driver was picked too, if travel is a matrix.

    A matrix need not obey the triangle inequality: a trip may then make another pickup reachable on time, so the
    reserve is looked at again once the trip is committed.
    """
    if situation.fleet.travel.matrix is None:
        return picks
    day = situation.table.insertion.day[picks]
    regular = situation.fleet.regular[day, situation.table.insertion.driver[picks]]
    kept: I64 = picks[regular | ~np.isin(day, day[regular])]
    return kept


def waiting_masked(situation: Situation) -> Bool:
    """Whether waiting is forbidden, [N]."""
    return np.asarray(situation.table.must.any(axis=1))
