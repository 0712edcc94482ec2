"""The frozen scenarios: how many drivers and legs a day has, what is known when, and how noisy it is.

The shape of the demand (hours, return delays, places, distances) is common to all of them and stands in `demand.py`,
that of the workforce (vehicles, contracts, breaks, reserve) in `workforce.py`.
Frozen together with the cost weights: a change makes every published table void, so results print `digest()`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType

from qdispatch_trainer.demand import demand_constants
from qdispatch_trainer.workforce import workforce_constants


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of day. Shares and probabilities in [0, 1]; times in minutes.

    `driver_counts` lists (REGULAR drivers, probability). The number of legs is exactly `legs`, or, if that is None,
    that of round(rows_median · exp(rows_log_sd · normal)) rows kept within
    `rows_range`; a row is a pair of legs or a single leg.
    """

    name: str
    driver_counts: tuple[tuple[int, float], ...]
    legs: int | None
    rows_median: float = 0.0
    rows_log_sd: float = 0.0
    rows_range: tuple[int, int] = (0, 0)
    rows_drivers_correlation: float = 0.0  # of the normal scores behind the two counts: busy days have more drivers
    pair_share: float = 0.84  # rows that are outbound + return; the others are half outbound, half return
    urgent_share: float = 0.10
    urgent_notice_max_min: float = 15.0  # an urgent leg becomes known 0 to this many minutes ahead
    known_at_start_share: float = 0.70  # of the rows that are not urgent
    later_notice_min: tuple[float, float] = (60.0, 240.0)  # the rest becomes known this long ahead
    call_when_ready_share: float = 0.60  # of the returns: no time until the patient calls
    wheelchair_share: float = 0.20  # of the rows
    wheelchair_vehicle_share: float = 0.50
    travel_sigma: float = 0.15  # lognormal with mean 1
    service_sigma: float = 0.25  # lognormal with mean 1
    shift_min: float = 480.0  # of a REGULAR driver; EMERGENCY drivers are on call (`workforce.py`)
    break_min: float = 30.0
    regular_per_emergency: int = 10  # one EMERGENCY driver per so many REGULAR ones, at least one, in addition
    day_start: float = 360.0  # service-day minutes; "known at the start" means known then

    def __post_init__(self) -> None:
        total = math.fsum(probability for _, probability in self.driver_counts)
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"{self.name}: driver_counts sum to {total}; expected 1")
        if min(count for count, _ in self.driver_counts) < 1:
            raise ValueError(f"{self.name}: expected at least one REGULAR driver")
        if self.legs is None and not 1 <= self.rows_range[0] <= self.rows_median <= self.rows_range[1]:
            raise ValueError(f"{self.name}: expected 1 <= rows_range[0] <= rows_median <= rows_range[1]")
        if self.legs is not None and self.legs < 1:
            raise ValueError(f"{self.name}: expected legs >= 1")
        for field in (
            "pair_share",
            "urgent_share",
            "known_at_start_share",
            "call_when_ready_share",
            "wheelchair_share",
            "wheelchair_vehicle_share",
            "rows_drivers_correlation",
        ):
            if not 0.0 <= getattr(self, field) <= 1.0:
                raise ValueError(f"{self.name}: expected {field} in [0, 1]")

    def emergency_drivers(self, regular: int) -> int:
        """Number of EMERGENCY drivers beside `regular` REGULAR ones."""
        return max(1, regular // self.regular_per_emergency)

    @property
    def max_drivers(self) -> int:
        """The most drivers of any day, EMERGENCY drivers included."""
        return max(self.fleet_sizes)

    @property
    def fleet_sizes(self) -> tuple[int, ...]:
        """How many drivers a day may have, EMERGENCY drivers included."""
        return tuple(count + self.emergency_drivers(count) for count, _ in self.driver_counts)

    @property
    def max_bookings(self) -> int:
        """The most legs of any day."""
        return self.legs if self.legs is not None else 2 * self.rows_range[1]

    @property
    def expected_legs_per_driver(self) -> float:
        """Mean legs per REGULAR driver, what rosters are made for."""
        drivers = math.fsum(count * probability for count, probability in self.driver_counts)
        rows = self.rows_median * math.exp(0.5 * self.rows_log_sd**2)
        legs = self.legs if self.legs is not None else rows * (1.0 + self.pair_share)
        return legs / drivers

    def digest(self) -> str:
        """First 12 hex digits of the SHA-256 of all fields and of the demand's and the workforce's constants."""
        content = {"scenario": asdict(self), "demand": demand_constants(), "workforce": workforce_constants()}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def _fleet(name: str, drivers: int, legs: int, urgent_share: float = 0.10) -> Scenario:
    return Scenario(name=name, driver_counts=((drivers, 1.0),), legs=legs, urgent_share=urgent_share)


CLINIC_DAY = Scenario(
    name="clinic-day",
    driver_counts=((1, 0.05), (2, 0.08), (3, 0.29), (4, 0.48), (5, 0.10)),
    legs=None,
    rows_median=10.2,
    rows_log_sd=0.4,
    rows_range=(3, 22),
    rows_drivers_correlation=0.95,  # the company rosters drivers for the bookings it has
)

SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        scenario.name: scenario
        for scenario in (
            CLINIC_DAY,
            _fleet("fleet-10x60", 10, 60),
            _fleet("fleet-30x200", 30, 200),
            _fleet("fleet-60x300", 60, 300),
            _fleet("fleet-100x700", 100, 700),
            _fleet("urgent-heavy", 10, 60, urgent_share=0.40),
            _fleet("classic-10x20", 9, 20),  # ten drivers with the EMERGENCY driver: the size of the flat network
        )
    }
)


def scenario_named(name: str) -> Scenario:
    """The scenario of that name; ValueError, naming all of them, if there is none."""
    if name not in SCENARIOS:
        raise ValueError(f"unknown scenario {name!r}; expected one of {', '.join(SCENARIOS)}")
    return SCENARIOS[name]
