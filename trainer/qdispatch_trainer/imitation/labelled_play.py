"""Playing days while a teacher labels every state met (DAgger; Ross, Gordon and Bagnell 2011, algorithm 3.1).

The teacher acts on some days, the network on the others, both through the domain's decoder; a state is what the
decoder asks about, second passes for bookings past their `decide_by` included. On every day the teacher says which
pairs it would commit there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qdispatch_domain.events import next_event
from qdispatch_domain.fleet import EPS
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Scorer, Situation, days_of
from qdispatch_trainer.day import Day
from qdispatch_trainer.imitation.reading import Reading
from qdispatch_trainer.imitation.states import States, join
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.play import play_round
from qdispatch_trainer.train import LEAD_MIN

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(slots=True)
class LabelledPlay:
    """What one batch of days left: its states, and how much of what it saw the network did alike."""

    states: list[States]
    met: int = 0  # states with at least one pair
    teacher_commits: int = 0
    network_commits: int = 0
    both_commit: int = 0
    returns: npt.NDArray[np.float64] | None = None  # [N] C(start) - C(end)


@dataclass(frozen=True, slots=True)
class Keeping:
    """Which share of the states met is remembered: of those in which a driver must leave before the next look, and
    of the idle others. Both shares depend on what the network sees, never on the labels, so they bias no label.
    """

    due_share: float = 1.0
    idle_share: float = 1.0

    def chances(self, situation: Situation) -> F64:
        """The chance of every day's state, [N]; 0 without a pair."""
        pairs = situation.table.insertion
        until = np.maximum(situation.fleet.now + LEAD_MIN, next_event(situation.fleet, situation.table))
        chance = np.zeros(situation.fleet.days)
        chance[pairs.day] = self.idle_share
        chance[pairs.day[pairs.depart <= until[pairs.day] + EPS]] = self.due_share
        return chance


class LabellingScorer:
    """Scores as teacher or network, by day, and keeps a share of the states with the teacher's labels."""

    def __init__(
        self, network: Scorer, teacher: Scorer, taught: Bool, reading: Reading, keeping: Keeping, seed: Sequence[int]
    ) -> None:
        self.played = LabelledPlay([])
        self._network, self._teacher, self._taught = network, teacher, taught
        self._reading, self._keeping = reading, keeping
        self._rng = np.random.default_rng(seed)

    def score(self, situation: Situation) -> Scores:
        """Scores of the pairs, see `Scorer`. Raises ValueError for a teacher that names no pairs to commit."""
        table = situation.table
        pairs = table.insertion
        label = self._teacher.score(situation)
        if label.commit is None:
            raise ValueError("Expected a teacher that says which pairs to commit.")
        own = self._network.score(situation)
        own_commit = own.q_pair > days_of(own, situation.fleet.days)[pairs.day]
        self._count(len(np.unique(pairs.day)), label.commit, own_commit)
        kept = np.flatnonzero(self._rng.random(situation.fleet.days) < self._keeping.chances(situation))
        if len(kept):
            self.played.states.append(
                self._reading.states(
                    situation,
                    kept,
                    of_pair={
                        "commit": label.commit,
                        "must": table.must[pairs.day, pairs.booking],
                        "preferred": preferred_pairs(pairs.day * situation.fleet.open.shape[1] + pairs.booking, label),
                    },
                    of_day={},
                )
            )
        by_teacher = self._taught[pairs.day]
        return Scores(
            q_pair=np.where(by_teacher, label.q_pair, own.q_pair),
            q_wait=np.full(situation.fleet.days, np.nan),
            commit=np.where(by_teacher, label.commit, own_commit),
        )

    def _count(self, met: int, teacher: Bool, network: Bool) -> None:
        self.played.met += met
        self.played.teacher_commits += int(teacher.sum())
        self.played.network_commits += int(network.sum())
        self.played.both_commit += int((teacher & network).sum())


def preferred_pairs(booking: I64, scores: Scores) -> Bool:
    """The pair [P] that the teacher ranks first among those of its `booking` [P]."""
    order = np.lexsort((-scores.q_pair, booking))
    first: Bool = np.zeros(len(booking), dtype=np.bool_)
    first[order[np.diff(booking[order], prepend=-1) != 0]] = True
    return first


def play_labelled(
    days: Sequence[Day],
    network: Scorer,
    teacher: Scorer,
    beta: float,
    reading: Reading,
    keeping: Keeping,
    seed: Sequence[int],
) -> LabelledPlay:
    """Play `days` to their end; the teacher acts on each with probability `beta`. `seed` keys all random numbers."""
    taught = np.random.default_rng((*seed, 0)).random(len(days)) < beta
    scorer = LabellingScorer(network, teacher, taught, reading, keeping, (*seed, 1))
    batch = DayBatch(days)
    start = batch.cost()
    while not batch.over.all():
        play_round(batch, scorer)
    scorer.played.returns = start - batch.cost()
    scorer.played.states = [join(scorer.played.states)] if scorer.played.states else []
    return scorer.played
