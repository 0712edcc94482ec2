"""The planner that counts on the reserve: the planner where there is none, and no hoarding where there is one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("numba", reason="install the extra [search]: the search is compiled by numba")

from qdispatch_domain.compiled.local_search import Search
from qdispatch_domain.packing import pack
from qdispatch_domain.planner import Planner
from qdispatch_domain.reserve_planner import ReservePlanner
from qdispatch_domain.situation import Situation
from qdispatch_domain.snapshot import DriverKind
from tests.domain.random_snapshots import random_snapshot
from tests.domain.situations import booking, driver, snapshot

HOW = Search(moves=200, start_temperature=60.0, end_temperature=2.0)  # not those of Looking


def committed(planner: Planner | ReservePlanner, situation: Situation) -> list[bool]:
    """Which pairs it commits."""
    commit = planner.score(situation).commit
    assert commit is not None
    return list(commit.tolist())


@pytest.mark.parametrize("seed", range(20))
def test_without_a_reserve_it_is_the_planner(seed: int) -> None:
    day = random_snapshot(np.random.default_rng(seed))
    regular = tuple(replace(driver, kind=DriverKind.REGULAR) for driver in day.drivers)
    situation = Situation(pack([replace(day, drivers=regular)]))
    ours, plain = ReservePlanner(HOW, 10.0).score(situation), Planner(HOW, 10.0).score(situation)
    assert (ours.q_pair == plain.q_pair).all()
    assert committed(ReservePlanner(HOW, 10.0), situation) == committed(Planner(HOW, 10.0), situation)


def test_a_booking_that_the_reserve_can_save_holds_no_driver_back() -> None:
    """One REGULAR driver is in time for either booking but not for both."""
    drivers = [driver("regular", 1.0), driver("reserve", 1.0, kind=DriverKind.EMERGENCY)]
    situation = Situation(pack([snapshot(drivers, [booking(name, 1.0, 9.0, 606.0) for name in "ab"])]))
    lead = 60.0
    assert sum(committed(Planner(HOW, lead), situation)) == 2  # one of them late, behind the other
    assert sum(committed(ReservePlanner(HOW, lead), situation)) == 1


def test_a_day_without_pairs_is_no_error() -> None:
    situation = Situation(pack([snapshot([driver("d")], [])]))
    assert committed(ReservePlanner(), situation) == []
