"""The planner over sampled futures: legal, repeatable, the plain planner without a future, and better with some."""

from __future__ import annotations

import numpy as np
import pytest

from qdispatch_domain.compiled.local_search import Search
from qdispatch_domain.planner import Planner
from qdispatch_domain.validator import validate_day
from qdispatch_trainer.day import Day
from qdispatch_trainer.futures import FuturesPlanner, Looking
from qdispatch_trainer.futures.planner import _count_within
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.simulator.day_log import DayLog, day_record
from qdispatch_trainer.simulator.play import play

SHORT = Search(moves=40)


def days_of(name: str, count: int, first: int = 1_000_000) -> list[Day]:
    return [generate_day(scenario_named(name), first + k) for k in range(count)]


def test_without_a_look_ahead_it_commits_what_the_planner_commits() -> None:
    days = days_of("clinic-day", 4)
    plain = play(days, Planner(SHORT)).cost()
    found = play(days, FuturesPlanner(days, Looking(futures=3, ahead_min=0.0, search=SHORT), (1,))).cost()
    assert np.array_equal(found, plain)


def test_the_seed_decides_and_the_days_beside_it_do_not_matter() -> None:
    days, looking = days_of("urgent-heavy", 3), Looking(futures=3, search=SHORT)
    first, again, other = (play(days, FuturesPlanner(days, looking, (seed,))).cost() for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    alone = play(days[:1], FuturesPlanner(days[:1], looking, (1,))).cost()
    assert alone[0] == first[0]


@pytest.mark.parametrize("known_moves", [0, 60])
def test_its_days_break_no_hard_rule(known_moves: int) -> None:
    days, log = days_of("clinic-day", 6), DayLog()
    looking = Looking(futures=3, search=SHORT, known_moves=known_moves)
    batch = play(days, FuturesPlanner(days, looking, (1,)), log)
    assert [violation for n in range(6) for violation in validate_day(day_record(batch, n, log))] == []
    assert (batch.cost() > 0.0).all()


def test_a_plan_to_start_from_is_kept_when_nothing_is_moved() -> None:
    days = days_of("clinic-day", 4)
    plain = play(days, Planner(Search(moves=300))).cost()
    looking = Looking(futures=2, ahead_min=0.0, search=Search(moves=0), known_moves=300)
    found = play(days, FuturesPlanner(days, looking, (1,))).cost()
    fresh = play(days, Planner(Search(moves=0))).cost()
    assert abs(found - plain).sum() < abs(fresh - plain).sum()


def test_counting_within_runs() -> None:
    assert _count_within(np.array([4, 4, 4, 7, 9, 9])).tolist() == [0, 1, 2, 0, 0, 1]
    assert _count_within(np.zeros(0, int)).tolist() == []
