"""Every insertion of a booking, one by one: which rules it breaks, what it costs, who else could drive it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from qdispatch_domain.decision import CostDelta
from qdispatch_domain.reasons import DriverGap, Refusal
from qdispatch_domain.snapshot import Booking, Driver, DriverKind, Leg, Trip
from qdispatch_domain.validator.situation import Situation, as_trip, promise_for, tolerance_of
from qdispatch_domain.validator.timeline import EPSILON_MIN, Anchor, Timeline, anchor_of, drive
from qdispatch_domain.validator.violation import Fault
from qdispatch_domain.weights import RULES, WEIGHTS


@dataclass(frozen=True, slots=True)
class Insertion:
    """One tried insertion; `faults` are the hard rules 2-4 that it breaks (none: it is feasible)."""

    driver: int
    position: int
    pickup: float
    timeline: Timeline
    faults: tuple[Fault, ...]
    on_time: bool  # within the booking's tolerance

    @property
    def feasible(self) -> bool:
        """No rule of 2-4 broken."""
        return not self.faults


def unfit(situation: Situation, booking: Booking, driver: int) -> tuple[Fault, ...]:
    """The parts of hard rule 1 that forbid this driver, whatever the schedule."""
    row: Driver = situation.snapshot.drivers[driver]
    faults = []
    gap = situation.gaps[driver]
    if gap is not DriverGap.NONE:
        faults.append(Fault(gap.name))
    if booking.pinned and booking.current_driver_id != row.id:
        faults.append(Fault.PINNED)
    if booking.wheelchair and not row.wheelchair_access:
        faults.append(Fault.WHEELCHAIR)
    if booking.passengers > row.seats:
        faults.append(Fault.SEATS)
    return tuple(faults)


def insert(
    situation: Situation, booking: Booking, driver: int, position: int, *, hold: float | None = None
) -> Insertion:
    """Try one position of a located driver. `hold`: the driver does not leave for the booking before this instant."""
    row = situation.snapshot.drivers[driver]
    before = situation.trips(driver)
    trips = [*before[:position], as_trip(booking, math.nan), *before[position:]]
    held = None if hold is None else {position: hold}
    timeline = drive(row, situation.anchor(driver), trips, situation.roads, hold=held)
    return _judge(booking, row, driver, position, before, situation.timeline(driver), timeline)


def _judge(
    booking: Booking,
    row: Driver,
    driver: int,
    position: int,
    before: Sequence[Trip],
    old: Timeline,
    new: Timeline,
) -> Insertion:
    if booking.scheduled_time is None or row.shift_end is None:
        raise ValueError(f"Expected a scheduled_time of booking {booking.id!r} and a shift of driver {row.id!r}.")
    pickup = new.legs[position].pickup
    faults = []
    if pickup > booking.scheduled_time + RULES.latest_insertion_min + EPSILON_MIN:
        faults.append(Fault.TOO_LATE)
    for index in range(position, len(before)):
        limit = before[index].promised_pickup_time + before[index].tolerance_min
        if new.legs[index + 1].pickup > max(limit, old.legs[index].pickup) + EPSILON_MIN:
            faults.append(Fault.PROMISE_BROKEN)
            break
    if new.end > max(row.shift_end, old.end) + EPSILON_MIN:
        faults.append(Fault.SHIFT)
    on_time = pickup <= booking.scheduled_time + tolerance_of(booking) + EPSILON_MIN
    return Insertion(driver, position, pickup, new, tuple(faults), on_time)


def feasible_insertions(situation: Situation, booking: Booking, driver: int) -> list[Insertion]:
    """All positions that rules 1-5 permit, in order."""
    if unfit(situation, booking, driver):
        return []
    tried = (insert(situation, booking, driver, p) for p in range(len(situation.trips(driver)) + 1))
    return [insertion for insertion in tried if insertion.feasible]


def regular_on_time(situation: Situation, booking: Booking) -> Insertion | None:
    """Some REGULAR driver's insertion by rules 1-5 within the tolerance, over all positions; None if none."""
    for driver in situation.regular_drivers():
        for insertion in feasible_insertions(situation, booking, driver):
            if insertion.on_time:
                return insertion
    return None


def permitted_drivers(situation: Situation, booking: Booking) -> list[int]:
    """Rows of all drivers who have an insertion by rules 1-6."""
    reserve_allowed = regular_on_time(situation, booking) is None
    return [
        row
        for row, driver in enumerate(situation.snapshot.drivers)
        if (driver.kind is DriverKind.REGULAR or reserve_allowed) and feasible_insertions(situation, booking, row)
    ]


def cost_of(situation: Situation, booking: Booking, insertion: Insertion) -> CostDelta:
    """Growth of the day's cost by a feasible insertion, minutes-equivalent, term by term."""
    driver = insertion.driver
    row = situation.snapshot.drivers[driver]
    before = situation.trips(driver)
    old = situation.timeline(driver)
    new = insertion.timeline
    downstream = 0.0
    for index in range(insertion.position, len(before)):
        trip = before[index]
        moved = _late_cost(trip.leg, trip.scheduled_time, trip.tolerance_min, new.legs[index + 1].pickup)
        downstream += moved - _late_cost(trip.leg, trip.scheduled_time, trip.tolerance_min, old.legs[index].pickup)
    inserted = as_trip(booking, promise_for(booking, insertion.pickup))
    moved_away = booking.current_driver_id is not None and booking.current_driver_id != row.id
    return CostDelta(
        deadhead=WEIGHTS.deadhead_per_min * (new.deadhead_min - old.deadhead_min),
        lateness=_late_cost(inserted.leg, inserted.scheduled_time, inserted.tolerance_min, insertion.pickup),
        downstream_lateness=downstream,
        emergency=WEIGHTS.emergency_trip if row.kind is DriverKind.EMERGENCY else 0.0,
        driver_change=WEIGHTS.driver_change if moved_away else 0.0,
        spread=WEIGHTS.spread * (_spread(situation, driver) - _spread(situation, None)),
    )


def best_insertion(situation: Situation, booking: Booking, driver: int) -> tuple[Insertion, CostDelta] | None:
    """The feasible position with the least growth of cost, ties to the earliest; None if there is none."""
    best: tuple[Insertion, CostDelta] | None = None
    for insertion in feasible_insertions(situation, booking, driver):
        cost = cost_of(situation, booking, insertion)
        if best is None or cost.total < best[1].total - 1e-9:
            best = insertion, cost
    return best


def _late_cost(leg: Leg, scheduled: float, tolerance: float, pickup: float) -> float:
    weight = WEIGHTS.outbound_lateness_per_min if leg is Leg.OUTBOUND else WEIGHTS.return_lateness_per_min
    return weight * max(0.0, pickup - scheduled - tolerance)


def gap_with(situation: Situation, driver: int) -> float:
    """Max - min of trips per contract share over the drivers who count, with one more trip of `driver`."""
    loads = _loads(situation, driver)
    return max(loads) - min(loads) if loads else 0.0


def _loads(situation: Situation, with_one_more: int | None) -> list[float]:
    loads = []
    for row, driver in enumerate(situation.snapshot.drivers):
        off = driver.shift_start is None or driver.shift_end is None
        if driver.kind is not DriverKind.REGULAR or not driver.available or off:
            continue
        legs = situation.legs_of(row) + (1 if row == with_one_more else 0)
        loads.append(legs / driver.contract_share)
    return loads


def _spread(situation: Situation, with_one_more: int | None) -> float:
    loads = _loads(situation, with_one_more)
    if not loads:
        return 0.0
    mean = sum(loads) / len(loads)
    return math.sqrt(len(loads) * sum((load - mean) ** 2 for load in loads))


def refusal(situation: Situation, booking: Booking, driver: int) -> Refusal | None:
    """The first reason, in the order of `Refusal`, why this driver cannot take the booking; None if they could."""
    row = situation.snapshot.drivers[driver]
    forbidden = unfit(situation, booking, driver)
    if forbidden:
        return min(Refusal[fault.name] for fault in forbidden)
    if feasible_insertions(situation, booking, driver):
        return None
    alone = [as_trip(booking, math.nan)]
    always_on = replace(row, shift_start=-math.inf, shift_end=math.inf)
    unbound = anchor_of(always_on, situation.snapshot.now, situation.roads) or Anchor(
        situation.snapshot.now,
        situation.anchor(driver).place,  # located by the start_location, before the shift
    )
    idle = drive(row, situation.anchor(driver), [], situation.roads)
    relaxed = (
        (Refusal.TOO_LATE, drive(always_on, unbound, alone, situation.roads, breaks=False), always_on),
        (Refusal.SHIFT, drive(row, situation.anchor(driver), alone, situation.roads, breaks=False), row),
        (Refusal.BREAK, drive(row, situation.anchor(driver), alone, situation.roads), row),
    )
    for reason, timeline, judged_by in relaxed:
        if _judge(booking, judged_by, driver, 0, [], idle, timeline).faults:
            return reason
    return Refusal.TIME_CONFLICT
