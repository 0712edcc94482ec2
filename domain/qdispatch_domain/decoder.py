"""`decide(snapshot, scorer) -> Decision`: the whole way from a snapshot to an answer in rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qdispatch_domain.candidates import CandidateTable
from qdispatch_domain.decision import BookingAdvice, Candidate, CostDelta, Decision, Pick
from qdispatch_domain.events import next_event
from qdispatch_domain.fleet import NEVER, Fleet
from qdispatch_domain.packing import pack
from qdispatch_domain.picking import PassPicks, decide_fleet
from qdispatch_domain.reasons import BookingGap, DriverGap
from qdispatch_domain.refusals import refusals
from qdispatch_domain.situation import Scorer, Situation, days_of
from qdispatch_domain.snapshot import Snapshot
from qdispatch_domain.weights import WEIGHTS

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


def decide(snapshot: Snapshot, scorer: Scorer, *, calibrated: bool = False) -> Decision:
    """The best drivers of every open booking, one conflict-free joint choice, and the reasons where nobody can.

    `calibrated`: the scorer's values are minutes (q_value and advantage_min are reported only then).
    Raises ValueError for a snapshot that contradicts itself (unknown references, a running trip without its times).
    """
    return decision_of(snapshot, Situation(pack([snapshot])), scorer, calibrated=calibrated)


def decision_of(snapshot: Snapshot, situation: Situation, scorer: Scorer, *, calibrated: bool = False) -> Decision:
    """The same for a situation that has been packed already."""
    passes = decide_fleet(situation, scorer)
    first = passes[0]
    picks = [pick for p in passes for pick in _picks(p)]
    chosen = {(pick.booking, pick.driver) for pick in picks}
    rows: list[list[Candidate]] = [[] for _ in snapshot.bookings]
    for booking, candidate in _candidates(first, np.arange(len(first.scores.q_pair)), chosen, calibrated):
        rows[booking].append(candidate)
    for later in passes[1:]:
        for booking, candidate in _candidates(later, later.pairs, chosen, calibrated):
            rows[booking] = [c for c in rows[booking] if c.driver != candidate.driver] + [candidate]
    picked = {pick.booking for pick in picks}
    fleet, table = situation.fleet, situation.table
    hopeless = np.flatnonzero(fleet.open[0] & ~table.has_pair[0])
    reasons = dict(zip(hopeless.tolist(), refusals(fleet, 0, hopeless), strict=True))
    advice = tuple(
        BookingAdvice(
            booking=b,
            gap=BookingGap(int(fleet.booking_gap[0, b])),
            candidates=tuple(sorted(rows[b], key=lambda c: -c.score)),
            decide_by=float(table.decide_by[0, b]) if table.has_pair[0, b] else None,
            assign_now=b in picked,
            refusals=dict(sorted(reasons.get(b, {}).items())),
        )
        for b in range(len(snapshot.bookings))
    )
    following = float(next_event(fleet, table)[0])
    return Decision(
        bookings=advice,
        picks=tuple(picks),
        driver_gaps=tuple(DriverGap(int(g)) for g in fleet.driver_gap[0, : len(snapshot.drivers)]),
        reevaluate_at=snapshot.now if picks else (following if following < NEVER else None),
    )


def _picks(done: PassPicks) -> list[Pick]:
    chosen = done.situation.table.insertion.take(done.pairs)
    return [
        Pick(int(b), int(d), int(i), float(at), float(told))
        for b, d, i, at, told in zip(
            chosen.booking, chosen.driver, chosen.position, chosen.pickup, done.promised, strict=True
        )
    ]


def _candidates(
    done: PassPicks, which: I64, chosen: set[tuple[int, int]], calibrated: bool
) -> list[tuple[int, Candidate]]:
    """(booking, candidate) of the pairs `which` of a pass's table."""
    fleet, table = done.situation.fleet, done.situation.table
    pairs = table.insertion.take(which)
    wait = float(days_of(done.scores, 1)[0])
    trips = (fleet.trips_done + fleet.locked + fleet.n_trips)[0]
    km = _added_kilometers(fleet, table, which)
    gap = _resulting_gap(fleet, table, pairs.driver)
    score = done.scores.q_pair[which]
    columns = (
        pairs.booking,
        pairs.driver,
        pairs.position,
        pairs.pickup,
        np.maximum(pairs.pickup - fleet.scheduled[0, pairs.booking], 0.0),
        pairs.deadhead,
        pairs.slack,
        pairs.lateness,
        pairs.downstream,
        table.emergency[which],
        table.driver_change[which],
        table.spread[which],
        trips[pairs.driver].astype(np.int64) + 1,
        gap,
        pairs.on_time,
        score,
    )
    kilometers = [None] * len(which) if km is None else km.tolist()
    out = []
    for row, far in zip(zip(*(c.tolist() for c in columns), strict=True), kilometers, strict=True):
        b, d, position, pickup, late, empty, slack, own, behind, reserve, change, spread, load, wide, punctual, q = row
        cost = CostDelta(WEIGHTS.deadhead_per_min * empty, own, behind, reserve, change, spread)
        candidate = Candidate(
            driver=d,
            position=position,
            pickup_time=pickup,
            lateness_min=late,
            added_deadhead_min=empty,
            added_deadhead_km=far,
            slack_min=slack,
            cost=cost,
            resulting_trips=load,
            resulting_gap=wide,
            on_time=punctual,
            score=q,
            q_value=q if calibrated else None,
            advantage_min=q - wait if calibrated else None,
            recommended=(b, d) in chosen,
        )
        out.append((b, candidate))
    return out


def _added_kilometers(fleet: Fleet, table: CandidateTable, which: I64) -> F64 | None:
    """Kilometres without a patient added by each insertion, [M]; None when the caller's matrix has no meters."""
    pairs, s = table.insertion.take(which), table.schedules
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
    away, direct = np.zeros(len(which)), np.zeros(len(which))
    onward, straight = (
        fleet.travel.kilometers(dropoff[goes_on], after[goes_on]),
        fleet.travel.kilometers(before[goes_on], after[goes_on]),
    )
    if onward is not None and straight is not None:
        away[goes_on], direct[goes_on] = onward, straight
    return to_pickup + away - direct


def _resulting_gap(fleet: Fleet, table: CandidateTable, driver: I64) -> F64:
    """Max - min of trips per contract share over the drivers who count, after one more trip for `driver`, [M]."""
    counts = table.loads.counts[0]
    x = table.loads.x[0][counts]
    if not len(x):
        return np.zeros(len(driver))
    after = np.broadcast_to(x, (len(driver), len(x))).copy()
    column = np.cumsum(counts)[driver] - 1
    mine = np.flatnonzero(counts[driver])
    after[mine, column[mine]] += 1.0 / fleet.contract_share[0, driver[mine]]
    gap: F64 = after.max(axis=1) - after.min(axis=1)
    return gap
