"""How far one graph's values are from another's over situations met on simulated days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort

from qdispatch_bundle.manifest import ModelKind
from qdispatch_bundle.onnx_session import Array, run_graph
from qdispatch_domain.classic import classic_view
from qdispatch_domain.situation import Situation
from qdispatch_domain.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Agreement:
    """Over `observations`: share with the same best permitted action, and the largest difference of any value."""

    observations: int
    top1: float
    max_q_difference: float  # minutes-equivalent


@dataclass(frozen=True, slots=True)
class Moment:
    """A situation met on a simulated day: its snapshot, the graph's inputs, and which actions were permitted.

    `permitted` is [P + 1] for `set` (the pairs in order, then waiting) and [201] for `flat`.
    """

    snapshot: Snapshot
    inputs: Mapping[str, Array]
    permitted: Array


def permitted_actions(kind: ModelKind, situation: Situation, day: int) -> Array:
    """Which actions are permitted on one day of a situation; waiting is not while a booking must be decided."""
    if kind is ModelKind.FLAT:
        return np.asarray(classic_view(situation).mask(situation)[day])
    pairs = int(np.count_nonzero(situation.table.insertion.day == day))
    may_wait = not bool(situation.table.must[day].any())
    return np.append(np.ones(pairs, dtype=np.bool_), may_wait)


def best_action(outputs: Mapping[str, Array], permitted: Array) -> int:
    """Index of the best permitted action, counted as in `Moment.permitted`."""
    q = outputs["q"] if "q" in outputs else np.concatenate([outputs["q_pair"], outputs["q_wait"]])
    return int(np.argmax(np.where(permitted, q, -np.inf)))


def measure_agreement(
    reference: ort.InferenceSession, other: ort.InferenceSession, moments: Sequence[Moment]
) -> Agreement:
    """Run both graphs over all moments, at least one."""
    if not moments:
        raise ValueError("Expected at least one moment.")
    same, largest = 0, 0.0
    for moment in moments:
        wanted, found = run_graph(reference, moment.inputs), run_graph(other, moment.inputs)
        same += best_action(wanted, moment.permitted) == best_action(found, moment.permitted)
        largest = max(largest, *(float(np.abs(found[name] - wanted[name]).max()) for name in wanted))
    return Agreement(len(moments), same / len(moments), largest)
