"""Days from (scenario, seed). Every random number belongs to a purpose and a row, never to an order of events.

Each purpose draws from its own Philox stream, keyed by (scenario name, seed, purpose), and the i-th number of a stream
belongs to the i-th row. Adding a purpose, or a policy that acts otherwise, therefore changes no other number.
"""

from __future__ import annotations

import math
import zlib
from enum import IntEnum

import numpy as np

from qdispatch_domain.snapshot import Break, Driver, DriverKind, Location
from qdispatch_domain.start_times import SLOT_MIN, start_times
from qdispatch_trainer.day import BOOL, F64, I64, Day, DayBookings
from qdispatch_trainer.demand import REGION
from qdispatch_trainer.roster import roster
from qdispatch_trainer.scenarios import Scenario
from qdispatch_trainer.seeds import purpose_of
from qdispatch_trainer.workforce import (
    CONTRACT_SHARES,
    EARLIEST_START,
    EARLY_BREAK_RANGE,
    HOME_END_SHARE,
    HOME_START_SHARE,
    LATE_BREAK_RANGE,
    LATE_SHIFT_FROM,
    LATEST_START,
    ON_CALL,
    SHIFT_JITTER_SLOTS,
    VEHICLE_SEATS,
    WINDOW_DAYS,
    WINDOW_LEGS_PER_DAY,
    WINDOW_MINUTES_PER_LEG,
)

PASSENGERS = ((1, 0.85), (2, 0.12), (3, 0.03))  # (persons, probability)
NOISE_CUT = 3.0


class Draw(IntEnum):
    """What a random number is for. The numbers are part of every published result: never reuse or renumber."""

    COUNTS = 1
    HOME_CLUSTER = 2
    HOME_PLACE = 3
    DESTINATION = 4
    PAIRED = 5
    SINGLE_KIND = 6
    START_TIMES = 7
    CALL_OFFSET = 8
    URGENT = 9
    URGENT_NOTICE = 10
    KNOWN_AT_START = 11
    LATER_NOTICE = 12
    CALL_WHEN_READY = 13
    WHEELCHAIR = 14
    PASSENGERS = 15
    DEADHEAD_NOISE = 16
    LOADED_NOISE = 17
    PICKUP_NOISE = 18
    DROPOFF_NOISE = 19
    DRIVER_HOME_CLUSTER = 20
    DRIVER_STARTS_HOME = 21
    SEATS = 23
    CONTRACT_SHARE = 24
    SHIFT_JITTER = 25
    BREAK_START = 26
    WINDOW = 27
    HOMEWARD_NOISE = 28
    DRIVER_HOME_PLACE = 29


class _Streams:
    """The random streams of one day, one per purpose."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self._key = (zlib.crc32(scenario.name.encode()), seed)

    def __call__(self, draw: Draw) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(np.random.SeedSequence([*self._key, int(draw)])))


def generate_day(scenario: Scenario, seed: int) -> Day:
    """The day of `seed`; the same arguments give the same day to the bit. SeedRangeError for a seed in no range."""
    purpose_of(seed)
    streams = _Streams(scenario, seed)
    regular, legs_or_rows = _counts(scenario, streams)
    bookings = _bookings(scenario, streams, legs_or_rows)
    drivers = _drivers(scenario, streams, regular)
    homeward = _lognormal(streams(Draw.HOMEWARD_NOISE), scenario.travel_sigma, len(drivers))
    return Day(scenario, seed, drivers, homeward, bookings)


def _counts(scenario: Scenario, streams: _Streams) -> tuple[int, int]:
    """Number of REGULAR drivers, and of rows (if the scenario's number of legs varies) or legs (if it is fixed)."""
    busy, drivers_own = streams(Draw.COUNTS).standard_normal(2)
    correlation = scenario.rows_drivers_correlation
    score = correlation * busy + math.sqrt(1.0 - correlation**2) * drivers_own
    quantile = 0.5 * (1.0 + math.erf(score / math.sqrt(2.0)))
    regular = _value_at(scenario.driver_counts, np.array([quantile]))[0]
    if scenario.legs is not None:
        return int(regular), scenario.legs
    rows = round(scenario.rows_median * math.exp(scenario.rows_log_sd * float(busy)))
    return int(regular), min(max(rows, scenario.rows_range[0]), scenario.rows_range[1])


def _value_at(table: tuple[tuple[float, float], ...], u_n: F64) -> F64:
    """The value [n] of a (value, probability) table at each uniform."""
    edges = np.cumsum([probability for _, probability in table])
    index = np.minimum(np.searchsorted(edges, u_n, side="right"), len(table) - 1)
    return np.array([value for value, _ in table], dtype=np.float64)[index]


def _lognormal(generator: np.random.Generator, sigma: float, count: int) -> F64:
    """Multipliers [count], lognormal with mean 1 and cut at NOISE_CUT standard deviations (`noise_range`)."""
    normal = np.clip(generator.standard_normal(count), -NOISE_CUT, NOISE_CUT)
    return np.exp(sigma * normal - 0.5 * sigma**2)


def noise_range(sigma: float) -> tuple[float, float]:
    """The least and the greatest multiplier that noise of `sigma` can give."""
    return math.exp(-sigma * NOISE_CUT - 0.5 * sigma**2), math.exp(sigma * NOISE_CUT - 0.5 * sigma**2)


def _stratified(generator: np.random.Generator, count: int) -> F64:
    """Uniforms [count] of which every interval of length 1/count holds exactly one, in random order.

    The booking desk spreads the appointments over the day, so that a day's hours scatter less than by chance alone.
    """
    return (generator.permutation(count) + generator.random(count)) / count


def _rows(scenario: Scenario, streams: _Streams, legs_or_rows: int) -> BOOL:
    """For each row whether it is a pair; a day with an exact number of legs ends in a single leg if need be."""
    paired: BOOL = streams(Draw.PAIRED).random(legs_or_rows) < scenario.pair_share
    if scenario.legs is None:
        return paired
    first_leg = np.cumsum(1 + paired) - (1 + paired)
    paired = paired[first_leg < scenario.legs]
    if int(np.sum(1 + paired)) > scenario.legs:
        paired[-1] = False
    return paired


def _bookings(scenario: Scenario, streams: _Streams, legs_or_rows: int) -> DayBookings:
    paired_r = _rows(scenario, streams, legs_or_rows)
    rows = paired_r.size
    single_return_r = ~paired_r & (streams(Draw.SINGLE_KIND).random(rows) < 0.5)
    home_lat_r, home_lon_r = REGION.home(
        streams(Draw.HOME_CLUSTER).random(rows), streams(Draw.HOME_PLACE).standard_normal((rows, 2))
    )
    clinic_lat_r, clinic_lon_r = REGION.destination(streams(Draw.DESTINATION).random(rows))
    times = start_times()
    u_start_r = _stratified(streams(Draw.START_TIMES), rows)
    outbound_r, return_r = times.pairs(u_start_r)
    single_r = times.singles(u_start_r)

    row = np.repeat(np.arange(rows), 1 + paired_r)
    legs = row.size
    second = np.zeros(legs, dtype=bool)
    second[1:] = row[1:] == row[:-1]
    is_return = second | single_return_r[row]
    linked = np.full(legs, -1, dtype=np.int64)
    linked[second] = np.flatnonzero(second) - 1
    linked[np.flatnonzero(second) - 1] = np.flatnonzero(second)

    slot = np.where(paired_r[row], np.where(second, return_r[row], outbound_r[row]), single_r[row])
    call_when_ready = is_return & (streams(Draw.CALL_WHEN_READY).random(legs) < scenario.call_when_ready_share)
    scheduled = slot + np.where(call_when_ready, SLOT_MIN * streams(Draw.CALL_OFFSET).random(legs), 0.0)
    urgent = streams(Draw.URGENT).random(legs) < scenario.urgent_share
    known, ready = _when_known(scenario, streams, row, second, scheduled, urgent, call_when_ready)
    noise = {
        draw: _lognormal(streams(draw), sigma, legs)
        for draw, sigma in (
            (Draw.DEADHEAD_NOISE, scenario.travel_sigma),
            (Draw.LOADED_NOISE, scenario.travel_sigma),
            (Draw.PICKUP_NOISE, scenario.service_sigma),
            (Draw.DROPOFF_NOISE, scenario.service_sigma),
        )
    }
    return DayBookings(
        ids=tuple(f"b{index:04d}" for index in range(legs)),
        pickup_latitude=np.where(is_return, clinic_lat_r[row], home_lat_r[row]),
        pickup_longitude=np.where(is_return, clinic_lon_r[row], home_lon_r[row]),
        dropoff_latitude=np.where(is_return, home_lat_r[row], clinic_lat_r[row]),
        dropoff_longitude=np.where(is_return, home_lon_r[row], clinic_lon_r[row]),
        is_return=is_return,
        urgent=urgent,
        wheelchair=(streams(Draw.WHEELCHAIR).random(rows) < scenario.wheelchair_share)[row],
        passengers=_value_at(PASSENGERS, streams(Draw.PASSENGERS).random(rows)).astype(np.int64)[row],
        scheduled_time=scheduled,
        call_when_ready=call_when_ready,
        known_since=known,
        ready_at=ready,
        linked=linked,
        deadhead_factor=noise[Draw.DEADHEAD_NOISE],
        loaded_factor=noise[Draw.LOADED_NOISE],
        pickup_service_factor=noise[Draw.PICKUP_NOISE],
        dropoff_service_factor=noise[Draw.DROPOFF_NOISE],
    )


def _when_known(
    scenario: Scenario,
    streams: _Streams,
    row: I64,
    second: BOOL,
    scheduled: F64,
    urgent: BOOL,
    call_when_ready: BOOL,
) -> tuple[F64, F64]:
    """When each leg is first heard of and when it can be assigned, [B] each.

    Both legs of a pair are heard of together. An urgent leg is heard of 0 to 15 minutes ahead, whatever the other leg;
    a "call when ready" return is announced with its pair, urgent or not, and ready at its call.
    """
    rows = int(row[-1]) + 1
    at_start_r = streams(Draw.KNOWN_AT_START).random(rows) < scenario.known_at_start_share
    low, high = scenario.later_notice_min
    notice_r = low + (high - low) * streams(Draw.LATER_NOTICE).random(rows)
    first_r = np.flatnonzero(~second)
    booked_r = np.where(at_start_r, scenario.day_start, scheduled[first_r] - notice_r)
    on_short_notice = scheduled - scenario.urgent_notice_max_min * streams(Draw.URGENT_NOTICE).random(row.size)
    pair_known_r = np.where(urgent[first_r], on_short_notice[first_r], booked_r)
    known = np.where(urgent & second & ~call_when_ready, on_short_notice, pair_known_r[row])
    known = np.minimum(np.maximum(known, scenario.day_start), scheduled)
    return known, np.where(call_when_ready, scheduled, known)


def _drivers(scenario: Scenario, streams: _Streams, regular: int) -> tuple[Driver, ...]:
    emergency = scenario.emergency_drivers(regular)
    count = regular + emergency
    shift_start = np.append(_shift_starts(scenario, streams, regular), np.full(emergency, ON_CALL[0]))
    shift_end = np.append(shift_start[:regular] + scenario.shift_min, np.full(emergency, ON_CALL[1]))
    access = _wheelchair_access(scenario, shift_start, regular)
    latitude, longitude = REGION.home(
        streams(Draw.DRIVER_HOME_CLUSTER).random(count), streams(Draw.DRIVER_HOME_PLACE).standard_normal((count, 2))
    )
    u_home = streams(Draw.DRIVER_STARTS_HOME).random((count, 2))
    depot_latitude, depot_longitude = REGION.to_degrees(
        np.array([REGION.depot_east_km]), np.array([REGION.depot_north_km])
    )
    depot = Location(float(depot_latitude[0]), float(depot_longitude[0]))
    seats = _value_at(VEHICLE_SEATS, streams(Draw.SEATS).random(count))
    share = _value_at(CONTRACT_SHARES, streams(Draw.CONTRACT_SHARE).random(count))
    low, high = np.where((shift_start < LATE_SHIFT_FROM)[:, None], EARLY_BREAK_RANGE, LATE_BREAK_RANGE).T
    break_start = _round_to_slot(low + (high - low) * streams(Draw.BREAK_START).random(count))
    window = streams(Draw.WINDOW)
    window_trips = window.poisson(WINDOW_DAYS * WINDOW_LEGS_PER_DAY * share)
    window_minutes = window_trips * window.uniform(*WINDOW_MINUTES_PER_LEG, count)
    drivers = []
    for index in range(count):
        at_home = bool(u_home[index, 0] < HOME_START_SHARE)
        start = Location(float(latitude[index]), float(longitude[index])) if at_home else depot
        is_emergency = index >= regular
        drivers.append(
            Driver(
                id=f"e{index - regular:03d}" if is_emergency else f"d{index:03d}",
                kind=DriverKind.EMERGENCY if is_emergency else DriverKind.REGULAR,
                available=True,
                wheelchair_access=bool(access[index]),
                seats=int(seats[index]),
                shift_start=float(shift_start[index]),
                shift_end=float(shift_end[index]),
                start_location=start,
                end_location=start if at_home and u_home[index, 1] < HOME_END_SHARE else None,
                breaks=(Break(float(break_start[index]), float(break_start[index]) + scenario.break_min),),
                contract_share=1.0 if is_emergency else float(share[index]),
                window_trips=0 if is_emergency else int(window_trips[index]),
                window_minutes=0.0 if is_emergency else float(window_minutes[index]),
            )
        )
    return tuple(drivers)


def _round_to_slot(minutes: F64) -> F64:
    return SLOT_MIN * np.round(minutes / SLOT_MIN)


def _shift_starts(scenario: Scenario, streams: _Streams, regular: int) -> F64:
    """Start of every REGULAR driver's shift [R], rostered for the forecast."""
    legs = scenario.expected_legs_per_driver * regular
    slots = streams(Draw.SHIFT_JITTER).integers(-SHIFT_JITTER_SLOTS, SHIFT_JITTER_SLOTS + 1, regular)
    jittered = np.array(roster(regular, legs, scenario.shift_min)) + SLOT_MIN * slots
    return np.clip(jittered, EARLIEST_START, LATEST_START)


def _wheelchair_access(scenario: Scenario, shift_start: F64, regular: int) -> BOOL:
    """Vehicles [D] with wheelchair access: the share of the REGULAR ones, rounded up, spread evenly over their shifts.

    Of the reserve every other one, the first included.
    """
    order = np.argsort(shift_start[:regular], kind="stable")
    accessible = math.ceil(scenario.wheelchair_vehicle_share * regular)
    access = np.zeros(shift_start.size, dtype=np.bool_)
    access[order[np.floor(np.arange(accessible) * regular / max(accessible, 1)).astype(np.int64)]] = True
    access[regular:] = np.arange(shift_start.size - regular) % 2 == 0
    return access
