from __future__ import annotations

import numpy as np
import pytest

from qdispatch_bundle.golden import GoldenCase
from qdispatch_bundle.manifest import Golden, ModelKind, Precision
from qdispatch_bundle.replay import replay, situation_of
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Situation
from qdispatch_domain.snapshot import Snapshot
from qdispatch_export.errors import ExportError
from qdispatch_export.forms import OpenForm, open_form
from qdispatch_export.golden_choice import choose_golden, rounding_difference
from qdispatch_export.quantization import dynamic_int8, prepare
from qdispatch_export.torch_export import to_onnx
from tests.bundle.snapshots import diverse, snapshot
from tests.export.checkpoints import LIMITS, set_checkpoint

CANDIDATES = [*diverse(), *(snapshot(seed, 1 + seed % 6, 2 + seed % 9, seed % 3) for seed in range(100, 124))]


@pytest.fixture(scope="module")
def forms() -> dict[Precision, bytes]:
    fp32 = to_onnx(set_checkpoint())
    return {Precision.FP32: fp32, Precision.INT8: dynamic_int8(prepare(fp32))}


def opened(forms: dict[Precision, bytes], *, optimise: bool = True) -> dict[Precision, OpenForm]:
    return {p: open_form(ModelKind.SET, data, LIMITS, optimise=optimise) for p, data in forms.items()}


def chosen(
    forms: dict[Precision, bytes], candidates: list[Snapshot], count: int
) -> tuple[Golden, tuple[GoldenCase, ...]]:
    return choose_golden(
        {p: form.model for p, form in opened(forms).items()},
        {p: form.model for p, form in opened(forms, optimise=False).items()},
        candidates,
        count,
    )


def test_golden_vectors_are_diverse_and_replay_in_both_roundings(forms: dict[Precision, bytes]) -> None:
    golden, cases = chosen(forms, CANDIDATES, 12)
    assert golden.snapshots == len(cases) == 12
    sizes = [len(case.snapshot.drivers) + len(case.snapshot.bookings) for case in cases]
    assert min(sizes) <= 4 < 15 <= max(sizes)
    with_picks = sum(len(case.picks[Precision.FP32]) > 0 for case in cases)
    assert 4 <= with_picks <= 8
    for optimise in (True, False):
        for precision, form in opened(forms, optimise=optimise).items():
            replayed = replay(form.model, precision, cases, golden)
            assert replayed.max_input_difference == 0.0
            assert replayed.max_q_difference <= golden.q_tolerance[precision]


def test_fewer_than_eight_candidates_are_too_few(forms: dict[Precision, bytes]) -> None:
    with pytest.raises(ExportError, match=r"Only \d of 7 snapshots"):
        chosen(forms, CANDIDATES[:7], 12)


def test_at_least_eight_are_taken_whatever_is_asked(forms: dict[Precision, bytes]) -> None:
    assert chosen(forms, CANDIDATES, 1)[0].snapshots == 8


class OnAKnifesEdge:
    """A model whose pairs are all exactly as good as waiting: any rounding changes its picks."""

    def __init__(self, form: OpenForm) -> None:
        self.inputs, self.run = form.model.inputs, form.model.run

    def score(self, situation: Situation) -> Scores:
        pairs = len(situation.table.rank)
        return (
            Scores(q_pair=situation.table.total * 0.0 + 1.0, q_wait=1.0)
            if pairs
            else Scores(situation.table.total, 0.0)
        )


def test_decisions_that_rounding_could_change_are_not_taken(forms: dict[Precision, bytes]) -> None:
    edges = {p: OnAKnifesEdge(form) for p, form in opened(forms).items()}
    rough = {p: form.model for p, form in opened(forms, optimise=False).items()}
    crowded = [snapshot(seed, 4, 8) for seed in range(12)]
    with pytest.raises(ExportError, match="of 12 snapshots have a decision that rounding cannot change"):
        choose_golden(edges, rough, crowded, 8)


def test_the_difference_grows_with_the_distance_between_two_roundings(forms: dict[Precision, bytes]) -> None:
    one = open_form(ModelKind.SET, forms[Precision.FP32], LIMITS).model
    far = open_form(ModelKind.SET, to_onnx(set_checkpoint(4)), LIMITS).model
    inputs = one.inputs(situation_of(snapshot(3, 10, 20)), 0)
    assert rounding_difference(one, one, Precision.FP32, inputs) < 0.01
    assert rounding_difference(one, far, Precision.FP32, inputs) > 1.0
    assert rounding_difference(one, far, Precision.INT8, {}) == 1e-2


def test_int8_is_allowed_the_steps_that_a_last_digit_makes(forms: dict[Precision, bytes]) -> None:
    """Golden vectors made on one processor must replay on another, whose last digits differ."""
    golden, cases = chosen(forms, CANDIDATES, 12)
    assert golden.q_tolerance["fp32"] < golden.q_tolerance["int8"]
    rng = np.random.default_rng(1234)  # none of those that measured the tolerance
    for precision, form in opened(forms).items():
        for case in cases:
            nearly = {
                name: (array * (1.0 + rng.uniform(-1e-6, 1e-6, array.shape))).astype(array.dtype)
                if array.dtype == np.float32
                else array
                for name, array in case.inputs.items()
            }
            for name, values in form.model.run(nearly).items() if nearly else ():
                moved = float(np.abs(values - case.outputs[precision][name]).max())
                assert moved <= golden.q_tolerance[precision]
