"""The aggregates of generated days, and the figures of the real year they are calibrated to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from qdispatch_domain.snapshot import DriverKind
from qdispatch_domain.start_times import FIRST_HOUR, LEGS_PER_THOUSAND_BY_HOUR
from qdispatch_domain.travel import DETOUR_FACTOR, Travel, places_from_degrees
from qdispatch_trainer.day import F64, Day
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.scenarios import Scenario

REAL_YEAR: Mapping[str, float] = {
    "legs per day, median": 19.0,
    "drivers per day, median": 4.0,
    "drivers per day, mean": 3.5,
    "legs per driver and day, mean": 5.9,
    "rows that are pairs, share": 0.84,
    **{
        f"legs starting at {FIRST_HOUR + index} h, per thousand": float(count)
        for index, count in enumerate(LEGS_PER_THOUSAND_BY_HOUR)
    },
    "return after the outbound, min, p10": 105.0,
    "return after the outbound, min, p50": 255.0,
    "return after the outbound, min, p90": 405.0,
    "crow-fly km, p10": 1.5,
    "crow-fly km, p25": 2.5,
    "crow-fly km, p50": 4.8,
    "crow-fly km, p75": 10.6,
    "crow-fly km, p90": 11.5,
    "crow-fly km, p99": 14.5,
    "home latitude, p1": 46.168,
    "home latitude, p50": 46.235,
    "home latitude, p99": 46.301,
    "home longitude, p1": 6.076,
    "home longitude, p50": 6.207,
    "home longitude, p99": 6.248,
}


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One line of the table: what was generated, and what the real year had (None: not among its figures)."""

    name: str
    generated: float
    real_year: float | None


def describe(scenario: Scenario, seeds: Iterable[int]) -> tuple[Aggregate, ...]:
    """Aggregates over the days of `seeds`: the real year's figures first, then the scenario's own shares."""
    days = [generate_day(scenario, seed) for seed in seeds]
    if not days:
        raise ValueError("Expected at least one seed.")
    values = {**_calibrated(days), **_shares(days)}
    return tuple(Aggregate(name, value, REAL_YEAR.get(name)) for name, value in values.items())


def _column(days: list[Day], name: str) -> F64:
    return np.concatenate([np.asarray(getattr(day.bookings, name), dtype=np.float64) for day in days])


def _calibrated(days: list[Day]) -> dict[str, float]:
    legs = np.array([len(day.bookings) for day in days], dtype=np.float64)
    regular = np.array([sum(d.kind is DriverKind.REGULAR for d in day.drivers) for day in days], dtype=np.float64)
    pairs = float(sum(int((day.bookings.linked >= 0).sum()) // 2 for day in days))
    start = _column(days, "scheduled_time")
    delay = np.concatenate([_delays(day) for day in days])
    pickup = places_from_degrees(_column(days, "pickup_latitude"), _column(days, "pickup_longitude"))
    dropoff = places_from_degrees(_column(days, "dropoff_latitude"), _column(days, "dropoff_longitude"))
    road_km = Travel().kilometers(pickup, dropoff)
    if road_km is None:
        raise TypeError("distances on the sphere are always known")
    crow_fly = road_km / DETOUR_FACTOR
    outbound = _column(days, "is_return") == 0.0
    hours = np.bincount((start // 60).astype(np.int64) - FIRST_HOUR, minlength=len(LEGS_PER_THOUSAND_BY_HOUR))
    per_thousand = 1000.0 * hours / start.size
    values = {
        "legs per day, median": float(np.median(legs)),
        "drivers per day, median": float(np.median(regular)),
        "drivers per day, mean": float(regular.mean()),
        "legs per driver and day, mean": float(legs.sum() / regular.sum()),
        "rows that are pairs, share": pairs / (start.size - pairs),
    }
    for index, count in enumerate(per_thousand):
        values[f"legs starting at {FIRST_HOUR + index} h, per thousand"] = float(count)
    for q in (10, 50, 90):
        values[f"return after the outbound, min, p{q}"] = float(np.percentile(delay, q))
    for q in (10, 25, 50, 75, 90, 99):
        values[f"crow-fly km, p{q}"] = float(np.percentile(crow_fly, q))
    for axis in ("latitude", "longitude"):
        for q in (1, 50, 99):
            homes = _column(days, f"pickup_{axis}")[outbound]
            values[f"home {axis}, p{q}"] = float(np.percentile(homes, q))
    return values


def _delays(day: Day) -> F64:
    bookings = day.bookings
    returns = np.flatnonzero((bookings.linked >= 0) & bookings.is_return)
    return bookings.scheduled_time[returns] - bookings.scheduled_time[bookings.linked[returns]]


def _shares(days: list[Day]) -> dict[str, float]:
    urgent = _column(days, "urgent") == 1.0
    is_return = _column(days, "is_return") == 1.0
    known = _column(days, "known_since")
    scheduled = _column(days, "scheduled_time")
    drivers = [driver for day in days for driver in day.drivers]
    regular = [driver for driver in drivers if driver.kind is DriverKind.REGULAR]
    return {
        "urgent legs, share": float(urgent.mean()),
        "urgent outbound legs, longest notice, min": float((scheduled - known)[urgent & ~is_return].max(initial=0.0)),
        "other legs known at the start, share": float((known <= days[0].start)[~urgent].mean()),
        "returns on call, share": float(_column(days, "call_when_ready")[is_return].mean()),
        "legs in a wheelchair, share": float(_column(days, "wheelchair").mean()),
        "REGULAR vehicles with wheelchair access, share": sum(d.wheelchair_access for d in regular) / len(regular),
        "EMERGENCY drivers per day, mean": (len(drivers) - len(regular)) / len(days),
        "travel noise, standard deviation of the logarithm": float(np.log(_column(days, "deadhead_factor")).std()),
        "service noise, standard deviation of the logarithm": float(
            np.log(_column(days, "pickup_service_factor")).std()
        ),
    }
