"""Features of the candidate pairs."""

from __future__ import annotations

import numpy as np

from qdispatch_domain.compiled.arrays import FleetArrays
from qdispatch_domain.compiled.feature_columns import PAIR_SCALES, P, flag, store
from qdispatch_domain.compiled.jit import part
from qdispatch_domain.compiled.table_arrays import TableArrays
from qdispatch_domain.fleet import NEVER


@part
def pair_rows(
    f: FleetArrays,
    t: TableArrays,
    n: int,
    p: int,
    last: int,
    load: np.ndarray,
    window: np.ndarray,
    best: np.ndarray,
    other: np.ndarray,
    raw: np.ndarray,
    out: np.ndarray,
    cost: np.ndarray,
) -> None:
    """Rows of the pairs p to last, which are those of day n."""
    now = f.now[n]
    cheapest, next_one, group_end = NEVER, NEVER, p
    for i in range(p, last):
        d, b, r, total = t.driver[i], t.booking[i], t.row[i], t.total[i]
        if i == group_end:  # the next booking: its two cheapest pairs
            cheapest, next_one = NEVER, NEVER
            while group_end < last and t.booking[group_end] == b:
                if t.total[group_end] < cheapest:
                    cheapest, next_one = t.total[group_end], cheapest
                elif t.total[group_end] < next_one:
                    next_one = t.total[group_end]
                group_end += 1
        linked = f.linked_driver[n, b]
        raw[P.deadhead] = t.deadhead[i]
        raw[P.lateness] = max(t.pickup[i] - f.scheduled[n, b], 0.0)
        raw[P.lateness_cost] = t.lateness[i]
        raw[P.downstream] = t.downstream[i]
        raw[P.emergency] = t.emergency[i]
        raw[P.driver_change] = t.driver_change[i]
        raw[P.spread] = t.spread[i]
        raw[P.cost] = total
        raw[P.pickup_in] = t.pickup[i] - now
        raw[P.departure_in] = t.depart[i] - now
        raw[P.expires_in] = t.expiry[i] - now
        raw[P.idle_before] = t.depart[i] - t.free_time[r, t.position[i]]
        raw[P.slack] = t.slack[i]
        raw[P.position] = float(t.position[i])
        raw[P.regret_driver] = total - (next_one if total == cheapest else cheapest)
        raw[P.regret_booking] = total - (other[d] if total == best[d] else best[d])
        raw[P.load] = load[d]
        raw[P.window_load] = window[d]
        raw[P.shift_left_after] = f.shift_end[n, d] - t.end[i]
        raw[P.rank] = float(t.rank[i])
        raw[P.on_time] = flag(t.on_time[i])
        raw[P.appended] = flag(t.position[i] == t.trips[r])
        raw[P.wheelchair_wasted] = flag(f.wheelchair_access[n, d] and not f.wheelchair[n, b])
        raw[P.is_planned] = flag(f.current_driver[n, b] == d)
        raw[P.same_as_other_leg] = flag(linked == d)
        raw[P.other_than_other_leg] = flag(linked >= 0 and linked != d)
        store(raw, out, i, PAIR_SCALES)
        cost[i] = total
