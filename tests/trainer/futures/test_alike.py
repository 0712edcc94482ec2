"""Days of the same kind: never the day itself, and staffed alike."""

from __future__ import annotations

import numpy as np
import pytest

from qdispatch_trainer.futures import alike
from qdispatch_trainer.futures.alike import days_alike
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose, purpose_of, seed_at


def test_as_many_regular_drivers_and_train_seeds_only() -> None:
    days = [generate_day(scenario_named("clinic-day"), seed_at(SeedPurpose.VALIDATION, k)) for k in range(6)]
    drawn = days_alike(days, 5, (1,)).days
    assert len(drawn) == 30
    for n, day in enumerate(days):
        for other in drawn[5 * n : 5 * n + 5]:
            assert abs(len(other.drivers) - len(day.drivers)) <= 1  # one or two drivers are rare days
            assert purpose_of(other.seed) is SeedPurpose.TRAIN
    alike_n = [len(other.drivers) == len(days[k // 5].drivers) for k, other in enumerate(drawn)]
    assert np.mean(alike_n) > 0.9  # by chance a third
    assert len({other.seed for other in drawn}) > 20


def test_the_day_itself_is_never_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    # With three train seeds in all, a draw that allowed the day's own seed would meet it.
    monkeypatch.setattr(alike, "SEEDS_PER_PURPOSE", 3)
    day = generate_day(scenario_named("fleet-10x60"), 1)
    seeds = {other.seed for other in days_alike([day], 40, (2,)).days}
    assert seeds == {0, 2}


def test_the_seed_decides() -> None:
    days = [generate_day(scenario_named("fleet-10x60"), 5)]
    first, again, other = (days_alike(days, 4, (seed,)) for seed in (3, 3, 4))
    assert np.array_equal(first.scheduled, again.scheduled)
    assert not np.array_equal(first.scheduled, other.scheduled)
