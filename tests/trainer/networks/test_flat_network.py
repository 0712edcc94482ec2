"""The flat network is the one described for the classic 10 x 20 problem."""

from __future__ import annotations

import pytest
import torch

from qdispatch_trainer.networks.flat_network import FlatNetwork, FlatNetworkConfig


def test_exactly_the_described_size() -> None:
    network = FlatNetwork(FlatNetworkConfig())
    assert sum(p.numel() for p in network.parameters()) == 253_129
    assert network.q(torch.zeros(3, 122)).shape == (3, 201)


def test_dropout_adds_no_parameter_and_is_silent_in_eval_mode() -> None:
    network = FlatNetwork(FlatNetworkConfig(dropout=0.3))
    assert sum(p.numel() for p in network.parameters()) == 253_129
    state = torch.randn(2, 122)
    network.train()
    assert not torch.equal(network.q(state), network.q(state))
    network.eval()
    assert torch.equal(network.q(state), network.q(state))


def test_flat_action_values_are_the_rows_of_q_one_after_the_other() -> None:
    network = FlatNetwork(FlatNetworkConfig())
    state = torch.randn(2, 122)
    values = network(state)
    assert torch.equal(values.q_A.reshape(2, 201), network.q(state))
    assert values.situation_A.tolist() == [0] * 201 + [1] * 201


@pytest.mark.parametrize("bad", [{"dropout": 1.0}, {"hidden": (1, 2)}, {"n_action": 1}, {"value_unit_min": 0.0}])
def test_sizes_are_checked_when_built(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        FlatNetworkConfig(**bad)  # type: ignore[arg-type]
