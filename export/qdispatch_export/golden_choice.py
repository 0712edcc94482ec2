"""Chooses and records the golden vectors: diverse snapshots whose choices do not hang on the last digit.

How far rounding moves the values is measured: inputs are changed by a millionth, about what another processor's order
of operations does, and the graph is run with ONNX Runtime's optimisations switched off. INT8 moves far more than FP32:
a change in the last digit sends an activation to the next of its 255 steps. A snapshot is taken only if its
decision stays the same when its values are shaken by as much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from qdispatch_bundle.golden import GoldenCase
from qdispatch_bundle.manifest import Golden, Precision
from qdispatch_bundle.model import Model
from qdispatch_bundle.onnx_session import Array
from qdispatch_bundle.replay import picks_of, situation_of
from qdispatch_domain.decoder import decision_of
from qdispatch_domain.observation import I64, Scores
from qdispatch_domain.situation import Situation
from qdispatch_domain.snapshot import Snapshot
from qdispatch_export.errors import ExportError

FEWEST = 8
_SHAKES = 8
_ROUNDING = 1e-6  # relative change of the inputs
_MARGIN = 3.0  # the tolerance of the replay is the largest measured difference times this
_LEAST_DIFFERENCE = {Precision.FP32: 1e-3, Precision.INT8: 1e-2}  # minutes-equivalent
_OBSERVATION_TOLERANCE = 1e-6


def rounding_difference(model: Model, unoptimised: Model, precision: Precision, inputs: Mapping[str, Array]) -> float:
    """How far rounding moves the values of one observation, minutes-equivalent."""
    largest = _LEAST_DIFFERENCE[precision]
    if not inputs:
        return largest
    exact = model.run(inputs)
    others = [unoptimised.run(inputs), *(model.run(_rounded(inputs, seed)) for seed in range(_SHAKES))]
    return max(largest, *(_difference(exact[name], other[name]) for other in others for name in exact))


def _rounded(inputs: Mapping[str, Array], seed: int) -> dict[str, Array]:
    """The same inputs, floats changed at random by up to `_ROUNDING` of themselves."""
    rng = np.random.default_rng(seed)
    return {
        name: (array * (1.0 + rng.uniform(-_ROUNDING, _ROUNDING, array.shape))).astype(array.dtype)
        if np.issubdtype(array.dtype, np.floating)
        else array
        for name, array in inputs.items()
    }


def choose_golden(
    models: Mapping[Precision, Model],
    unoptimised: Mapping[Precision, Model],
    snapshots: Sequence[Snapshot],
    count: int,
) -> tuple[Golden, tuple[GoldenCase, ...]]:
    """Record `count` (at least FEWEST) of the snapshots, of all sizes, half of them with picks where there are any.

    Raises ExportError when fewer than FEWEST have a decision that rounding cannot change.
    """
    steady: list[GoldenCase] = []
    moved: dict[int, dict[Precision, float]] = {}  # by id of the case
    for snapshot in snapshots:
        situation = situation_of(snapshot)
        inputs = next(iter(models.values())).inputs(situation, 0)
        differences = {p: rounding_difference(model, unoptimised[p], p, inputs) for p, model in models.items()}
        picks = {p: _steady_picks(model, snapshot, situation, differences[p]) for p, model in models.items()}
        found = {p: chosen for p, chosen in picks.items() if chosen is not None}
        if len(found) == len(models):
            outputs = {p: model.run(inputs) if inputs else {} for p, model in models.items()}
            steady.append(GoldenCase(snapshot, inputs, outputs, found))
            moved[id(steady[-1])] = differences
    if len(steady) < FEWEST:
        raise ExportError(
            f"Only {len(steady)} of {len(snapshots)} snapshots have a decision that rounding cannot change; "
            f"{FEWEST} are needed."
        )
    cases = _diverse(steady, min(max(count, FEWEST), len(steady)))
    q_tolerance = {p.value: _MARGIN * max(moved[id(case)][p] for case in cases) for p in models}
    return Golden(len(cases), _OBSERVATION_TOLERANCE, q_tolerance), cases


def _diverse(cases: Sequence[GoldenCase], count: int) -> tuple[GoldenCase, ...]:
    """`count` of the cases: up to half of them with picks, each half spread evenly over the logarithm of the size."""
    busy = [case for case in cases if len(case.picks[Precision.FP32])]
    calm = [case for case in cases if not len(case.picks[Precision.FP32])]
    from_busy = max(min(len(busy), (count + 1) // 2), count - len(calm))
    return (*_spread(busy, from_busy), *_spread(calm, count - from_busy))


def _spread(cases: Sequence[GoldenCase], count: int) -> list[GoldenCase]:
    left = sorted(cases, key=_size)
    chosen: list[GoldenCase] = []
    if count:
        sizes = np.log1p([_size(case) for case in left])
        for wanted in np.linspace(sizes[0], sizes[-1], count):
            nearest = min(range(len(left)), key=lambda index: abs(np.log1p(_size(left[index])) - wanted))
            chosen.append(left.pop(nearest))
    return chosen


def _size(case: GoldenCase) -> int:
    """Drivers + bookings of the snapshot."""
    return len(case.snapshot.drivers) + len(case.snapshot.bookings)


class _Shaken:
    """A model whose values are all moved by up to `size`, differently for every `seed`."""

    def __init__(self, model: Model, size: float, seed: int) -> None:
        self._model = model
        self._size = size
        self._rng = np.random.default_rng(seed)

    def score(self, situation: Situation) -> Scores:
        scores = self._model.score(situation)
        shape = scores.q_pair.shape
        wait = np.asarray(scores.q_wait)
        return Scores(
            q_pair=scores.q_pair + self._rng.uniform(-self._size, self._size, shape),
            q_wait=wait + self._rng.uniform(-self._size, self._size, wait.shape),
        )


def _steady_picks(model: Model, snapshot: Snapshot, situation: Situation, difference: float) -> I64 | None:
    """The picks on this situation; None when shaking the values changes them."""
    picks = picks_of(decision_of(snapshot, situation, model))
    for seed in range(_SHAKES):
        shaken = _Shaken(model, difference, seed)
        if not np.array_equal(picks, picks_of(decision_of(snapshot, situation, shaken))):
            return None
    return picks


def _difference(one: Array, other: Array) -> float:
    return float(np.abs(one.astype(np.float64) - other.astype(np.float64)).max())
