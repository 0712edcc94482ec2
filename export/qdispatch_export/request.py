"""What one export is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qdispatch_bundle.manifest import Limits, ModelKind
from qdispatch_domain.candidates import CANDIDATES
from qdispatch_domain.classic import BOOKINGS, DRIVERS

# How many days of which scenario are played to meet situations: they calibrate the static INT8 forms, check the
# agreement and become golden vectors. Every size of fleet is there: the largest set the range of the activations.
OBSERVED_DAYS = {
    ModelKind.SET: (
        ("clinic-day", 6),
        ("fleet-10x60", 4),
        ("fleet-30x200", 2),
        ("fleet-60x300", 2),
        ("fleet-100x700", 2),
    ),
    ModelKind.FLAT: (("classic-10x20", 6), ("clinic-day", 6)),
}
JUDGING_SCENARIOS = {ModelKind.SET: ("clinic-day", "fleet-10x60"), ModelKind.FLAT: ("classic-10x20",)}
FEWEST_JUDGED_DAYS = 100  # closed loop; fewer say nothing about the next bundle and need `allow_few_days`


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """One export, checked when built."""

    checkpoint: Path
    out: Path
    command: str  # as typed, for the manifest
    scenarios: tuple[str, ...] | None = None  # judged in closed loop; None: JUDGING_SCENARIOS
    observed: tuple[tuple[str, int], ...] | None = None  # (scenario, days) to meet situations in; None: OBSERVED_DAYS
    days: int = 200  # judged per scenario
    moments: int = 120  # situations kept per observed scenario
    latency_runs: int = 200
    golden: int = 12
    model_version: str | None = None  # None: kind, scenario and the first digits of the graph's hash
    max_drivers: int = 200  # set only; the flat model has its own
    max_bookings: int = 1000
    force: bool = False
    allow_few_days: bool = False

    def __post_init__(self) -> None:
        least = 2 if self.allow_few_days else FEWEST_JUDGED_DAYS
        if self.days < least:
            raise ValueError(f"Expected at least {least} days in closed loop.")
        if min(self.latency_runs, self.golden, self.max_drivers, self.max_bookings) < 1:
            raise ValueError("Expected latency runs, golden vectors and limits >= 1.")
        if self.moments < 4:
            raise ValueError("Expected at least 4 moments per observed scenario.")
        if self.scenarios is not None and len(set(self.scenarios)) != len(self.scenarios):
            raise ValueError("Expected every scenario once.")
        if self.observed is not None and min((days for _, days in self.observed), default=0) < 1:
            raise ValueError("Expected at least one day of each observed scenario.")

    def judged(self, kind: ModelKind) -> tuple[str, ...]:
        """Names of the scenarios played in closed loop."""
        return JUDGING_SCENARIOS[kind] if self.scenarios is None else self.scenarios

    def observe(self, kind: ModelKind) -> tuple[tuple[str, int], ...]:
        """Scenarios and days played to meet situations."""
        return OBSERVED_DAYS[kind] if self.observed is None else self.observed

    def limits(self, kind: ModelKind) -> Limits:
        """The largest observation the model will take."""
        if kind is ModelKind.FLAT:
            return Limits(DRIVERS, BOOKINGS, DRIVERS * BOOKINGS)
        return Limits(self.max_drivers, self.max_bookings, self.max_bookings * CANDIDATES)
