"""Dispatch heuristics as scorers: each acts through the same candidate table, decoder and hard rules as the model."""

from qdispatch_domain.heuristics.cheapest_insertion import CheapestInsertion
from qdispatch_domain.heuristics.earliest_deadline import EarliestDeadlineNearest
from qdispatch_domain.heuristics.fair_nearest import FairNearest
from qdispatch_domain.heuristics.nearest_driver import NearestDriver
from qdispatch_domain.heuristics.random_feasible import RandomFeasible
from qdispatch_domain.heuristics.regret_insertion import RegretInsertion

__all__ = [
    "CheapestInsertion",
    "EarliestDeadlineNearest",
    "FairNearest",
    "NearestDriver",
    "RandomFeasible",
    "RegretInsertion",
]
