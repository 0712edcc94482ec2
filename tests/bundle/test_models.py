"""The two kinds of model as scorers of whole situations."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from qdispatch_bundle.errors import BundleError, ModelOutputError, OverModelLimit, RefusalReason
from qdispatch_bundle.feature_lock import build_model, current_fingerprint
from qdispatch_bundle.flat_model import FlatModel
from qdispatch_bundle.manifest import Limits, ModelKind
from qdispatch_bundle.onnx_session import open_session
from qdispatch_bundle.replay import situation_of
from qdispatch_bundle.set_model import SetModel
from qdispatch_domain.classic import ACTIONS, STATE, classic_view
from qdispatch_domain.packing import pack
from qdispatch_domain.situation import Situation
from qdispatch_export.torch_export import to_onnx
from qdispatch_trainer.checkpoint import Checkpoint
from qdispatch_trainer.networks.flat_network import FlatNetwork, FlatNetworkConfig
from qdispatch_trainer.policies import network_scorer
from tests.bundle.snapshots import diverse, snapshot
from tests.bundle.tiny_bundle import LIMITS, tiny_checkpoint


@pytest.fixture(scope="module")
def set_model() -> SetModel:
    return SetModel(open_session(to_onnx(tiny_checkpoint())), LIMITS)


def flat_checkpoint() -> Checkpoint:
    torch.manual_seed(1)
    network = FlatNetwork(FlatNetworkConfig(STATE, ACTIONS, (16, 16, 8))).eval()
    return dataclasses.replace(tiny_checkpoint(), network=network)


@pytest.fixture(scope="module")
def flat_model() -> FlatModel:
    return FlatModel(open_session(to_onnx(flat_checkpoint())))


def test_several_days_at_once_score_as_the_trainers_policy_does(set_model: SetModel) -> None:
    situation = Situation(pack([s for s in diverse() if s.matrix is None]))
    found = set_model.score(situation)
    checkpoint = tiny_checkpoint()
    wanted = network_scorer(checkpoint.network, checkpoint.wait_bias_min).score(situation)
    has_pair = np.bincount(situation.table.insertion.day, minlength=situation.fleet.days) > 0
    assert has_pair.any()
    assert not has_pair.all()
    np.testing.assert_allclose(found.q_pair, wanted.q_pair, atol=1e-3)
    np.testing.assert_allclose(np.asarray(found.q_wait)[has_pair], np.asarray(wanted.q_wait)[has_pair], atol=1e-3)


def test_the_flat_model_scores_as_the_trainers_policy_does(flat_model: FlatModel) -> None:
    situation = Situation(pack([snapshot(1, 4, 8), snapshot(2, 10, 30), snapshot(3, 2, 0)]))
    checkpoint = flat_checkpoint()
    wanted = network_scorer(checkpoint.network, checkpoint.wait_bias_min).score(situation)
    found = flat_model.score(situation)
    np.testing.assert_allclose(found.q_pair, wanted.q_pair, atol=1e-3)
    np.testing.assert_allclose(np.asarray(found.q_wait)[:2], np.asarray(wanted.q_wait)[:2], atol=1e-3)
    assert (classic_view(situation).pair_action == -1).any(), "some bookings should be beyond the 20th"


def test_beyond_the_limits_is_said(set_model: SetModel, flat_model: FlatModel) -> None:
    large = situation_of(snapshot(1, 11, 12))
    with pytest.raises(OverModelLimit):
        flat_model.score(large)
    with pytest.raises(OverModelLimit):
        flat_model.inputs(large, 0)
    narrow = open_session(to_onnx(tiny_checkpoint()))
    for limits in (Limits(10, 80, 480), Limits(40, 11, 480), Limits(40, 80, 10)):
        with pytest.raises(OverModelLimit):
            SetModel(narrow, limits).score(large)
    assert SetModel(narrow, LIMITS).score(large).q_pair.size > 10


def test_a_situation_without_pairs_is_never_put_to_the_graph(set_model: SetModel, flat_model: FlatModel) -> None:
    nothing = situation_of(snapshot(7, 2, 0))
    for model in (set_model, flat_model):
        assert model.inputs(nothing, 0) == {}
        assert model.score(nothing).q_pair.shape == (0,)
    with pytest.raises(ValueError, match="at least one pair"):
        set_model.scores(nothing.observations.one(0))


def test_values_that_are_not_finite_raise(set_model: SetModel) -> None:
    observation = situation_of(snapshot(1, 4, 8)).observations.one(0)
    with pytest.raises(ModelOutputError) as caught:
        set_model.scores(dataclasses.replace(observation, context=np.full_like(observation.context, np.nan)))
    assert caught.value.reason is RefusalReason.NOT_FINITE


def test_a_graph_that_fails_at_run_time_raises(set_model: SetModel) -> None:
    observation = situation_of(snapshot(1, 4, 8)).observations.one(0)
    with pytest.raises(ModelOutputError) as caught:
        set_model.scores(dataclasses.replace(observation, pair_driver=observation.pair_driver + 1000))
    assert caught.value.reason is RefusalReason.MODEL_INVALID


def test_threads_may_share_a_model(set_model: SetModel) -> None:
    situations = [situation_of(snapshot(seed, 4, 8)) for seed in range(4)]
    alone = [set_model.score(situation) for situation in situations]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(set_model.score, situations * 8))
    for index, scores in enumerate(together):
        np.testing.assert_array_equal(scores.q_pair, alone[index % 4].q_pair)


def test_each_kind_refuses_the_others_graph() -> None:
    set_graph, flat_graph = open_session(to_onnx(tiny_checkpoint())), open_session(to_onnx(flat_checkpoint()))
    for kind, graph in ((ModelKind.FLAT, set_graph), (ModelKind.SET, flat_graph)):
        with pytest.raises(BundleError) as caught:
            build_model(kind, graph, LIMITS)
        assert caught.value.reason is RefusalReason.SIGNATURE
    assert current_fingerprint(ModelKind.SET) != current_fingerprint(ModelKind.FLAT)


def test_sessions_run_on_one_thread_in_sequence(set_model: SetModel) -> None:
    options = open_session(to_onnx(tiny_checkpoint())).get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert options.execution_mode.name == "ORT_SEQUENTIAL"
