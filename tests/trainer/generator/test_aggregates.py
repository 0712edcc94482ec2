"""The generated demand against the figures of the real year (clinic-day), each within a stated tolerance."""

from collections.abc import Mapping

import pytest

from qdispatch_trainer.describe import REAL_YEAR, Aggregate, describe
from qdispatch_trainer.scenarios import SCENARIOS

# Absolute tolerances: about three standard errors over 2,000 days, and the grid of 15 minutes for the delays.
TOLERANCE = {
    "legs per day, median": 1.0,
    "drivers per day, median": 0.0,
    "drivers per day, mean": 0.1,
    "legs per driver and day, mean": 0.4,
    "rows that are pairs, share": 0.01,
    "return after the outbound, min, p10": 15.0,
    "return after the outbound, min, p50": 15.0,
    "return after the outbound, min, p90": 15.0,
    "crow-fly km, p10": 0.2,
    "crow-fly km, p25": 0.2,
    "crow-fly km, p50": 0.3,
    "crow-fly km, p75": 0.2,
    "crow-fly km, p90": 0.2,
    "crow-fly km, p99": 0.3,
    "home latitude, p1": 0.005,
    "home latitude, p50": 0.002,
    "home latitude, p99": 0.005,
    "home longitude, p1": 0.005,
    "home longitude, p50": 0.002,
    "home longitude, p99": 0.005,
}
HOURLY_TOLERANCE = 8.0  # per thousand


@pytest.fixture(scope="module")
def clinic_day() -> Mapping[str, Aggregate]:
    return {row.name: row for row in describe(SCENARIOS["clinic-day"], range(2000))}


@pytest.mark.parametrize("name", list(REAL_YEAR))
def test_clinic_day_has_the_aggregates_of_the_real_year(clinic_day: Mapping[str, Aggregate], name: str) -> None:
    tolerance = HOURLY_TOLERANCE if name.startswith("legs starting at") else TOLERANCE[name]
    assert clinic_day[name].real_year == REAL_YEAR[name]
    assert clinic_day[name].generated == pytest.approx(REAL_YEAR[name], abs=tolerance)


@pytest.mark.parametrize(
    ("name", "urgent_share"), [("clinic-day", 0.10), ("fleet-10x60", 0.10), ("urgent-heavy", 0.40)]
)
def test_shares_of_the_scenarios(name: str, urgent_share: float) -> None:
    rows = {row.name: row.generated for row in describe(SCENARIOS[name], range(600))}
    assert rows["urgent legs, share"] == pytest.approx(urgent_share, abs=0.015)
    assert 13.0 < rows["urgent outbound legs, longest notice, min"] <= 15.0
    assert rows["returns on call, share"] == pytest.approx(0.60, abs=0.02)
    assert rows["legs in a wheelchair, share"] == pytest.approx(0.20, abs=0.02)
    assert rows["EMERGENCY drivers per day, mean"] == 1.0
    assert rows["travel noise, standard deviation of the logarithm"] == pytest.approx(0.15, abs=0.005)
    assert rows["service noise, standard deviation of the logarithm"] == pytest.approx(0.25, abs=0.005)
    # 70 % of the rows; returns of urgent outbounds come later, legs before 10 h that are booked late may come at 6 h
    assert rows["other legs known at the start, share"] == pytest.approx(0.70, abs=0.15 if urgent_share > 0.1 else 0.04)


def test_describe_refuses_no_seeds() -> None:
    with pytest.raises(ValueError, match="at least one seed"):
        describe(SCENARIOS["clinic-day"], ())
