"""The set network: one situation, ragged batch and exported graph give the same numbers."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import torch

from qdispatch_domain.observation import Observation
from qdispatch_trainer.networks.export_form import INPUT_NAMES, OUTPUT_NAMES, SetNetworkExport
from qdispatch_trainer.networks.pooling import RaggedPooling
from qdispatch_trainer.networks.ragged_batch import collate, flat_action_index, flat_action_mask
from qdispatch_trainer.networks.set_network import SetNetwork, SetNetworkConfig

N_DRIVER, N_BOOKING, N_PAIR, N_CONTEXT = 6, 9, 14, 5


def make_observation(rng: np.random.Generator, n_drivers: int, n_bookings: int, n_pairs: int) -> Observation:
    def features(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    return Observation(
        driver_features=features(n_drivers, N_DRIVER),
        booking_features=features(n_bookings, N_BOOKING),
        pair_features=features(n_pairs, N_PAIR),
        pair_driver=rng.integers(0, max(n_drivers, 1), n_pairs),
        pair_booking=rng.integers(0, max(n_bookings, 1), n_pairs),
        context=features(N_CONTEXT),
        pair_cost=rng.uniform(0, 40, n_pairs).astype(np.float32),
    )


DUE: dict[str, Any] = {"departure_column": 2, "next_event_column": 4, "lead": 0.1}


@pytest.fixture(params=[{}, DUE, {"sooner_per_doubling_min": 2.0}], ids=["plain", "due columns", "sooner"])
def network(request: pytest.FixtureRequest) -> SetNetwork:
    torch.manual_seed(0)
    network = SetNetwork(SetNetworkConfig(N_DRIVER, N_BOOKING, N_PAIR, N_CONTEXT, **request.param))
    for head in (network.pair_advantage, network.wait_advantage, network.value):  # start at 0; make them speak
        torch.nn.init.normal_(head.weight, std=0.2)
    return network.eval()


@pytest.fixture
def observations() -> list[Observation]:
    rng = np.random.default_rng(1)
    return [make_observation(rng, *sizes) for sizes in ((4, 3, 7), (1, 1, 1), (10, 20, 60), (5, 2, 0), (3, 0, 0))]


def single(network: SetNetwork, observation: Observation, bias: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    export = SetNetworkExport(network, bias)
    q_pair, q_wait = export(*[torch.from_numpy(getattr(observation, name)) for name in INPUT_NAMES])
    return q_pair.detach().numpy(), q_wait.detach().numpy()


def test_a_ragged_batch_equals_its_situations_one_by_one(network: SetNetwork, observations: list[Observation]) -> None:
    batch = collate(observations)
    with torch.no_grad():
        values = network(batch)
    for g, observation in enumerate(observations):
        q_A = values.q_A[values.situation_A == g].numpy()
        alone = network(collate([observation])).q_A.detach().numpy()
        np.testing.assert_allclose(q_A, alone, rtol=1e-4, atol=1e-3)
        if len(observation.pair_cost):
            q_pair, q_wait = single(network, observation)
            np.testing.assert_allclose(q_A[1:], q_pair, rtol=1e-4, atol=1e-3)
            np.testing.assert_allclose(q_A[0], q_wait[0], rtol=1e-4, atol=1e-3)


def test_due_columns_by_hand() -> None:
    network = SetNetwork(SetNetworkConfig(N_DRIVER, N_BOOKING, N_PAIR, N_CONTEXT, **DUE))
    observation = make_observation(np.random.default_rng(0), 2, 2, 4)
    observation.pair_features[:, 2] = [0.45, 0.51, 0.60, 0.05]
    columns = []
    for next_event in (0.5, 0.01):  # the second is sooner than the lead of 0.1
        observation.context[4] = next_event
        batch = collate([observation])
        pooling = RaggedPooling(batch.driver_graph, batch.booking_graph, batch.pair_graph, 1)
        found = network._with_due_columns(batch.pair_features, batch.context, pooling)
        assert torch.equal(found[:, :N_PAIR], batch.pair_features)
        columns.append(found[:, N_PAIR:].numpy())
    np.testing.assert_allclose(columns[0], [[1.0, -0.2], [0.0, 0.04], [0.0, 0.4], [1.0, -1.0]], atol=1e-6)
    np.testing.assert_allclose(columns[1], [[0.0, 1.0], [0.0, 1.0], [0.0, 1.0], [1.0, -0.2]], atol=1e-6)


def test_the_pair_cost_enters_with_weight_minus_one(network: SetNetwork, observations: list[Observation]) -> None:
    before = observations[0]
    after = Observation(
        **{f: getattr(before, f) for f in before.__dataclass_fields__} | {"pair_cost": before.pair_cost + 3}
    )
    q_before, wait_before = single(network, before)
    q_after, wait_after = single(network, after)
    np.testing.assert_allclose(q_after, q_before - 3, atol=1e-3)
    np.testing.assert_allclose(wait_after, wait_before, atol=1e-4)


def test_a_fresh_network_waits_and_else_takes_the_cheapest_insertion(observations: list[Observation]) -> None:
    network = SetNetwork(SetNetworkConfig(N_DRIVER, N_BOOKING, N_PAIR, N_CONTEXT))
    q_pair, q_wait = single(network, observations[2])
    assert q_wait[0] == 0.0
    np.testing.assert_array_equal(q_pair, -observations[2].pair_cost)


def test_order_of_drivers_and_pairs_does_not_matter(network: SetNetwork, observations: list[Observation]) -> None:
    o = observations[2]
    rng = np.random.default_rng(2)
    drivers, pairs = rng.permutation(10), rng.permutation(60)
    shuffled = Observation(
        driver_features=o.driver_features[drivers],
        booking_features=o.booking_features,
        pair_features=o.pair_features[pairs],
        pair_driver=np.argsort(drivers)[o.pair_driver][pairs],
        pair_booking=o.pair_booking[pairs],
        context=o.context,
        pair_cost=o.pair_cost[pairs],
    )
    q_pair, q_wait = single(network, o)
    q_shuffled, wait_shuffled = single(network, shuffled)
    np.testing.assert_allclose(q_shuffled, q_pair[pairs], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(wait_shuffled, q_wait, rtol=1e-4, atol=1e-3)


def test_the_wait_bias_moves_only_waiting(network: SetNetwork, observations: list[Observation]) -> None:
    q_pair, q_wait = single(network, observations[0])
    q_pair_biased, q_wait_biased = single(network, observations[0], bias=-7.5)
    np.testing.assert_array_equal(q_pair_biased, q_pair)
    np.testing.assert_allclose(q_wait_biased, q_wait - 7.5, rtol=1e-5)


@pytest.mark.parametrize(("drivers", "doublings"), [(1, 0.0), (12, 0.0), (24, 1.0), (96, 3.0)])
def test_haste_grows_with_every_doubling_of_the_fleet(network: SetNetwork, drivers: int, doublings: float) -> None:
    observation = make_observation(np.random.default_rng(3), drivers, 3, 5)
    q_pair, q_wait = single(network.sooner(0.0), observation)
    q_pair_sooner, q_wait_sooner = single(network.sooner(2.5), observation)
    np.testing.assert_array_equal(q_pair_sooner, q_pair)
    np.testing.assert_allclose(q_wait_sooner, q_wait - 2.5 * doublings, rtol=1e-4, atol=1e-4)


def test_about_seventy_thousand_parameters() -> None:
    network = SetNetwork(SetNetworkConfig(n_driver=12, n_booking=14, n_pair=22, n_context=12))
    assert 60_000 < sum(p.numel() for p in network.parameters()) < 80_000


def test_the_export_form_becomes_an_onnx_graph_with_dynamic_axes(
    network: SetNetwork, observations: list[Observation]
) -> None:
    buffer = io.BytesIO()
    example = tuple(torch.from_numpy(getattr(observations[0], name)) for name in INPUT_NAMES)
    axes = {"driver_features": {0: "D"}, "booking_features": {0: "B"}} | {
        name: {0: "P"} for name in ("pair_features", "pair_driver", "pair_booking", "pair_cost", "q_pair")
    }
    torch.onnx.export(
        SetNetworkExport(network, 1.5),
        example,
        buffer,  # type: ignore[arg-type]  # its annotation names paths only; it writes to any binary file
        input_names=list(INPUT_NAMES),
        output_names=list(OUTPUT_NAMES),
        dynamic_axes=axes,
        opset_version=18,
        dynamo=False,
    )
    session = ort.InferenceSession(buffer.getvalue(), providers=["CPUExecutionProvider"])
    for observation in observations[:3]:
        q_pair, q_wait = session.run(None, {name: getattr(observation, name) for name in INPUT_NAMES})
        expected_pair, expected_wait = single(network, observation, 1.5)
        np.testing.assert_allclose(q_pair, expected_pair, rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(q_wait, expected_wait, rtol=1e-4, atol=1e-3)
        assert q_wait.shape == (1,)


def test_actions_within_a_situation_map_to_the_flat_list() -> None:
    n_pair_G = np.array([7, 1, 60])
    index = flat_action_index(n_pair_G, np.array([7, 0, 2]))
    assert index.tolist() == [3 + 6, 1, 3 + 7 + 1 + 1]
    with pytest.raises(ValueError, match="one action per situation"):
        flat_action_index(n_pair_G, np.array([8, 0, 0]))
    masks = [np.array([True] + [False] * 7), np.array([False, True]), np.array([True] * 61)]
    mask_A = flat_action_mask(masks)
    assert mask_A[:3].tolist() == [True, False, True]
    assert not mask_A[3:10].any()
    assert mask_A[10:].all()
    assert len(mask_A) == 3 + 68


@pytest.mark.parametrize("field", ["n_driver", "hidden", "value_unit_min"])
def test_sizes_are_checked_when_built(field: str) -> None:
    sizes = {"n_driver": 1, "n_booking": 1, "n_pair": 1, "n_context": 1} | {field: 0}
    with pytest.raises(ValueError, match=field):
        SetNetworkConfig(**sizes)
