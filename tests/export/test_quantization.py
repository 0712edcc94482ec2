from __future__ import annotations

import dataclasses

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from qdispatch_bundle.manifest import ModelKind
from qdispatch_bundle.measurements import ModelForm
from qdispatch_bundle.onnx_session import run_graph
from qdispatch_bundle.synthetic_inputs import synthetic_observations
from qdispatch_domain.features import N_BOOKING, N_CONTEXT, N_DRIVER, N_PAIR
from qdispatch_export.forms import quantized_forms
from qdispatch_export.quantization import dynamic_int8, head_nodes, prepare, qdq_int8, qdq_int8_of_all_operators
from qdispatch_export.torch_export import to_onnx
from qdispatch_trainer.checkpoint import Checkpoint
from qdispatch_trainer.networks.set_network import SetNetwork, SetNetworkConfig
from tests.export.checkpoints import LIMITS, flat_checkpoint, open_fp32, set_checkpoint

BOTH = pytest.mark.parametrize("checkpoint", [set_checkpoint(), flat_checkpoint()], ids=["set", "flat"])


def observations(checkpoint: Checkpoint) -> list[dict[str, np.ndarray]]:
    kind = ModelKind(checkpoint.kind)
    return [dict(inputs) for _, inputs in synthetic_observations(kind, np.random.default_rng(3), edges=True)]


def reach(outputs: list[dict[str, np.ndarray]]) -> float:
    """Largest minus smallest value of all outputs, minutes-equivalent, and a little."""
    return float(np.ptp(np.concatenate([values.ravel() for one in outputs for values in one.values()]))) + 10.0


@BOTH
def test_the_forms_stay_near_fp32_and_are_not_fp32(checkpoint: Checkpoint) -> None:
    fp32 = open_fp32(checkpoint)
    met = observations(checkpoint)
    everything = reach([run_graph(fp32.session, inputs) for inputs in met])
    forms = quantized_forms(ModelKind(checkpoint.kind), fp32.data, met, LIMITS)
    assert set(forms) == set(ModelForm) - {ModelForm.FP32}
    for form, opened in forms.items():
        for inputs in met:
            wanted, found = run_graph(fp32.session, inputs), run_graph(opened.session, inputs)
            # The steps of quantized outputs are fractions of all values ever met, not of those of this observation.
            scale = everything if form is ModelForm.INT8_QDQ_ALL else reach([wanted])
            for name in wanted:
                assert float(np.abs(found[name] - wanted[name]).max()) < 0.1 * scale, (form, name)
            assert any(not np.array_equal(found[name], wanted[name]) for name in wanted), form


@BOTH
def test_weights_are_whole_numbers_of_seven_bits(checkpoint: Checkpoint) -> None:
    prepared = prepare(to_onnx(checkpoint))
    met = observations(checkpoint)
    for data in (dynamic_int8(prepared), qdq_int8(prepared, met), qdq_int8_of_all_operators(prepared, met)):
        weights = [
            numpy_helper.to_array(tensor)
            for tensor in onnx.load_from_string(data).graph.initializer
            if tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) == 2
        ]
        assert len(weights) >= 3
        assert max(int(np.abs(weight).max()) for weight in weights) in (63, 64)


def test_the_heads_of_the_set_network_stay_in_fp32() -> None:
    prepared = prepare(to_onnx(set_checkpoint()))
    heads = head_nodes(onnx.load_from_string(prepared))
    for part in ("pair_advantage", "wait_advantage", "wait_hidden", "value", "value_hidden", "encode_context"):
        assert sum(part in name.split("/") for name in heads) == 1, part
    assert not any("pair_hidden" in name.split("/") for name in heads)
    kept = {
        tensor.name: tensor
        for tensor in onnx.load_from_string(qdq_int8(prepared, observations(set_checkpoint()))).graph.initializer
    }
    assert kept["network.value.weight"].data_type == onnx.TensorProto.FLOAT
    assert "network.pair_hidden.weight" not in kept


def test_all_operators_means_heads_and_sums_too() -> None:
    checkpoint = set_checkpoint()
    prepared = prepare(to_onnx(checkpoint))
    some = onnx.load_from_string(qdq_int8(prepared, observations(checkpoint)))
    every = onnx.load_from_string(qdq_int8_of_all_operators(prepared, observations(checkpoint)))

    def makers_of_outputs(model: onnx.ModelProto) -> set[str]:
        made = {output: node.op_type for node in model.graph.node for output in node.output}
        return {made[output.name] for output in model.graph.output}

    assert makers_of_outputs(some) == {"Add"}
    assert makers_of_outputs(every) == {"DequantizeLinear"}  # the values themselves have 255 steps
    kept = {tensor.name: tensor for tensor in every.graph.initializer}
    assert "network.value.weight" not in kept


def test_the_last_layer_of_the_flat_network_stays_in_fp32() -> None:
    (head,) = head_nodes(onnx.load_from_string(prepare(to_onnx(flat_checkpoint()))))
    assert "layers.6" in head


def test_calibrating_with_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one observation"):
        qdq_int8(prepare(to_onnx(set_checkpoint())), [])
    with pytest.raises(ValueError, match="at least one observation"):
        qdq_int8_of_all_operators(prepare(to_onnx(set_checkpoint())), [])


def test_a_network_that_was_never_trained_can_be_quantized() -> None:
    """Its heads are all zero, so that two of them share one stored tensor."""
    torch.manual_seed(0)
    fresh = SetNetwork(SetNetworkConfig(N_DRIVER, N_BOOKING, N_PAIR, N_CONTEXT)).eval()
    checkpoint = dataclasses.replace(set_checkpoint(), network=fresh)
    fp32 = open_fp32(checkpoint)
    forms = quantized_forms(ModelKind.SET, fp32.data, observations(checkpoint), LIMITS)
    for inputs in observations(checkpoint):
        wanted = run_graph(fp32.session, inputs)
        for form, opened in forms.items():
            found = run_graph(opened.session, inputs)
            # The value is -pair_cost (up to 150 min), which only the last form rounds.
            tolerance = 1.5 if form is ModelForm.INT8_QDQ_ALL else 1e-3
            np.testing.assert_allclose(found["q_pair"], wanted["q_pair"], atol=tolerance)
