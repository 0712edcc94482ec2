from __future__ import annotations

import numpy as np
import pytest

from qdispatch_bundle.manifest import ModelKind
from qdispatch_bundle.onnx_session import run_graph
from qdispatch_bundle.replay import situation_of
from qdispatch_export.moments import Moment, Observed, _Sample, observe, take_turns
from qdispatch_trainer.checkpoint import Checkpoint
from qdispatch_trainer.scenarios import scenario_named
from tests.bundle.snapshots import snapshot
from tests.export.checkpoints import flat_checkpoint, open_fp32, set_checkpoint

CLINIC = scenario_named("clinic-day")


def moment(name: float, pairs: int = 1) -> Moment:
    return Moment(snapshot(1, 1, 1), {"state": np.array([name])}, np.array([True]), pairs)


def names(moments: tuple[Moment, ...]) -> list[int]:
    return [int(entry.inputs["state"][0]) for entry in moments]


@pytest.mark.parametrize("checkpoint", [set_checkpoint(), flat_checkpoint()], ids=["set", "flat"])
def test_moments_are_what_the_model_saw(checkpoint: Checkpoint) -> None:
    kind, opened = ModelKind(checkpoint.kind), open_fp32(checkpoint)
    observed = observe(kind, CLINIC, 3, opened.model, 16, np.random.default_rng(0))
    assert (observed.scenario, observed.days, observed.first_seed) == ("clinic-day", 3, 1_900_000)
    assert 12 <= len(observed.moments) <= 16
    assert len({one.snapshot.now for one in observed.moments}) > 5
    for one in observed.moments:
        situation = situation_of(one.snapshot)
        assert one.pairs == len(situation.table.rank) > 0
        again = opened.model.inputs(situation, 0)
        assert set(again) == set(one.inputs)
        for name, array in again.items():
            np.testing.assert_allclose(array, one.inputs[name], atol=1e-5, rtol=1e-5)
        values = run_graph(opened.session, one.inputs)
        assert sum(array.size for array in values.values()) == one.permitted.size
        assert one.permitted.any()


def test_the_largest_situations_are_kept_whatever_is_drawn() -> None:
    for seed in range(20):
        sample = _Sample(8, np.random.default_rng(seed))
        for number in range(400):
            pairs = 100 + number if number in (17, 203) else number % 50
            if sample.wants(pairs):
                sample.keep(moment(number, pairs))
        kept = names(sample.moments())
        assert kept[:2] == [203, 17]
        assert len(kept) == len(set(kept))
        assert 6 <= len(kept) <= 8


def test_every_situation_is_drawn_with_the_same_probability() -> None:
    drawn = np.zeros(40)
    for seed in range(1500):
        sample = _Sample(4, np.random.default_rng(seed))
        for number in range(40):
            if sample.wants(1000 if number == 0 else 1):
                sample.keep(moment(number, 1000 if number == 0 else 1))
        drawn[names(sample.moments())] += 1
    assert drawn[0] == 1500
    assert np.all(np.abs(drawn[1:] / 1500 - 3 / 40) < 0.03)


def test_the_largest_situation_calibrates_and_none_judges_itself() -> None:
    observed = Observed("x", 2, 7, tuple(moment(n, 9 - n) for n in range(5)))
    assert (names(observed.calibrating), names(observed.judging)) == ([0, 2, 4], [1, 3])
    row = observed.provenance()
    assert (row.scenario, row.days, row.first_seed, row.situations, row.most_pairs) == ("x", 2, 7, 3, 9)


def test_scenarios_take_turns() -> None:
    assert names(take_turns([[moment(1), moment(2)], [], [moment(3)]])) == [1, 3, 2]
