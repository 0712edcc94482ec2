"""Each rule on the smallest situation where it differs from the others."""

import numpy as np
import pytest

from qdispatch_domain.decoder import decide
from qdispatch_domain.heuristics import (
    CheapestInsertion,
    EarliestDeadlineNearest,
    FairNearest,
    NearestDriver,
    RandomFeasible,
    RegretInsertion,
)
from qdispatch_domain.situation import Scorer
from qdispatch_domain.snapshot import Snapshot
from tests.domain.random_snapshots import random_snapshot
from tests.domain.situations import booking, driver, snapshot


def _first(day: Snapshot, scorer: Scorer) -> tuple[str, str]:
    pick = decide(day, scorer).picks[0]
    return day.bookings[pick.booking].id, day.drivers[pick.driver].id


# "near" is 1 km from the pickup but has two trips more than "rested", 3 km away
LOADED = snapshot([driver("near", 1.0, trips_done_today=2), driver("rested", 3.0)], [booking("x", 0, 2, 640.0)])
# "early" is due first; "close" has a driver at its door
ORDER = snapshot([driver("d", 8.0)], [booking("early", 0, 2, 640.0), booking("close", 8, 9, 645.0)])
# only "a" reaches "hard" on time or at all; "easy" could be driven by both, and "a" is nearer to it
REGRET = snapshot(
    [driver("a", 2.0), driver("b", 3.0, wheelchair_access=False)],
    [booking("easy", 2, 40, 640.0), booking("hard", 6, 7, 660.0, wheelchair=True)],
)


@pytest.mark.parametrize(
    ("day", "scorer", "choice"),
    [
        (LOADED, NearestDriver(), ("x", "near")),
        (LOADED, FairNearest(), ("x", "rested")),
        (LOADED, CheapestInsertion(), ("x", "rested")),
        (ORDER, EarliestDeadlineNearest(), ("early", "d")),
        (ORDER, NearestDriver(), ("close", "d")),
        (REGRET, CheapestInsertion(), ("easy", "a")),
        (REGRET, RegretInsertion(), ("hard", "a")),
    ],
)
def test_what_each_rule_chooses_first(day: Snapshot, scorer: Scorer, choice: tuple[str, str]) -> None:
    assert _first(day, scorer) == choice


def test_the_window_decides_who_competes() -> None:
    day = snapshot([driver("d", 0.0)], [booking("later", 0, 2, 720.0)])
    assert decide(day, CheapestInsertion(window_min=60.0)).picks == ()
    assert len(decide(day, CheapestInsertion(window_min=180.0)).picks) == 1


def test_random_feasible_is_random_and_repeatable() -> None:
    day = random_snapshot(np.random.default_rng(5), drivers=(8, 8), bookings=(8, 8))

    def run(seed: int) -> list[tuple[int, int]]:
        return [(p.booking, p.driver) for p in decide(day, RandomFeasible(seed, window_min=1e6)).picks]

    assert run(1) == run(1)
    assert len({tuple(run(seed)) for seed in range(10)}) > 1
