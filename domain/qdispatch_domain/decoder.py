"""`decide(snapshot, scorer) -> Decision`: the whole way from a snapshot to an answer in rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qdispatch_domain.decision import BookingAdvice, Candidate, Decision, Pick
from qdispatch_domain.events import next_event
from qdispatch_domain.fleet import NEVER
from qdispatch_domain.packing import pack
from qdispatch_domain.picking import PassPicks, decide_fleet
from qdispatch_domain.reasons import BookingGap, DriverGap
from qdispatch_domain.refusals import refusals
from qdispatch_domain.rows import candidate_rows, in_rows
from qdispatch_domain.situation import Scorer, Situation
from qdispatch_domain.snapshot import Snapshot

# an enum's own call takes ten times as long to look a number up
_BOOKING_GAPS, _DRIVER_GAPS = {gap.value: gap for gap in BookingGap}, {gap.value: gap for gap in DriverGap}


def decide(snapshot: Snapshot, scorer: Scorer, *, calibrated: bool = False) -> Decision:
    """The best drivers of every open booking, one conflict-free joint choice, and the reasons where nobody can.

    `calibrated`: the scorer's values are minutes (q_value and advantage_min are reported only then).
    Raises ValueError for a snapshot that contradicts itself (unknown references, a running trip without its times).
    """
    return decision_of(snapshot, Situation(pack([snapshot])), scorer, calibrated=calibrated)


def decision_of(snapshot: Snapshot, situation: Situation, scorer: Scorer, *, calibrated: bool = False) -> Decision:
    """The same for a situation that has been packed already."""
    passes = decide_fleet(situation, scorer)
    fleet, table = situation.fleet, situation.table
    picks = [pick for p in passes for pick in _picks(p)]
    picked = {pick.booking for pick in picks}
    hopeless = np.flatnonzero(fleet.open[0] & ~table.has_pair[0])
    reasons = dict(zip(hopeless.tolist(), refusals(fleet, 0, hopeless), strict=True))
    count = len(snapshot.bookings)
    every = range(count)
    decide_by = zip(table.has_pair[0, :count].tolist(), table.decide_by[0, :count].tolist(), strict=True)
    columns: tuple[Sequence[object], ...] = (
        every,
        [_BOOKING_GAPS[gap] for gap in fleet.booking_gap[0, :count].tolist()],
        _rows(passes, picks, calibrated)[:count],
        [time if has_pair else None for has_pair, time in decide_by],
        [b in picked for b in every],
        [dict(sorted(reasons[b].items())) if b in reasons else {} for b in every],
    )
    following = float(next_event(fleet, table)[0])
    return Decision(
        bookings=tuple(in_rows(BookingAdvice, columns)),
        picks=tuple(picks),
        driver_gaps=tuple(_DRIVER_GAPS[gap] for gap in fleet.driver_gap[0, : len(snapshot.drivers)].tolist()),
        reevaluate_at=snapshot.now if picks else (following if following < NEVER else None),
    )


def _rows(passes: Sequence[PassPicks], picks: Sequence[Pick], calibrated: bool) -> list[tuple[Candidate, ...]]:
    """Of every booking of the one day its candidates, best first; ties as in the table, a later pass's pick behind."""
    first = passes[0]
    shape = first.situation.fleet.open.shape[1], first.situation.fleet.driver_real.shape[1]
    recommended = np.zeros(shape, dtype=np.bool_)
    recommended[[pick.booking for pick in picks], [pick.driver for pick in picks]] = True
    booking = first.situation.table.insertion.booking
    best_first = np.lexsort((-first.scores.q_pair, booking))
    found = candidate_rows(first, best_first, recommended, calibrated)
    end = np.cumsum(np.bincount(booking, minlength=shape[0])).tolist()
    rows = [tuple(found[start:stop]) for start, stop in zip([0, *end], end, strict=False)]
    for later in passes[1:]:
        again = candidate_rows(later, later.pairs, recommended, calibrated)
        for b, candidate in zip(later.situation.table.insertion.booking[later.pairs].tolist(), again, strict=True):
            others = [c for c in rows[b] if c.driver != candidate.driver]
            rows[b] = tuple(sorted([*others, candidate], key=lambda c: -c.score))
    return rows


def _picks(done: PassPicks) -> list[Pick]:
    chosen = done.situation.table.insertion.take(done.pairs)
    return [
        Pick(int(b), int(d), int(i), float(at), float(told))
        for b, d, i, at, told in zip(
            chosen.booking, chosen.driver, chosen.position, chosen.pickup, done.promised, strict=True
        )
    ]
