import dataclasses
from typing import Any

import pytest

from qdispatch_trainer.scenarios import CLINIC_DAY, SCENARIOS, Scenario, scenario_named


def test_the_scenarios_of_the_design_are_there() -> None:
    sizes = {name: (s.driver_counts[0][0], s.legs) for name, s in SCENARIOS.items() if s.legs is not None}
    assert sizes == {
        "fleet-10x60": (10, 60),
        "fleet-30x200": (30, 200),
        "fleet-60x300": (60, 300),
        "fleet-100x700": (100, 700),
        "urgent-heavy": (10, 60),
        "classic-10x20": (9, 20),  # and one EMERGENCY driver: ten in all
    }
    assert set(SCENARIOS) == {*sizes, "clinic-day"}
    assert SCENARIOS["urgent-heavy"].urgent_share == 0.40


@pytest.mark.parametrize(("regular", "emergency"), [(1, 1), (4, 1), (10, 1), (30, 3), (100, 10)])
def test_one_emergency_driver_per_ten_at_least_one(regular: int, emergency: int) -> None:
    assert CLINIC_DAY.emergency_drivers(regular) == emergency


def test_the_digest_covers_every_field() -> None:
    changed = {CLINIC_DAY.digest()}
    for field in dataclasses.fields(Scenario):
        value: Any = getattr(CLINIC_DAY, field.name)
        if field.name == "driver_counts":
            value = ((4, 1.0),)
        elif field.name == "later_notice_min":
            value = (60.0, 241.0)
        elif field.name == "rows_range":
            value = (3, 23)
        elif field.name == "legs":
            value = 20
        elif isinstance(value, str):
            value += "-other"
        else:
            value = value * 0.99 if isinstance(value, float) else value + 1
        changed.add(dataclasses.replace(CLINIC_DAY, **{field.name: value}).digest())
    assert len(changed) == 1 + len(dataclasses.fields(Scenario))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"driver_counts": ((4, 0.9),)}, "expected 1"),
        ({"driver_counts": ((0, 1.0),)}, "at least one REGULAR"),
        ({"legs": 0}, "legs >= 1"),
        ({"rows_range": (11, 12)}, "rows_range"),
        ({"urgent_share": 1.5}, "urgent_share"),
    ],
)
def test_a_wrong_scenario_is_refused(change: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        dataclasses.replace(CLINIC_DAY, **change)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="clinic-day, fleet-10x60"):
        scenario_named("clinic")
