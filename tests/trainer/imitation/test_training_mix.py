"""Training days: deterministic, varied, and never one that something is judged on."""

from __future__ import annotations

import numpy as np
import pytest

from qdispatch_trainer.imitation.training_mix import (
    DEFAULT_MIX,
    NEVER_TRAINED,
    MixGroup,
    mix_digest,
    scenario_of,
    training_days,
)
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedRangeError


def test_a_seed_names_its_day() -> None:
    group = DEFAULT_MIX["middle"]
    first, again = training_days(group, 100, 4), training_days(group, 100, 4)
    assert [day.scenario for day in first] == [day.scenario for day in again]
    np.testing.assert_array_equal(first[3].bookings.scheduled_time, again[3].bookings.scheduled_time)
    assert first[3].seed == 103


def test_every_size_of_the_groups_is_drawn_and_frozen_days_come_at_their_share() -> None:
    for group in DEFAULT_MIX.values():
        drawn = [scenario_of(group, seed) for seed in range(600)]
        for name, share in group.frozen.items():
            assert sum(s.name == name for s in drawn) / 600 == pytest.approx(share, abs=0.07)
        own = [s for s in drawn if s.name.startswith("mix-")]
        assert {s.driver_counts[0][0] for s in own} == set(range(group.drivers[0], group.drivers[1] + 1))
        load = np.array([s.max_bookings / s.driver_counts[0][0] for s in own if s.driver_counts[0][0] > 2])
        assert load.min() < 5.0
        assert load.max() > 8.0
        assert {s.travel_sigma for s in own} > {0.15} or len({s.travel_sigma for s in own}) > 100


def test_only_train_seeds() -> None:
    with pytest.raises(SeedRangeError):
        scenario_of(DEFAULT_MIX["small"], 1_000_000)


@pytest.mark.parametrize("name", [*NEVER_TRAINED, "no such scenario"])
def test_what_generalisation_is_judged_on_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="No training days"):
        MixGroup((1, 5), 4, frozen={name: 0.5})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"drivers": (0, 5)}, "drivers"),
        ({"drivers": (5, 31)}, "drivers"),
        ({"days_per_round": 0}, "days_per_round"),
        ({"due_share": 0.0}, "due_share"),
        ({"idle_share": 1.1}, "idle_share"),
        ({"teacher_moves": 0}, "teacher_moves"),
        ({"frozen": {"clinic-day": 0.7, "fleet-10x60": 0.7}}, "at most 1"),
    ],
)
def test_a_group_is_checked(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MixGroup(**{"drivers": (1, 5), "days_per_round": 4, **wrong})  # type: ignore[arg-type]


def test_the_digest_covers_groups_and_frozen_scenarios() -> None:
    other = {**DEFAULT_MIX, "small": MixGroup((1, 5), 96, frozen={"clinic-day": 0.5})}
    assert mix_digest(DEFAULT_MIX) == mix_digest(dict(DEFAULT_MIX))
    assert mix_digest(DEFAULT_MIX) != mix_digest(other)
    assert len(mix_digest(other)) == 12
    assert scenario_named("clinic-day").digest()  # the frozen ones have digests of their own
