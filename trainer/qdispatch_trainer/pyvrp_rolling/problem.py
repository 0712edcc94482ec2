"""One day as a vehicle routing problem of PyVRP (Wouda, Lan, Kool 2024). All its numbers are tenths of a minute.

* A vehicle type per usable driver. It starts where and when the driver has finished the COMMITTED trips: few and next
  to leave under a rule that commits late, they are part of the start, so that none can move to another driver. It ends
  at the driver's `end_location`, else at a place without distance, before the shift ends (rule 4).
* A client per open booking, of which the service is loading, driving with the patient and unloading. It is optional;
  its prize is the cost of leaving it unserved.
* The edge i -> j is the drive from the dropoff of i to the pickup of j that arrives at j's scheduled time, at the speed
  of that hour; its distance costs 1 per minute, like deadhead.
* PyVRP's time windows are hard. The window of a pickup opens at the scheduled time and closes with the tolerance, or
  when the quickest permitted driver can be there, whichever is later, plus `late_room_min`: so that a booking which is
  late anyway can be planned. What lateness costs within the window, PyVRP does not know.
* Who may drive what is a matter of edges: into a booking that is not permitted the drive is endless. What a trip costs
  beyond driving (EMERGENCY, part of the growth of the spread) is added to the edges into the bookings. Drivers with the
  same permissions and costs share a routing profile.
* Permitted are the booking's pairs whose trip does not lie across a break. Beyond `OWN_PROFILE` drivers a profile each
  would cost more than the time of a decision: then permitted is what vehicle, pin and EMERGENCY rule allow, breaks are
  left to the polish, and trips cost 0 or EMERGENCY.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pyvrp import Client, Depot, Location, ProblemData, VehicleType

from qdispatch_domain.cost import spread_growth, unserved_cost
from qdispatch_domain.fleet import EPS
from qdispatch_domain.situation import Situation
from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.pyvrp_rolling.horizon import DayView

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

SCALE = 10  # units per minute
FORBIDDEN = 100_000  # units; above every prize
OWN_PROFILE = 16  # drivers; the candidate table keeps only the nearest of them beyond, too


def build(situation: Situation, view: DayView, late_room_min: float, spread_share: float) -> ProblemData:
    """The problem of one day. Client c is booking `view.bookings[c]`, vehicle type v is driver `view.drivers[v]`."""
    fleet, n, drivers, bookings = situation.fleet, view.day, view.drivers, view.bookings
    start_time, start_place, finish = _starts(situation, view)
    homes = drivers[fleet.has_home[n, drivers]]
    first_client = len(drivers) + 1 + len(homes)
    scheduled = fleet.scheduled[n, bookings]
    leave = scheduled + fleet.pickup_service[n, bookings]
    done = fleet.travel.arrive(leave, fleet.loaded[n, bookings]) + fleet.dropoff_service[n, bookings]
    late = _latest_pickups(situation, view) + late_room_min
    may_BD, extra_D = _permissions(situation, view, done - scheduled, late, spread_share)

    drive = np.zeros((first_client + len(bookings),) * 2)
    clients = slice(first_client, None)
    places = np.concatenate([start_place, fleet.dropoff[n, bookings]])
    rows = np.concatenate([np.arange(len(drivers)), np.arange(first_client, drive.shape[0])])
    approach = fleet.travel.free_flow(places[:, None], fleet.pickup[n, bookings][None])
    drive[rows, clients] = scheduled - fleet.travel.depart(np.broadcast_to(scheduled, approach.shape), approach)
    homeward = fleet.travel.free_flow(places[:, None], fleet.home[n, homes][None])
    free = np.concatenate([start_time, done])[:, None]
    drive[rows, len(drivers) + 1 : first_client] = fleet.travel.arrive(np.broadcast_to(free, homeward.shape), homeward)
    drive[rows, len(drivers) + 1 : first_client] -= free
    duration = np.ceil(drive * SCALE).astype(np.int64)
    np.fill_diagonal(duration, 0)

    keys = np.column_stack([~may_BD.T, np.rint(extra_D * SCALE).astype(np.int64)])
    kinds, profile = np.unique(keys, axis=0, return_inverse=True)
    distances: list[Any] = []  # PyVRP's type of a matrix is not numpy's
    durations: list[Any] = []
    for kind in kinds:
        shut = np.zeros(drive.shape[0], dtype=np.bool_)
        shut[clients] = kind[:-1].astype(np.bool_)
        cost = duration.copy()
        cost[:, clients] += kind[-1]
        for matrix, values in ((distances, cost), (durations, duration.copy())):
            values[:, shut] = FORBIDDEN
            np.fill_diagonal(values, 0)
            matrix.append(values)

    end_of = np.full(len(drivers), len(drivers))
    end_of[fleet.has_home[n, drivers]] = len(drivers) + 1 + np.arange(len(homes))
    prizes = np.atleast_1d(unserved_cost(fleet.urgent[n, bookings]))
    nowhere = Location(0.0, 0.0)  # places stand in the matrices
    return ProblemData(
        [nowhere] * drive.shape[0],
        [
            Client(
                location=first_client + c,
                service_duration=_units(done[c] - scheduled[c]),
                tw_early=_units(scheduled[c]),
                tw_late=_units(late[c]),
                prize=_units(prizes[c]),
                required=False,
            )
            for c in range(len(bookings))
        ],
        [Depot(location=k) for k in range(first_client)],
        [
            VehicleType(
                start_depot=v,
                end_depot=int(end_of[v]),
                tw_early=_units(start_time[v]),
                tw_late=max(_units(finish[v]), _units(start_time[v])),
                profile=int(profile[v]),
            )
            for v in range(len(drivers))
        ],
        distances,
        durations,
    )


def _units(minutes: float) -> int:
    return max(round(float(minutes) * SCALE), 0)


def _starts(situation: Situation, view: DayView) -> tuple[F64, F64, F64]:
    """Per driver when [D'] and where [D', 4] the COMMITTED trips are done, and the latest end of the work [D']."""
    s = situation.table.schedules
    row_of = np.full(situation.fleet.driver_real.shape[1], -1)
    mine = np.flatnonzero(s.day == view.day)
    row_of[s.driver[mine]] = mine
    row = row_of[view.drivers]
    last = s.count[row]
    return s.free_time[row, last], s.free_place[row, last], s.latest_finish[row]


def _latest_pickups(situation: Situation, view: DayView) -> F64:
    """Until when the pickups [B'] are on time or, where nobody can be on time, as early as they can be."""
    fleet, found = situation.fleet, situation.table.insertion
    earliest = np.full(fleet.open.shape[1], np.inf)
    np.minimum.at(earliest, found.booking[view.pairs], found.pickup[view.pairs])
    on_time = fleet.scheduled[view.day, view.bookings] + fleet.tolerance[view.day, view.bookings]
    latest: F64 = np.maximum(on_time, earliest[view.bookings])
    return latest


def _permissions(situation: Situation, view: DayView, work: F64, late: F64, spread_share: float) -> tuple[Bool, F64]:
    """Who may drive what, [B', D'], and what a trip of each driver costs beyond driving, [D'] minutes-equivalent.

    `work` [B'] are the minutes of a trip, `late` [B'] is the latest pickup.
    """
    fleet, found = situation.fleet, situation.table.insertion
    n, drivers, bookings = view.day, view.drivers, view.bookings
    pair_BD = np.zeros((fleet.open.shape[1], fleet.driver_real.shape[1]), dtype=np.bool_)
    pair_BD[found.booking[view.pairs], found.driver[view.pairs]] = True
    may = pair_BD[np.ix_(bookings, drivers)]
    regular = fleet.regular[n, drivers]
    extra = np.where(regular, 0.0, WEIGHTS.emergency_trip)
    if len(drivers) > OWN_PROFILE:
        vehicle = fleet.wheelchair_access[n, drivers] | ~fleet.wheelchair[n, bookings, None]
        vehicle &= fleet.passengers[n, bookings, None] <= fleet.seats[n, drivers]
        vehicle &= ~fleet.pinned[n, bookings, None] | (fleet.current_driver[n, bookings, None] == drivers)
        reserve_B = np.any(pair_BD[np.ix_(bookings, np.flatnonzero(~fleet.regular[n]))], axis=1, keepdims=True)
        return vehicle & (regular | reserve_B), extra
    scheduled = fleet.scheduled[n, bookings, None]
    for k in range(fleet.break_start.shape[2]):
        begins, ends = fleet.break_start[n, drivers, k], fleet.break_end[n, drivers, k]
        may = may & ~((scheduled + work[:, None] > begins + EPS) & (late[:, None] < ends - EPS))
    growth = spread_growth(fleet, situation.table.loads, np.full(len(drivers), n), drivers)
    return may, extra + spread_share * (growth - growth.min())
