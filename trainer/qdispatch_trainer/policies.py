"""The policies that training and evaluation play, each a `Scorer` of the domain."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import numpy as np
import torch

from qdispatch_domain.classic import classic_scores, classic_view
from qdispatch_domain.encoding import Observations
from qdispatch_domain.heuristics import (
    CheapestInsertion,
    EarliestDeadlineNearest,
    FairNearest,
    NearestDriver,
    RandomFeasible,
    RegretInsertion,
)
from qdispatch_domain.heuristics.window import DEFAULT_WINDOW_MIN
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Scorer, Situation
from qdispatch_trainer.matching import JointMatching
from qdispatch_trainer.networks.build import QNetwork
from qdispatch_trainer.networks.flat_network import FlatNetwork
from qdispatch_trainer.networks.ragged_batch import RaggedBatch
from qdispatch_trainer.networks.set_network import SetNetwork

RANDOM_POLICY_SEED = 20_000_003  # of the random heuristic's own choices; the days have seeds of their own


class BuildHeuristic(Protocol):
    """Makes a heuristic that looks `window_min` minutes ahead."""

    def __call__(self, window_min: float = DEFAULT_WINDOW_MIN) -> Scorer:
        """The policy; the default window is the server's, `windows/frozen.json` holds the best one per scenario."""


def _random_feasible(window_min: float = DEFAULT_WINDOW_MIN) -> Scorer:
    return RandomFeasible(RANDOM_POLICY_SEED, window_min)


HEURISTICS: Mapping[str, BuildHeuristic] = MappingProxyType(
    {
        "random feasible": _random_feasible,
        "nearest driver": NearestDriver,
        "earliest deadline": EarliestDeadlineNearest,
        "fair-nearest": FairNearest,
        "cheapest insertion": CheapestInsertion,
        "regret-2": RegretInsertion,
        "joint matching": JointMatching,
    }
)
MODEL = "model"  # the network that is asked about, in tables and result files
REFERENCE = "cheapest insertion"  # the server's fallback; agreement and paired differences are against it


def batch_of(observations: Observations) -> RaggedBatch:
    """The domain's observations of N days as the network's batch; no copy."""
    return RaggedBatch(
        driver_features=torch.from_numpy(observations.driver_features),
        booking_features=torch.from_numpy(observations.booking_features),
        pair_features=torch.from_numpy(observations.pair_features),
        pair_driver=torch.from_numpy(observations.pair_driver),
        pair_booking=torch.from_numpy(observations.pair_booking),
        context=torch.from_numpy(observations.context),
        pair_cost=torch.from_numpy(observations.pair_cost),
        driver_graph=torch.from_numpy(observations.driver_graph),
        booking_graph=torch.from_numpy(observations.booking_graph),
        pair_graph=torch.from_numpy(observations.pair_graph),
    )


class SetNetworkScorer:
    """The set network as a policy, for N days at once, in eval mode.

    `wait_bias_min` (minutes-equivalent) is the commit threshold added to Q(wait).
    """

    def __init__(self, network: SetNetwork, wait_bias_min: float = 0.0) -> None:
        self._network = network
        self._wait_bias_min = wait_bias_min

    def score(self, situation: Situation) -> Scores:
        """q_pair [P] and q_wait [N], minutes-equivalent; 0 for waiting when no day has a pair."""
        observations = situation.observations
        days = situation.fleet.days
        if len(observations.pair_cost) == 0:
            return Scores(q_pair=np.zeros(0), q_wait=np.zeros(days))
        self._network.eval()
        with torch.no_grad():
            q_A = self._network(batch_of(observations)).q_A.numpy().astype(np.float64)
        return Scores(q_pair=q_A[days:], q_wait=q_A[:days] + self._wait_bias_min)


class FlatNetworkScorer:
    """The flat network as a policy on the classic view, for N days at once, in eval mode."""

    def __init__(self, network: FlatNetwork, wait_bias_min: float = 0.0) -> None:
        self._network = network
        self._wait_bias_min = wait_bias_min

    def score(self, situation: Situation) -> Scores:
        """q_pair [P] and q_wait [N], minutes-equivalent. Raises ValueError beyond 10 usable drivers."""
        view = classic_view(situation)
        self._network.eval()
        with torch.no_grad():
            q_NA = self._network.q(torch.from_numpy(view.state)).numpy().astype(np.float64)
        q_NA[:, 0] += self._wait_bias_min
        return classic_scores(view, situation.table.insertion.day, q_NA)


def network_scorer(network: QNetwork, wait_bias_min: float = 0.0) -> Scorer:
    """The policy of a network of either kind."""
    if isinstance(network, SetNetwork):
        return SetNetworkScorer(network, wait_bias_min)
    return FlatNetworkScorer(network, wait_bias_min)
