"""The objective that both solvers can express, and the judge who refuses broken rules."""

from __future__ import annotations

import numpy as np
import pytest

from qdispatch_domain.travel import Travel
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.hindsight.problem import problem_of, truth_of
from qdispatch_trainer.hindsight.routes import (
    LATEST,
    PICKUP_SERVICE,
    REAL,
    SCHEDULED,
    SHIFT_END,
    START,
    TOLERANCE,
    TRIP_COST,
    UNSERVED,
)
from qdispatch_trainer.hindsight.shared_cost import shared_cost
from qdispatch_trainer.hindsight.shared_objective import OWN_BREAKS, shared_objective
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedPurpose
from tests.trainer.hindsight.tiny_days import cut, known_day


def test_a_drive_takes_the_minutes_of_the_hour_it_leads_to() -> None:
    true = known_day("fleet-10x60", 0)
    shared = shared_objective(true, 2.0)
    rush = true.booking[:, SCHEDULED].copy()
    for k, scheduled in enumerate(rush):
        free_flow, minutes = true.approach[REAL, :, k], shared.approach[REAL, :, k]
        np.testing.assert_allclose(Travel().arrive(scheduled - minutes, free_flow), scheduled, atol=1e-6)
    assert (shared.approach[REAL] > true.approach[REAL] + 1.0).any(), "no drive falls into a rush hour"


def test_windows_close_with_the_room_but_never_after_the_rule() -> None:
    true = known_day("fleet-10x60", 0)
    booking = shared_objective(true, 2.0).booking
    np.testing.assert_allclose(booking[:, LATEST], booking[:, SCHEDULED] + booking[:, TOLERANCE] + 2.0)
    wide = shared_objective(true, 60.0).booking
    np.testing.assert_allclose(wide[:, LATEST], true.booking[:, LATEST])


def test_a_ride_across_a_break_is_forbidden() -> None:
    true = cut(known_day("clinic-day", 0), 1, 1)
    scheduled = true.booking[0, SCHEDULED]
    true.permitted[:] = True
    leave = scheduled + true.booking[0, PICKUP_SERVICE + REAL]
    for begins, ends, permitted in ((leave, leave + 30.0, False), (scheduled - 30.0, scheduled, True)):
        breaks = np.array([[[begins]], [[ends]]])
        assert shared_objective(true._replace(breaks=breaks), 2.0).permitted[0, 0] == permitted


def test_breaks_of_very_many_drivers_are_ignored() -> None:
    true = known_day("fleet-60x300", 0)
    assert len(true.driver) > OWN_BREAKS
    np.testing.assert_array_equal(shared_objective(true, 2.0).permitted, true.permitted)


def test_without_full_knowledge_or_a_window_it_is_refused() -> None:
    truth = truth_of(generate_day(scenario_named("clinic-day"), SeedPurpose.VALIDATION.first_seed))
    with pytest.raises(ValueError, match="full knowledge"):
        shared_objective(problem_of(truth, known=False), 2.0)
    with pytest.raises(ValueError, match="late_room_min"):
        shared_objective(problem_of(truth), 0.0)


def test_the_judge_refuses_every_broken_rule() -> None:
    p = shared_objective(cut(known_day("clinic-day", 0), 2, 2), 2.0)
    p.permitted[:], p.approach[:], p.home[:] = True, 0.0, 3.0
    p.driver[:, START], p.driver[:, SHIFT_END], p.driver[:, TRIP_COST] = 0.0, 1440.0, 0.0
    unserved = p.booking[:, UNSERVED]
    assert shared_cost(p, [[], []]) == unserved.sum()
    assert shared_cost(p, [[0], []]) == 3.0 + unserved[1]
    assert shared_cost(p, [[0], [1]]) == 6.0
    with pytest.raises(ValueError, match="twice"):
        shared_cost(p, [[0], [0]])
    with pytest.raises(ValueError, match="Expected 2 routes"):
        shared_cost(p, [[0]])
    with pytest.raises(ValueError, match="may not"):
        shared_cost(p._replace(permitted=np.zeros_like(p.permitted)), [[0], []])
    with pytest.raises(ValueError, match="too late"):
        shared_cost(p._replace(approach=p.approach + p.booking[0, LATEST] + 1.0), [[0], []])
    with pytest.raises(ValueError, match="after the shift"):
        shared_cost(p._replace(home=p.home + 1440.0), [[0], []])
