"""The rows of an answer: the figures of candidate pairs, column by column, and one `Candidate` for each pair."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt

from qdispatch_domain.acceleration import kernels
from qdispatch_domain.candidates import CandidateTable
from qdispatch_domain.decision import Candidate, CostDelta
from qdispatch_domain.fleet import Fleet
from qdispatch_domain.insertion import Insertions
from qdispatch_domain.picking import PassPicks
from qdispatch_domain.situation import days_of
from qdispatch_domain.weights import WEIGHTS

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
Row = TypeVar("Row", bound=NamedTuple)


def in_rows(kind: type[Row], columns: Iterable[Sequence[object]]) -> list[Row]:
    """`kind(*row)` of every row of `columns`; thousands of calls of its own constructor would cost a millisecond."""
    make = cast("Any", partial(tuple.__new__, kind))
    return list(map(make, zip(*columns, strict=True)))


def candidate_rows(done: PassPicks, which: I64, recommended: Bool, calibrated: bool) -> list[Candidate]:
    """The pairs `which` [M] of a pass's table (one day) as rows; `recommended` [B, D]: the joint choice."""
    fleet, table = done.situation.fleet, done.situation.table
    pairs = table.insertion.take(which)
    score = done.scores.q_pair[which]
    empty = pairs.deadhead.tolist()
    costs = (
        (WEIGHTS.deadhead_per_min * pairs.deadhead).tolist(),
        pairs.lateness.tolist(),
        pairs.downstream.tolist(),
        table.emergency[which].tolist(),
        table.driver_change[which].tolist(),
        table.spread[which].tolist(),
    )
    trips = (fleet.trips_done + fleet.locked + fleet.n_trips)[0].astype(np.int64) + 1
    km = added_kilometers(fleet, table, pairs)
    absent = [None] * len(which)
    shown = score.tolist()
    columns: tuple[Sequence[object], ...] = (
        pairs.driver.tolist(),
        pairs.position.tolist(),
        pairs.pickup.tolist(),
        np.maximum(pairs.pickup - fleet.scheduled[0, pairs.booking], 0.0).tolist(),
        empty,
        absent if km is None else km.tolist(),
        pairs.slack.tolist(),
        in_rows(CostDelta, costs),
        trips[pairs.driver].tolist(),
        _resulting_gaps(fleet, table)[pairs.driver].tolist(),
        pairs.on_time.tolist(),
        shown,
        shown if calibrated else absent,
        (score - days_of(done.scores, 1)[0]).tolist() if calibrated else absent,
        recommended[pairs.booking, pairs.driver].tolist(),
    )
    return in_rows(Candidate, columns)


def added_kilometers(fleet: Fleet, table: CandidateTable, pairs: Insertions) -> F64 | None:
    """Kilometres without a patient added by each insertion, [M]; None when the caller's matrix has no meters."""
    compiled = kernels()
    if compiled is None or fleet.travel.matrix is not None:
        return added_kilometers_numpy(fleet, table, pairs)
    s = table.schedules
    km: F64 = compiled.added_kilometers(
        compiled.arrays_of(fleet),
        s.free_place,
        s.count,
        pairs.row,
        pairs.day,
        pairs.driver,
        pairs.booking,
        pairs.position,
    )
    return km


def added_kilometers_numpy(fleet: Fleet, table: CandidateTable, pairs: Insertions) -> F64 | None:
    """`added_kilometers` without numba."""
    s = table.schedules
    before = s.free_place[pairs.row, pairs.position]
    pickup, dropoff = fleet.pickup[pairs.day, pairs.booking], fleet.dropoff[pairs.day, pairs.booking]
    to_pickup = fleet.travel.kilometers(before, pickup)
    if to_pickup is None:
        return None
    last = pairs.position == s.count[pairs.row]
    slot = np.minimum(pairs.position, fleet.trip_pickup.shape[2] - 1)
    goes_on = ~last | fleet.has_home[pairs.day, pairs.driver]
    after = np.where(
        last[:, None], fleet.home[pairs.day, pairs.driver], fleet.trip_pickup[pairs.day, pairs.driver, slot]
    )
    away, direct = np.zeros(len(last)), np.zeros(len(last))
    onward, straight = (
        fleet.travel.kilometers(dropoff[goes_on], after[goes_on]),
        fleet.travel.kilometers(before[goes_on], after[goes_on]),
    )
    if onward is not None and straight is not None:
        away[goes_on], direct[goes_on] = onward, straight
    return to_pickup + away - direct


def _resulting_gaps(fleet: Fleet, table: CandidateTable) -> F64:
    """Max - min of trips per contract share over the drivers who count, after one more trip for each driver, [D]."""
    counts, load = table.loads.counts[0], table.loads.x[0]
    ordered = np.sort(load[counts])
    if not len(ordered):
        return np.zeros(len(counts))
    gaps = np.full(len(counts), ordered[-1] - ordered[0])
    if len(ordered) == 1:
        return np.where(counts, 0.0, gaps)
    now = load[counts]
    then = now + 1.0 / fleet.contract_share[0, counts]
    least = np.where(now == ordered[0], ordered[1], ordered[0])  # of the others
    gaps[counts] = np.maximum(ordered[-1], then) - np.minimum(least, then)
    return gaps
