from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

import qdispatch_trainer
from qdispatch_bundle.manifest import ModelKind
from qdispatch_bundle.onnx_session import run_graph
from qdispatch_bundle.synthetic_inputs import synthetic_observations
from qdispatch_export.equivalence import check_equivalence
from qdispatch_export.errors import ExportError
from qdispatch_export.torch_export import OPSET, export_form, to_onnx
from qdispatch_trainer.checkpoint import Checkpoint
from tests.export.checkpoints import flat_checkpoint, open_fp32, set_checkpoint

BOTH = pytest.mark.parametrize("checkpoint", [set_checkpoint(), flat_checkpoint()], ids=["set", "flat"])


@BOTH
def test_the_graph_computes_what_the_network_computes_at_every_size(checkpoint: Checkpoint) -> None:
    kind = ModelKind(checkpoint.kind)
    sizes = synthetic_observations(kind, np.random.default_rng(0), edges=True)
    if kind is ModelKind.SET:
        shapes = {(size.drivers, size.bookings, len(inputs["pair_driver"])) for size, inputs in sizes}
        assert {(1, 1, 1), (1, 7, 7), (7, 1, 6), (100, 300, 1800)} <= shapes
    observations = [inputs for _, inputs in sizes]
    assert check_equivalence(export_form(checkpoint), open_fp32(checkpoint).session, observations) < 0.01


@BOTH
def test_another_network_is_told_from_the_graph(checkpoint: Checkpoint) -> None:
    session = open_fp32(checkpoint).session
    with torch.no_grad():
        for parameter in checkpoint.network.parameters():
            parameter.mul_(1.001)
    try:
        observations = [
            inputs
            for _, inputs in synthetic_observations(ModelKind(checkpoint.kind), np.random.default_rng(0), edges=False)
        ]
        with pytest.raises(ExportError, match="differs from the checkpoint"):
            check_equivalence(export_form(checkpoint), session, observations)
    finally:
        with torch.no_grad():
            for parameter in checkpoint.network.parameters():
                parameter.div_(1.001)


@BOTH
def test_the_commit_threshold_moves_waiting_and_nothing_else(checkpoint: Checkpoint) -> None:
    ((_, inputs), *_) = synthetic_observations(ModelKind(checkpoint.kind), np.random.default_rng(0), edges=False)
    low, high = (
        run_graph(open_fp32(dataclasses.replace(checkpoint, wait_bias_min=bias)).session, inputs) for bias in (0.0, 7.5)
    )
    if checkpoint.kind == "set":
        np.testing.assert_allclose(high["q_wait"] - low["q_wait"], 7.5, atol=1e-3)
        np.testing.assert_array_equal(high["q_pair"], low["q_pair"])
    else:
        moved = high["q"] - low["q"]
        np.testing.assert_allclose(moved[0], 7.5, atol=1e-3)
        assert not moved[1:].any()


@BOTH
def test_the_graph_is_checked_self_contained_and_names_no_source_file(checkpoint: Checkpoint) -> None:
    data = to_onnx(checkpoint)
    model = onnx.load_from_string(data)
    assert [entry.version for entry in model.opset_import] == [OPSET]
    assert str(Path(qdispatch_trainer.__file__).parent).encode() not in data
    assert b".py" not in data


def test_maxima_of_messages_are_taken_a_row_at_a_time() -> None:
    """Number by number they took a third of the graph's time."""
    operators = [node.op_type for node in onnx.load_from_string(to_onnx(set_checkpoint())).graph.node]
    assert operators.count("ScatterND") == 2
    assert not {"ScatterElements", "If"} & set(operators)
