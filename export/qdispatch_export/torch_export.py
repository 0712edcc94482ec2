"""Checkpoint network to FP32 ONNX bytes, through torch's TorchScript exporter.

That exporter knows how a network's own operator is written (`networks/pooling.py`) and keeps dynamic axes; the commit
threshold (`wait_bias_min`) becomes part of the graph's Q(wait).
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from qdispatch_trainer.checkpoint import Checkpoint
from qdispatch_trainer.networks.export_form import INPUT_NAMES, OUTPUT_NAMES, SetNetworkExport
from qdispatch_trainer.networks.flat_network import FlatNetwork
from qdispatch_trainer.networks.set_network import SetNetwork

OPSET = 18  # the first with the max reduction of ScatterND
_DYNAMIC_AXES = {
    "driver_features": {0: "D"},
    "booking_features": {0: "B"},
    "pair_features": {0: "P"},
    "pair_driver": {0: "P"},
    "pair_booking": {0: "P"},
    "pair_cost": {0: "P"},
    "q_pair": {0: "P"},
}


class FlatNetworkExport(nn.Module):
    """`FlatNetwork` on one state, with the commit threshold added to the value of waiting (action 0)."""

    wait_bias: Tensor

    def __init__(self, network: FlatNetwork, wait_bias_min: float) -> None:
        super().__init__()
        self.network = network
        bias = torch.zeros(network.config.n_action)
        bias[0] = wait_bias_min
        self.register_buffer("wait_bias", bias)

    def forward(self, state: Tensor) -> Tensor:
        """State [122] f32 -> q [201] f32, minutes-equivalent."""
        return self.network.q(state.unsqueeze(0)).flatten() + self.wait_bias


def export_form(checkpoint: Checkpoint) -> nn.Module:
    """The checkpoint's network in the inputs and outputs that its graph has, in eval mode."""
    network = checkpoint.network
    if isinstance(network, SetNetwork):
        return SetNetworkExport(network, checkpoint.wait_bias_min).eval()
    return FlatNetworkExport(network, checkpoint.wait_bias_min).eval()


def to_onnx(checkpoint: Checkpoint) -> bytes:
    """Write the checkpoint's network as a checked FP32 ONNX model that holds all its tensors itself."""
    network = checkpoint.network
    if isinstance(network, SetNetwork):
        config = network.config
        example = _set_example(config.n_driver, config.n_booking, config.n_pair, config.n_context)
        data = _trace(export_form(checkpoint), example, INPUT_NAMES, OUTPUT_NAMES, _DYNAMIC_AXES)
    else:
        data = _trace(export_form(checkpoint), (torch.zeros(network.config.n_state),), ("state",), ("q",), {})
    model = onnx.load_from_string(data)
    # The exporter guesses wrong shapes behind scatter; ONNX Runtime finds the right ones itself.
    del model.graph.value_info[:]
    _strip_source_paths(model)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _set_example(n_driver: int, n_booking: int, n_pair: int, n_context: int) -> tuple[Tensor, ...]:
    """Any observation will do: only shapes and types are traced. D, B and P differ, so that no axes are mixed up."""
    drivers, bookings, pairs = 3, 5, 7
    rows = torch.arange(pairs, dtype=torch.int64)
    return (
        torch.zeros(drivers, n_driver),
        torch.zeros(bookings, n_booking),
        torch.zeros(pairs, n_pair),
        rows % drivers,
        rows % bookings,
        torch.zeros(n_context),
        torch.zeros(pairs),
    )


def _trace(
    module: nn.Module,
    example: tuple[Tensor, ...],
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    dynamic_axes: dict[str, dict[int, str]],
) -> bytes:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        path = Path(folder, "fp32.onnx")
        # Chosen on purpose, see above; torch warns that this exporter is the older of its two.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"qdispatch_export|torch\.onnx")
        torch.onnx.export(
            module,
            example,
            path,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=dynamic_axes,
            opset_version=OPSET,
            dynamo=False,
        )
        return path.read_bytes()


def _strip_source_paths(model: onnx.ModelProto) -> None:
    """The exporter may leave stack traces with file names of this machine in the nodes' notes."""
    for node in model.graph.node:
        node.ClearField("doc_string")
