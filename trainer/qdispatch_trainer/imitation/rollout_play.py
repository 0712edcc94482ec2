"""What single decisions were worth: days played by the policy, and at some of its decisions every option played out.

At a sampled decision one booking is held back until the next event, or committed to one of its best drivers; each
option is a copy of the day that the policy plays to the end (`simulator/branching.py`). All copies meet the same
future, so a difference of their costs is one unbiased sample of the advantage of committing now over holding, given
the policy: the n-step return with n to the end of the day and the day's own future as control variate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Scorer, Situation, days_of
from qdispatch_trainer.day import Day
from qdispatch_trainer.imitation.reading import PAIR, Reading
from qdispatch_trainer.imitation.states import I64, STATE, States, join
from qdispatch_trainer.simulator.branching import HOLD, Branches, branch, join_branches, play_branches
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.play import play_round

F64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
NOT_TRIED = -1
BRANCHES_AT_ONCE = 600


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which decisions are tried. `sharpness_min` is how near to Q(wait) a booking's best pair counts as doubtful."""

    rate: float = 0.15  # chance of a booking whose best pair is at Q(wait) to be tried, per event
    sharpness_min: float = 10.0
    floor: float = 0.05  # share of the rate that the clear cases keep
    drivers: int = 2  # best drivers of the booking that are tried

    def __post_init__(self) -> None:
        for name in ("rate", "floor"):
            if not 0.0 < getattr(self, name) <= 1.0:
                raise ValueError(f"Expected {name} in (0, 1], got {getattr(self, name)}.")
        if not self.sharpness_min > 0.0:
            raise ValueError(f"Expected sharpness_min > 0, got {self.sharpness_min}.")
        if self.drivers < 1:
            raise ValueError(f"Expected drivers >= 1, got {self.drivers}.")


class Remembered:
    """A policy that scores the same situation once, however often it is asked."""

    def __init__(self, policy: Scorer) -> None:
        self._policy = policy
        self._last: tuple[Situation, Scores] | None = None

    def score(self, situation: Situation) -> Scores:
        """The policy's scores, see `Scorer`."""
        if self._last is None or self._last[0] is not situation:
            self._last = (situation, self._policy.score(situation))
        return self._last[1]


def sampled_decisions(situation: Situation, scores: Scores, how: Sampling, rng: np.random.Generator) -> list[I64]:
    """Per chosen day the pairs to try of one booking, best first; at most one booking a day, none that is forced."""
    pairs, must = situation.table.insertion, situation.table.must
    lead = scores.q_pair - days_of(scores, situation.fleet.days)[pairs.day]
    place = pairs.day * situation.fleet.open.shape[1] + pairs.booking
    order = np.lexsort((-scores.q_pair, place))
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    best = order[starts]
    doubt = np.exp(-np.abs(np.nan_to_num(lead[best])) / how.sharpness_min)
    chance = how.rate * np.maximum(doubt, how.floor)
    chosen = (rng.random(len(best)) < chance) & ~must[pairs.day[best], pairs.booking[best]]
    ends = np.append(starts[1:], len(order))
    which = np.flatnonzero(chosen)
    which = rng.permutation(which)
    _, first = np.unique(pairs.day[best[which]], return_index=True)
    return [order[starts[k] : min(ends[k], starts[k] + how.drivers)] for k in which[np.sort(first)]]


def play_rollouts(days: Sequence[Day], policy: Scorer, reading: Reading, how: Sampling, seed: Sequence[int]) -> States:
    """States of the tried decisions, none perhaps: per pair `tried` and its `gain` over holding, per state `remaining`.

    `gain` is minutes-equivalent, as the cost of holding minus that of committing; `remaining` is the cost still to come
    when the booking is held.
    """
    rng = np.random.default_rng(seed)
    batch, scorer = DayBatch(days), Remembered(policy)
    parts = [_branched(batch, batch.situation(), [], reading, 0)[1]]  # the layout, should nothing be tried
    waiting: list[Branches] = []
    costs = [np.zeros(0)]
    count = 0
    while not batch.over.all():
        situation = batch.situation()
        if len(situation.table.rank):
            decisions = sampled_decisions(situation, scorer.score(situation), how, rng)
            if decisions:
                branches, states = _branched(batch, situation, decisions, reading, count)
                waiting.append(branches)
                parts.append(states)
                count += len(branches.booking)
        play_round(batch, scorer)
        if sum(len(b.booking) for b in waiting) >= BRANCHES_AT_ONCE:
            costs.append(play_branches(join_branches(waiting), policy))
            waiting = []
    if waiting:
        costs.append(play_branches(join_branches(waiting), policy))
    return _with_outcomes(join(parts), np.concatenate(costs))


def _branched(
    batch: DayBatch, situation: Situation, decisions: list[I64], reading: Reading, first: int
) -> tuple[Branches, States]:
    """Per decision a copy that holds and one per pair tried, numbered from `first` on, and their states."""
    pairs = situation.table.insertion
    decisions = sorted(decisions, key=lambda tried: int(pairs.day[tried[0]]))
    number = np.full(len(pairs.day), NOT_TRIED, dtype=np.int64)
    hold = np.full(situation.fleet.days, NOT_TRIED, dtype=np.int64)
    rows: list[int] = []
    booking: list[int] = []
    driver: list[int] = []
    for tried in decisions:
        day, b = int(pairs.day[tried[0]]), int(pairs.booking[tried[0]])
        hold[day] = first + len(rows)
        number[tried] = hold[day] + 1 + np.arange(len(tried))
        rows += [day] * (1 + len(tried))
        booking += [b] * (1 + len(tried))
        driver += [HOLD, *pairs.driver[tried].tolist()]
    copies = branch(batch, _whole(rows), _whole(booking), _whole(driver))
    days = _whole([int(pairs.day[tried[0]]) for tried in decisions])
    states = reading.states(situation, days, {"number": number}, {"hold": hold, "cost": batch.cost()})
    return copies, states


def _with_outcomes(states: States, cost: F64) -> States:
    """The states with what their branches cost in place of the branches' numbers."""
    pairs, own = states.columns[PAIR], states.columns[STATE]
    number, hold = pairs["number"].astype(np.int64), own["hold"].astype(np.int64)
    held = cost[hold]
    tried = number != NOT_TRIED
    gain = np.zeros(len(number))
    gain[tried] = held[states.rows_of(PAIR)[tried]] - cost[number[tried]]
    of_pair = {name: array for name, array in pairs.items() if name != "number"}
    of_state = {name: array for name, array in own.items() if name not in ("hold", "cost")}
    return States(
        states.counts,
        {
            **states.columns,
            PAIR: {**of_pair, "tried": tried, "gain": gain.astype(np.float32)},
            STATE: {**of_state, "remaining": (held - own["cost"].astype(np.float64)).astype(np.float32)},
        },
    )


def _whole(numbers: list[int]) -> I64:
    return np.array(numbers, dtype=np.int64)
