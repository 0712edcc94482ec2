"""Small untrained checkpoints of both kinds, of the real feature sizes."""

from __future__ import annotations

import dataclasses

import torch

from qdispatch_bundle.feature_lock import current_fingerprint
from qdispatch_bundle.manifest import Limits, ModelKind
from qdispatch_domain.classic import ACTIONS, STATE
from qdispatch_export.forms import OpenForm, open_form
from qdispatch_export.torch_export import to_onnx
from qdispatch_trainer.checkpoint import Checkpoint
from qdispatch_trainer.networks.flat_network import FlatNetwork, FlatNetworkConfig
from tests.bundle.tiny_bundle import tiny_checkpoint

LIMITS = Limits(200, 1000, 6000)


def set_checkpoint(seed: int = 0) -> Checkpoint:
    return tiny_checkpoint(seed)


def flat_checkpoint(seed: int = 0) -> Checkpoint:
    torch.manual_seed(seed)
    network = FlatNetwork(FlatNetworkConfig(STATE, ACTIONS, (16, 16, 8))).eval()
    return dataclasses.replace(
        tiny_checkpoint(seed),
        network=network,
        feature_fingerprint=current_fingerprint(ModelKind.FLAT),
        scenario="classic-10x20",
    )


def open_fp32(checkpoint: Checkpoint) -> OpenForm:
    return open_form(ModelKind(checkpoint.kind), to_onnx(checkpoint), LIMITS)
