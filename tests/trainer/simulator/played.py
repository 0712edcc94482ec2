"""Days played once for several tests."""

from functools import cache

from qdispatch_domain.heuristics import CheapestInsertion, NearestDriver, RandomFeasible
from qdispatch_domain.situation import Scorer
from qdispatch_trainer.day import Day
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.scenarios import SCENARIOS
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.day_log import DayLog
from qdispatch_trainer.simulator.play import play

SCORERS = ("cheapest", "nearest", "random")


def scorer(name: str) -> Scorer:
    """A fresh policy of that name."""
    if name == "random":
        return RandomFeasible(5)
    return CheapestInsertion() if name == "cheapest" else NearestDriver()


def days_of(scenario: str, count: int, first: int = 0) -> list[Day]:
    """`count` training days from seed `first` on."""
    return [generate_day(SCENARIOS[scenario], seed) for seed in range(first, first + count)]


@cache
def played(scenario: str, policy: str, count: int) -> tuple[DayBatch, DayLog]:
    """The finished batch of `count` days and its decision log. Do not change it."""
    log = DayLog()
    return play(days_of(scenario, count), scorer(policy), log), log
