"""A situation ready for a decision: the fleet, its candidate table and, when somebody asks, its observations."""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

import numpy as np

from qdispatch_domain.candidates import CandidateTable, candidate_table
from qdispatch_domain.encoding import Observations, encode
from qdispatch_domain.fleet import Fleet
from qdispatch_domain.observation import Scores


class Situation:
    """N days at one decision each. `observations` is encoded on first use, so that heuristics do not pay for it."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.table: CandidateTable = candidate_table(fleet)

    @cached_property
    def observations(self) -> Observations:
        """The encoded days."""
        return encode(self.fleet, self.table)


class Scorer(Protocol):
    """A policy: values of the pairs of a situation and of waiting."""

    def score(self, situation: Situation) -> Scores:
        """`q_pair` [P] for the pairs of `situation.table`, `q_wait` [N] (or one number for one day)."""


def days_of(scores: Scores, days: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """`q_wait` as an array [N]."""
    wait = np.asarray(scores.q_wait, dtype=np.float64)
    return np.broadcast_to(wait, (days,)).copy() if wait.ndim == 0 else wait
