"""The day's decision log: every pick legal at its snapshot, every snapshot true, every promise kept as it was made."""

from __future__ import annotations

from dataclasses import dataclass, field

from qdispatch_domain.day_record import BookingRecord, DayRecord, DecisionEntry, TripRecord
from qdispatch_domain.snapshot import Booking, Driver, TripStatus
from qdispatch_domain.validator.pick_check import apply_pick, check_pick
from qdispatch_domain.validator.situation import Situation, service_of, tolerance_of
from qdispatch_domain.validator.violation import Fault, Violation
from qdispatch_domain.weights import RULES

SLACK_MIN = 1e-3


@dataclass(slots=True)
class _Commitment:
    driver: str
    promised: float
    decided_at: float


@dataclass(slots=True)
class _Log:
    """What the log has said so far."""

    drivers: dict[str, Driver]
    bookings: dict[str, BookingRecord]
    driven: dict[str, TripRecord]
    given_up: dict[str, float]
    commitments: dict[str, _Commitment] = field(default_factory=dict)
    order: dict[str, list[str]] = field(default_factory=dict)  # per driver: trips that have to be driven, in order
    done_before: dict[str, int] = field(default_factory=dict)


def check_decisions(record: DayRecord) -> list[Violation]:
    """Replay the log: snapshots against the day, picks against the hard rules, trips against the picks."""
    log = _Log(
        drivers={driver.id: driver for driver in record.drivers},
        bookings={row.booking.id: row for row in record.bookings},
        driven={trip.booking_id: trip for trip in record.trips},
        given_up={row.booking_id: row.at for row in record.unserved},
    )
    for driver in record.drivers:
        ahead = [trip for trip in driver.trips if trip.status is not TripStatus.DONE]
        log.order[driver.id] = [trip.booking_id for trip in ahead]
        log.done_before[driver.id] = driver.trips_done_today
        for trip in ahead:
            log.commitments[trip.booking_id] = _Commitment(driver.id, trip.promised_pickup_time, float("-inf"))
    found: list[Violation] = []
    last = float("-inf")
    for number, entry in enumerate(record.decisions):
        where = f"decisions[{number}]"
        if entry.snapshot.now < last - SLACK_MIN:
            text = f"now {entry.snapshot.now} after {last}"
            found.append(Violation(Fault.SNAPSHOT_WRONG, where, text))
        last = max(last, entry.snapshot.now)
        found += _snapshot_drivers(log, entry, where)
        found += _snapshot_bookings(log, entry, where)
        found += _picks(log, entry, where)
    return found + _trips_decided(record, log)


def _picks(log: _Log, entry: DecisionEntry, where: str) -> list[Violation]:
    found = []
    situation = Situation(entry.snapshot)
    for number, pick in enumerate(entry.picks):
        here = f"{where}.picks[{number}]"
        found += check_pick(situation, pick, here)
        if not apply_pick(situation, pick):
            continue
        booking = entry.snapshot.bookings[pick.booking]
        driver = entry.snapshot.drivers[pick.driver].id
        if booking.id in log.commitments:
            found.append(Violation(Fault.DUPLICATE, here, f"booking {booking.id!r} was committed before"))
            continue
        log.commitments[booking.id] = _Commitment(driver, pick.promised_pickup_time, entry.snapshot.now)
        order = log.order.setdefault(driver, [])
        still_committed = len(situation.trips(pick.driver)) - 1  # the last ones of `order`
        position = min(max(pick.position, 0), still_committed)
        order.insert(max(0, len(order) - still_committed) + position, booking.id)
    return found


def _snapshot_drivers(log: _Log, entry: DecisionEntry, where: str) -> list[Violation]:
    found = []
    now = entry.snapshot.now
    fixed = ("kind", "wheelchair_access", "seats", "shift_start", "shift_end", "breaks", "contract_share")
    for driver in entry.snapshot.drivers:
        here = f"{where}.drivers[{driver.id}]"
        truth = log.drivers.get(driver.id)
        if truth is None:
            found.append(Violation(Fault.UNKNOWN_INDEX, here, "no such driver in the day"))
            continue
        found += [
            Violation(Fault.SNAPSHOT_WRONG, here, f"{name} {getattr(driver, name)}, in the day {getattr(truth, name)}")
            for name in fixed
            if getattr(driver, name) != getattr(truth, name)
        ]
        found += _statuses(log, driver, now, here)
        mine = [name for name in log.order[driver.id] if name in log.driven]
        surely = sum(log.driven[name].done_at < now - SLACK_MIN for name in mine)
        perhaps = sum(log.driven[name].done_at <= now + SLACK_MIN for name in mine)
        done = driver.trips_done_today - log.done_before[driver.id]
        if not surely <= done <= perhaps:
            text = f"trips_done_today {driver.trips_done_today}, in the day {log.done_before[driver.id] + surely}"
            found.append(Violation(Fault.SNAPSHOT_WRONG, here, text))
    return found


def _statuses(log: _Log, driver: Driver, now: float, where: str) -> list[Violation]:
    found = []
    shown = [trip for trip in driver.trips if trip.status is not TripStatus.DONE]
    for trip in driver.trips:
        commitment = log.commitments.get(trip.booking_id)
        if commitment is None or commitment.driver != driver.id:
            if trip.booking_id in log.driven or trip.status is not TripStatus.DONE:
                text = f"trip {trip.booking_id!r} was not committed to this driver"
                found.append(Violation(Fault.NOT_DECIDED, where, text))
            continue
        if abs(trip.promised_pickup_time - commitment.promised) > SLACK_MIN:
            text = f"trip {trip.booking_id!r} promised {trip.promised_pickup_time}, first {commitment.promised}"
            found.append(Violation(Fault.PROMISE_WRONG, where, text))
        real = log.driven.get(trip.booking_id)
        if real is not None and trip.status not in _possible(real, now):
            text = f"trip {trip.booking_id!r} is {trip.status}, in the day {sorted(_possible(real, now))}"
            found.append(Violation(Fault.SNAPSHOT_WRONG, where, text))
    names = [trip.booking_id for trip in shown]
    due = [
        name for name in log.order[driver.id] if name not in log.driven or log.driven[name].done_at > now + SLACK_MIN
    ]
    if [name for name in names if name in due] != due:
        found.append(Violation(Fault.SNAPSHOT_WRONG, where, f"trips ahead {names}, committed {due}"))
    return found


def _possible(real: TripRecord, now: float) -> set[TripStatus]:
    """The statuses that the realised times allow at `now`; two of them at the very instant of a change."""
    changes = (
        (float("-inf"), real.departed_at, TripStatus.COMMITTED),
        (real.departed_at, real.picked_up_at, TripStatus.EN_ROUTE),
        (real.picked_up_at, real.done_at, TripStatus.ONBOARD),
        (real.done_at, float("inf"), TripStatus.DONE),
    )
    return {status for begin, end, status in changes if begin - SLACK_MIN <= now <= end + SLACK_MIN}


def _snapshot_bookings(log: _Log, entry: DecisionEntry, where: str) -> list[Violation]:
    found = []
    now = entry.snapshot.now
    for booking in entry.snapshot.bookings:
        here = f"{where}.bookings[{booking.id}]"
        truth = log.bookings.get(booking.id)
        if truth is None:
            found.append(Violation(Fault.UNKNOWN_INDEX, here, "no such booking in the day"))
            continue
        if now < truth.known_at - SLACK_MIN:
            found.append(Violation(Fault.NOT_YET_KNOWN, here, f"shown at {now}, known at {truth.known_at}"))
        if booking.id in log.commitments:
            found.append(Violation(Fault.DUPLICATE, here, "open, but committed before"))
        found += _facts(booking, truth, now, here)
    shown = {booking.id for booking in entry.snapshot.bookings}
    for name, truth in log.bookings.items():
        if name in shown or name in log.commitments or not _surely_open(truth, log.given_up.get(name), now):
            continue
        found.append(Violation(Fault.SNAPSHOT_WRONG, where, f"open booking {name!r} is not shown"))
    return found


def _facts(booking: Booking, truth: BookingRecord, now: float, where: str) -> list[Violation]:
    found = []
    names = ["pickup", "dropoff", "leg", "urgent", "wheelchair", "passengers", "pinned"]
    if booking.time_confirmed:
        names.append("scheduled_time")
        if truth.needs_call and (truth.called_at is None or now < truth.called_at - SLACK_MIN):
            text = f"time confirmed at {now}, the patient called at {truth.called_at}"
            found.append(Violation(Fault.NOT_YET_KNOWN, where, text))
    for name in names:
        shown, real = getattr(booking, name), getattr(truth.booking, name)
        if shown != real:
            found.append(Violation(Fault.SNAPSHOT_WRONG, where, f"{name} {shown}, in the day {real}"))
    # a default may be written out in one of the rows and left open in the other
    if (tolerance_of(booking), service_of(booking)) != (tolerance_of(truth.booking), service_of(truth.booking)):
        found.append(Violation(Fault.SNAPSHOT_WRONG, where, "tolerance or service times differ from the day's"))
    return found


def _surely_open(truth: BookingRecord, given_up_at: float | None, now: float) -> bool:
    booking = truth.booking
    known = truth.known_at if not truth.needs_call else truth.called_at
    if known is None or booking.scheduled_time is None or now <= max(known, truth.known_at) + SLACK_MIN:
        return False
    expires = booking.scheduled_time + RULES.latest_insertion_min
    if given_up_at is not None:
        expires = min(expires, given_up_at)
    return now < expires - SLACK_MIN


def _trips_decided(record: DayRecord, log: _Log) -> list[Violation]:
    found = []
    for trip in record.trips:
        commitment = log.commitments.get(trip.booking_id)
        if commitment is None:
            found.append(Violation(Fault.NOT_DECIDED, trip.booking_id, "driven, but no decision picked it"))
        elif commitment.driver != trip.driver_id:
            text = f"committed to {commitment.driver!r}, driven by {trip.driver_id!r}"
            found.append(Violation(Fault.NOT_DECIDED, trip.booking_id, text))
        elif trip.departed_at < commitment.decided_at - SLACK_MIN:
            text = f"departed at {trip.departed_at}, decided at {commitment.decided_at}"
            found.append(Violation(Fault.NOT_YET_KNOWN, trip.booking_id, text))
    for name in log.commitments:
        if name in log.given_up:
            found.append(Violation(Fault.UNSERVED_WRONG, name, "given up, although it was committed for good"))
    for driver_id, order in log.order.items():
        driven = sorted(
            (trip for trip in record.trips if trip.driver_id == driver_id), key=lambda trip: trip.departed_at
        )
        real = [trip.booking_id for trip in driven if trip.booking_id in order]
        planned = [name for name in order if name in log.driven and log.driven[name].driver_id == driver_id]
        if real != planned:
            found.append(Violation(Fault.NOT_DECIDED, driver_id, f"drove {real}, committed {planned}"))
    return found
