"""What if: copies of a day as it stands, each with another first decision on one booking, played on to the end.

All copies meet the same future (the day's randomness is drawn before it starts), so the difference of two copies' costs
is what the decision was worth on that day: forced-action rollouts with common random numbers.

The decision is about one booking: it is committed to a driver now, or held back until the next event. Everything else
at that instant, and everything later, the policy decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qdispatch_domain.fleet import EPS
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Scorer, Situation, days_of
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.play import play_round

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
HOLD = -1


@dataclass(frozen=True, slots=True)
class Branches:
    """M copies of running days and what is forced on each: `booking` [M] to `driver` [M], or HOLD for the driver."""

    batch: DayBatch
    booking: I64
    driver: I64

    def __post_init__(self) -> None:
        if not len(self.batch) == len(self.booking) == len(self.driver):
            raise ValueError("Expected one forced decision per copy.")


def branch(batch: DayBatch, rows: I64, booking: I64, driver: I64) -> Branches:
    """Copies of days `rows` [M] of a batch as it stands, with their forced decisions."""
    return Branches(batch.take(rows), booking, driver)


def join_branches(parts: Sequence[Branches]) -> Branches:
    """Several sets of branches as one, whatever the instants they were taken at. ValueError for other paddings."""
    return Branches(
        DayBatch.join([part.batch for part in parts]),
        np.concatenate([part.booking for part in parts]),
        np.concatenate([part.driver for part in parts]),
    )


class Forced:
    """A policy whose decision on one booking per day is forced at the first instant; then it is the policy itself."""

    def __init__(self, branches: Branches, policy: Scorer) -> None:
        self._booking, self._driver, self._policy = branches.booking, branches.driver, policy
        self._start = branches.batch.now

    def score(self, situation: Situation) -> Scores:
        """The policy's scores, the forced pair above all others and the held booking's pairs left alone."""
        scores = self._policy.score(situation)
        pairs = situation.table.insertion
        commit = scores.commit
        if commit is None:
            commit = scores.q_pair > days_of(scores, situation.fleet.days)[pairs.day]
        first = (situation.fleet.now <= self._start + EPS)[pairs.day]
        mine = first & (pairs.booking == self._booking[pairs.day])
        chosen = mine & (pairs.driver == self._driver[pairs.day])
        return Scores(
            q_pair=np.where(chosen, np.inf, scores.q_pair), q_wait=scores.q_wait, commit=np.where(mine, chosen, commit)
        )


def play_branches(branches: Branches, policy: Scorer) -> F64:
    """The cost of the whole day of every branch, [M] minutes-equivalent, when `policy` plays on.

    Raises ValueError when a forced pair is no candidate of its situation, or a booking is held that must be decided.
    """
    batch = branches.batch
    _check(branches)
    scorer = Forced(branches, policy)
    while not batch.over.all():
        play_round(batch, scorer)
    return batch.cost()


def _check(branches: Branches) -> None:
    table = branches.batch.situation().table
    pairs = table.insertion
    holds = branches.driver == HOLD
    days = np.arange(len(holds))
    if bool(np.any(table.must[days[holds], branches.booking[holds]])):
        raise ValueError("Expected no booking to be held that must be decided now.")
    found = np.zeros(len(holds), dtype=np.bool_)
    here = (pairs.booking == branches.booking[pairs.day]) & (pairs.driver == branches.driver[pairs.day])
    found[pairs.day[here]] = True
    if not bool(np.all(found | holds)):
        raise ValueError("Expected every forced pair to be a candidate.")
