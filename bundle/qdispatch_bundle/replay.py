"""Golden replay: encode, score and decide every golden snapshot again, and compare with what export recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qdispatch_bundle.errors import BundleError, ModelOutputError, RefusalReason
from qdispatch_bundle.golden import GoldenCase
from qdispatch_bundle.manifest import GOLDEN_FILE, Golden, Precision
from qdispatch_bundle.model import Model
from qdispatch_bundle.onnx_session import Array
from qdispatch_domain.decision import Decision
from qdispatch_domain.decoder import decision_of
from qdispatch_domain.observation import I64
from qdispatch_domain.packing import pack
from qdispatch_domain.situation import Situation
from qdispatch_domain.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """A replay that agreed, with the largest differences it saw."""

    precision: Precision
    snapshots: int
    picks: int
    max_input_difference: float  # scaled features
    max_q_difference: float  # minutes-equivalent


def situation_of(snapshot: Snapshot) -> Situation:
    """The snapshot as a situation of one day, to be encoded by the code of today."""
    return Situation(pack([snapshot]))


def picks_of(decision: Decision) -> I64:
    """The recommended insertions [n, 3] (booking, driver, position), in the order they were made."""
    rows = [(pick.booking, pick.driver, pick.position) for pick in decision.picks]
    return np.array(rows, dtype=np.int64).reshape(len(rows), 3)


def replay(model: Model, precision: Precision, cases: Sequence[GoldenCase], strictness: Golden) -> ReplayReport:
    """Play all cases again. Raises BundleError GOLDEN_MISMATCH, NOT_FINITE or MODEL_INVALID at the first that fails."""
    input_difference = q_difference = 0.0
    picks = 0
    for index, case in enumerate(cases):
        where = f"{GOLDEN_FILE}: case {index}"
        try:
            situation = situation_of(case.snapshot)
        except ValueError as error:
            raise BundleError(RefusalReason.GOLDEN_INVALID, f"{where}: no possible situation") from error
        inputs = model.inputs(situation, 0)
        tolerance = strictness.observation_tolerance
        input_difference = max(input_difference, _compare(f"{where}: input", inputs, case.inputs, tolerance, tolerance))
        try:
            outputs = model.run(inputs) if inputs else {}
        except ModelOutputError as error:
            raise BundleError(error.reason, f"{where}: {error}") from error
        allowed = strictness.q_tolerance[precision]
        q_difference = max(q_difference, _compare(f"{where}: value", outputs, case.outputs[precision], allowed, 0.0))
        chosen = picks_of(decision_of(case.snapshot, situation, model))
        if not np.array_equal(chosen, case.picks[precision]):
            raise BundleError(RefusalReason.GOLDEN_MISMATCH, f"{where}: other insertions are recommended")
        picks += len(chosen)
    return ReplayReport(precision, len(cases), picks, input_difference, q_difference)


def _compare(
    where: str, found: Mapping[str, Array], wanted: Mapping[str, Array], absolute: float, relative: float
) -> float:
    """Largest difference of all float arrays; integers must be equal. `relative` is a share of the wanted value."""
    if set(found) != set(wanted):
        raise BundleError(RefusalReason.GOLDEN_MISMATCH, f"{where}s have other names")
    largest = 0.0
    for name, array in found.items():
        expected = wanted[name]
        if array.shape != expected.shape or array.dtype != expected.dtype:
            raise BundleError(RefusalReason.GOLDEN_MISMATCH, f"{where} {name} has another shape or type")
        if array.size == 0:
            continue
        difference = np.abs(array.astype(np.float64) - expected.astype(np.float64))
        floating = np.issubdtype(array.dtype, np.floating)
        allowed = absolute + relative * np.abs(expected.astype(np.float64)) if floating else 0.0
        if not np.all(difference <= allowed):
            raise BundleError(RefusalReason.GOLDEN_MISMATCH, f"{where} {name} differs by {difference.max():.3g}")
        largest = max(largest, float(difference.max()))
    return largest
