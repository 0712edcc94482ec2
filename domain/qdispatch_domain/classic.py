"""The classic view: 122 numbers and 201 actions for 10 drivers and 20 bookings, for the `flat` network.

state [122] = 10 driver rows (east, north, minutes until free, trips) · 20 booking rows (pickup east, north, minutes
to due, kind) · time of day · open bookings. Action 0 waits; action 1 + 20·driver + slot inserts. Driver rows are the
usable drivers in snapshot order; booking slots are the open bookings by due time, sorted anew at every step; those
beyond the 20th wait unseen and are counted. The insertion position, its cost and the mask come from the candidate
table.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from qdispatch_domain.encoding import local_km, mean_place
from qdispatch_domain.features import CLIP, Feature, fingerprint
from qdispatch_domain.fleet import NEVER
from qdispatch_domain.observation import F32, I64, Scores
from qdispatch_domain.situation import Situation

DRIVERS, BOOKINGS = 10, 20
DRIVER_COLUMNS = (
    Feature("east", "km", 10.0),
    Feature("north", "km", 10.0),
    Feature("free_in", "min", 60.0),
    Feature("trips", "trips", 8.0),
)
BOOKING_COLUMNS = (
    Feature("pickup_east", "km", 10.0),
    Feature("pickup_north", "km", 10.0),
    Feature("due_in", "min", 60.0),
    Feature("kind", "0 empty, 1 outbound, 2 return, +2 urgent", 4.0),
)
STATE = len(DRIVER_COLUMNS) * DRIVERS + len(BOOKING_COLUMNS) * BOOKINGS + 2
ACTIONS = DRIVERS * BOOKINGS + 1
UNSEEN = -1


@dataclass(frozen=True, slots=True)
class ClassicView:
    """`state` [N, 122] float32; `pair_action` [P] the action of each candidate pair, UNSEEN without a slot."""

    state: F32
    pair_action: I64

    def mask(self, situation: Situation) -> npt.NDArray[np.bool_]:
        """Permitted actions [N, 201]; waiting is masked by the domain's rule."""
        mask = np.zeros((len(self.state), ACTIONS), dtype=np.bool_)
        seen = self.pair_action != UNSEEN
        mask[situation.table.insertion.day[seen], self.pair_action[seen]] = True
        mask[:, 0] = ~situation.table.must.any(axis=1)
        return mask


def classic_view(situation: Situation) -> ClassicView:
    """Raises ValueError when a day has more than 10 usable drivers."""
    fleet, table = situation.fleet, situation.table
    usable = fleet.usable
    if usable.shape[1] and int(usable.sum(axis=1).max()) > DRIVERS:
        raise ValueError(f"Expected at most {DRIVERS} usable drivers for the flat network.")
    centre = mean_place(fleet)
    east, north = local_km(fleet.anchor_place, centre)
    driver_slot = np.cumsum(usable, axis=1) - 1
    drivers = np.zeros((fleet.days, DRIVERS, len(DRIVER_COLUMNS)))
    n, d = np.nonzero(usable)
    trips = fleet.trips_done + fleet.locked + fleet.n_trips
    rows = np.stack([a[n, d] for a in (east, north, fleet.anchor_time - fleet.now[:, None], trips)], axis=1)
    drivers[n, driver_slot[n, d]] = rows / np.array([c.scale for c in DRIVER_COLUMNS])

    order = np.argsort(np.where(fleet.open, fleet.scheduled, np.inf), axis=1, kind="stable")
    slot = np.empty_like(order)
    np.put_along_axis(slot, order, np.broadcast_to(np.arange(order.shape[1]), order.shape), axis=1)
    east, north = local_km(fleet.pickup, centre)
    kind = np.where(fleet.outbound, 1.0, 2.0) + 2.0 * fleet.urgent
    bookings = np.zeros((fleet.days, BOOKINGS, len(BOOKING_COLUMNS)))
    n, b = np.nonzero(fleet.open & (slot < BOOKINGS))
    rows = np.stack([a[n, b] for a in (east, north, fleet.scheduled - fleet.now[:, None], kind)], axis=1)
    bookings[n, slot[n, b]] = rows / np.array([c.scale for c in BOOKING_COLUMNS])

    rest = np.stack([(fleet.now - 720.0) / 240.0, fleet.open.sum(axis=1) / BOOKINGS], axis=1)
    state = np.concatenate([drivers.reshape(fleet.days, -1), bookings.reshape(fleet.days, -1), rest], axis=1)
    pairs = table.insertion
    at = slot[pairs.day, pairs.booking]
    action = 1 + BOOKINGS * driver_slot[pairs.day, pairs.driver] + at
    return ClassicView(np.clip(state, -CLIP, CLIP).astype(np.float32), np.where(at < BOOKINGS, action, UNSEEN))


def classic_scores(view: ClassicView, day: I64, q: npt.NDArray[np.float64]) -> Scores:
    """Scores of the pairs (of `day` [P]) from the network's q [N, 201]; unseen bookings rank last and wait."""
    seen = view.pair_action != UNSEEN
    q_pair = np.where(seen, q[day, np.maximum(view.pair_action, 0)], -NEVER)
    return Scores(q_pair=q_pair, q_wait=q[:, 0])


def classic_fingerprint() -> str:
    """SHA-256 (hex) of the classic layout and everything the general fingerprint covers."""
    what = {
        "layout": [DRIVERS, BOOKINGS, [asdict(c) for c in (*DRIVER_COLUMNS, *BOOKING_COLUMNS)]],
        "action": "0 wait, 1 + 20*driver + slot",
        "general": fingerprint(),
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
