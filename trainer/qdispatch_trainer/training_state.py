"""Between rounds, everything a training needs to continue exactly where it stopped.

The random streams need no saving: every round derives its own from (seed, purpose, round).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from qdispatch_trainer.checkpoint import UNREADABLE, why_unreadable, write_atomically
from qdispatch_trainer.run_directory import STATE_FORMAT, RunError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(slots=True)
class Progress:
    """Counters of a training; `seconds` is wall time over all its processes."""

    rounds: int = 0
    days: int = 0
    decisions: int = 0
    updates: int = 0
    seconds: float = 0.0
    best_mean_return: float = -math.inf
    best_round: int = -1
    validations_since_best: int = 0


def save_state(path: Path, progress: DataclassInstance, parts: dict[str, Any]) -> None:
    """Write the counters (a dataclass of plain values) and the state dicts of what is trained, atomically."""
    write_atomically({"format": STATE_FORMAT, "progress": asdict(progress), **_to_tensors(parts)}, path)


def load_state(path: Path) -> tuple[Progress, dict[str, Any]]:
    """What `save_state` wrote of a DQN training. Raises RunError when there is none or it is damaged."""
    counters, content = load_counters(path)
    return Progress(**counters), content


def load_counters(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The counters by name and the state dicts. Raises RunError when there is no state or it is damaged."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise RunError(f"{path} does not exist: the run was stopped before its first state was saved.") from error
    except UNREADABLE as error:
        raise RunError(f"{path} is not a readable training state: {why_unreadable(error)}") from error
    if not isinstance(content, dict) or content.pop("format", None) != STATE_FORMAT:
        raise RunError(f"{path} is no training state of format {STATE_FORMAT}.")
    return content.pop("progress"), content


def _to_tensors(value: Any) -> Any:
    """Arrays as tensors, so that the file loads with weights_only."""
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value)
    if isinstance(value, dict):
        return {key: _to_tensors(part) for key, part in value.items()}
    return value


def to_arrays(value: Any) -> Any:
    """The inverse, for state dicts that hold arrays."""
    if isinstance(value, torch.Tensor):
        return value.numpy()
    if isinstance(value, dict):
        return {key: to_arrays(part) for key, part in value.items()}
    return value
