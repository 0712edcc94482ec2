"""A trained policy on disk: weights, sizes, and everything needed to know what it is.

One file written by `torch.save`, holding tensors and plain values only, so that `torch.load(weights_only=True)`
reads it: loading a checkpoint never runs code from it.
"""

from __future__ import annotations

import os
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from qdispatch_trainer.networks.build import QNetwork, build_network, config_from_dict, config_to_dict, kind_of

FORMAT = 1
UNREADABLE = (pickle.UnpicklingError, RuntimeError, EOFError, OSError)  # what `torch.load` raises


class CheckpointError(Exception):
    """The file is no checkpoint of this version; the message says why."""


@dataclass(frozen=True)
class Checkpoint:
    """A policy and its provenance. `network` is in eval mode after loading."""

    network: QNetwork
    feature_fingerprint: str  # of the features (set) or of the classic view (flat) it was trained on
    scenario: str
    scenario_digest: str
    weights_digest: str  # of the cost weights the rewards were computed with
    seed: int
    wait_bias_min: float = 0.0  # commit threshold: added to Q(wait), minutes-equivalent
    training: dict[str, Any] = field(default_factory=dict)  # the whole training configuration, plain values
    progress: dict[str, Any] = field(default_factory=dict)  # episodes, steps, updates, seconds at this point
    validation: dict[str, Any] = field(default_factory=dict)  # seeds and result that chose it

    @property
    def kind(self) -> str:
        """`set` or `flat`."""
        return kind_of(self.network.config)


def write_atomically(content: dict[str, Any], path: Path) -> None:
    """`torch.save` to a temporary neighbour, flush to disk, rename: a kill leaves the old file or the new one."""
    temporary = path.with_name(path.name + ".partial")
    with temporary.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def why_unreadable(error: Exception) -> str:
    """Why one of UNREADABLE was raised. Torch's own text is left out: it advises to load the file with its code."""
    return str(error) if isinstance(error, OSError) else "damaged, or holding more than tensors and plain values."


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write `path` atomically."""
    write_atomically(
        {
            "format": FORMAT,
            "network": checkpoint.kind,
            "network_config": config_to_dict(checkpoint.network.config),
            "state_dict": {name: value.detach().clone() for name, value in checkpoint.network.state_dict().items()},
            "feature_fingerprint": checkpoint.feature_fingerprint,
            "scenario": checkpoint.scenario,
            "scenario_digest": checkpoint.scenario_digest,
            "weights_digest": checkpoint.weights_digest,
            "seed": checkpoint.seed,
            "wait_bias_min": checkpoint.wait_bias_min,
            "training": checkpoint.training,
            "progress": checkpoint.progress,
            "validation": checkpoint.validation,
        },
        path,
    )


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint. Raises CheckpointError when the file is missing, damaged, or of another format."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"There is no checkpoint at {path}.") from error
    except UNREADABLE as error:
        raise CheckpointError(f"{path} is not a readable checkpoint: {why_unreadable(error)}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = content.get("format") if isinstance(content, dict) else type(content).__name__
        raise CheckpointError(f"{path} has checkpoint format {found}, expected {FORMAT}.")
    try:
        network = build_network(config_from_dict(content["network"], content["network_config"]))
        network.load_state_dict(content["state_dict"])
    except (KeyError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} does not hold a network of this version: {error}") from error
    if not all(bool(torch.isfinite(value).all()) for value in network.state_dict().values()):
        raise CheckpointError(f"{path} holds weights that are not finite.")
    network.eval()
    names = (
        "feature_fingerprint",
        "scenario",
        "scenario_digest",
        "weights_digest",
        "seed",
        "wait_bias_min",
        "training",
        "progress",
        "validation",
    )
    missing = [name for name in names if name not in content]
    if missing:
        raise CheckpointError(f"{path} lacks {', '.join(missing)}.")
    return Checkpoint(network=network, **{name: content[name] for name in names})
