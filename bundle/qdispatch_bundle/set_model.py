"""The `set` kind: the domain's observation goes in, the values of its candidate pairs come out."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import onnxruntime as ort

from qdispatch_bundle.errors import OverModelLimit
from qdispatch_bundle.manifest import Limits
from qdispatch_bundle.onnx_session import SET_OUTPUTS, Array, check_signature, run_graph, set_inputs
from qdispatch_domain.features import N_BOOKING, N_CONTEXT, N_DRIVER, N_PAIR
from qdispatch_domain.observation import Observation, Scores
from qdispatch_domain.situation import Situation


def observation_inputs(observation: Observation) -> dict[str, Array]:
    """The graph's inputs by name; empty when no driver can take any booking (the graph is never called then)."""
    if len(observation.pair_driver) == 0:
        return {}
    return {
        "driver_features": observation.driver_features,
        "booking_features": observation.booking_features,
        "pair_features": observation.pair_features,
        "pair_driver": observation.pair_driver,
        "pair_booking": observation.pair_booking,
        "context": observation.context,
        "pair_cost": observation.pair_cost,
    }


class SetModel:
    """One `set` network as a scorer. Safe to call from several threads."""

    def __init__(self, session: ort.InferenceSession, limits: Limits) -> None:
        """Raises BundleError SIGNATURE when the graph does not fit the features of this code."""
        check_signature(session, set_inputs(N_DRIVER, N_BOOKING, N_PAIR, N_CONTEXT), SET_OUTPUTS)
        self._session = session
        self._limits = limits

    def inputs(self, situation: Situation, day: int) -> Mapping[str, Array]:
        """The graph's inputs of one day of the situation; empty when it has no pair."""
        return observation_inputs(situation.observations.one(day))

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """q_pair [P] and q_wait [1], float32, minutes-equivalent."""
        return run_graph(self._session, inputs)

    def scores(self, observation: Observation) -> Scores:
        """Values of the observation's pairs and of waiting, minutes-equivalent.

        Raises OverModelLimit, ModelOutputError (NaN or infinity), and ValueError when there is no pair to score.
        """
        inputs = observation_inputs(observation)
        if not inputs:
            raise ValueError("Expected at least one pair.")
        drivers, bookings = len(observation.driver_features), len(observation.booking_features)
        if not self._limits.admits(drivers, bookings) or len(observation.pair_driver) > self._limits.pairs:
            raise OverModelLimit(f"{drivers} drivers, {bookings} bookings, {len(observation.pair_driver)} pairs")
        outputs = run_graph(self._session, inputs)
        return Scores(q_pair=outputs["q_pair"].astype(np.float64), q_wait=float(outputs["q_wait"][0]))

    def score(self, situation: Situation) -> Scores:
        """`scores` of every day of the situation: the domain's `Scorer`.

        A day without a pair has nothing to compare Q(wait) with: the graph is not called and 0 stands there.
        """
        observations = situation.observations
        q_pair = np.empty(len(observations.pair_graph))
        q_wait = np.zeros(situation.fleet.days)
        ends = np.searchsorted(observations.pair_graph, range(situation.fleet.days + 1)).tolist()
        for day, (first, last) in enumerate(pairwise(ends)):
            if first < last:
                scores = self.scores(observations.one(day))
                q_pair[first:last] = scores.q_pair
                q_wait[day] = scores.q_wait
        return Scores(q_pair=q_pair, q_wait=q_wait)
