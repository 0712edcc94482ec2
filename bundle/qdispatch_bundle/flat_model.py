"""The `flat` kind: the classic view of 10 drivers and 20 bookings goes in, one value per action comes out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnxruntime as ort

from qdispatch_bundle.errors import OverModelLimit
from qdispatch_bundle.onnx_session import Array, check_signature, flat_inputs, flat_outputs, run_graph
from qdispatch_domain.classic import ACTIONS, DRIVERS, STATE, classic_scores, classic_view
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Situation


class FlatModel:
    """One `flat` network as a scorer. Safe to call from several threads."""

    def __init__(self, session: ort.InferenceSession) -> None:
        """Raises BundleError SIGNATURE when the graph does not fit the classic view of this code."""
        check_signature(session, flat_inputs(STATE), flat_outputs(ACTIONS))
        self._session = session

    def inputs(self, situation: Situation, day: int) -> Mapping[str, Array]:
        """The graph's input of one day of the situation; empty when it has no pair."""
        if not np.any(situation.table.insertion.day == day):
            return {}
        _check_drivers(situation)
        return {"state": classic_view(situation).state[day]}

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """q [201], float32, minutes-equivalent."""
        return run_graph(self._session, inputs)

    def score(self, situation: Situation) -> Scores:
        """Values of the candidate pairs and of waiting on every day of the situation: the domain's `Scorer`.

        Bookings beyond the 20 earliest due are not seen and wait. A day without a pair is not put to the graph and
        has 0 for waiting. Raises OverModelLimit beyond 10 usable drivers, ModelOutputError on NaN or infinity.
        """
        _check_drivers(situation)
        view = classic_view(situation)
        day_of_pair = situation.table.insertion.day
        q = np.zeros((situation.fleet.days, ACTIONS))
        for day in np.unique(day_of_pair):
            q[day] = run_graph(self._session, {"state": view.state[day]})["q"]
        return classic_scores(view, day_of_pair, q)


def _check_drivers(situation: Situation) -> None:
    drivers = int(situation.fleet.usable.sum(axis=1).max(initial=0))
    if drivers > DRIVERS:
        raise OverModelLimit(f"{drivers} usable drivers; the flat model takes {DRIVERS}")
