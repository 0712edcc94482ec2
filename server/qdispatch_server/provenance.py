"""Who decided, and if it was not the model, why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from qdispatch_bundle.manifest import Precision


class Fallback(StrEnum):
    """Why the heuristic answered."""

    DISABLED = "DISABLED"  # the company's switch is off
    MODEL_UNAVAILABLE = "MODEL_UNAVAILABLE"  # no verified model is loaded
    MODEL_LIMIT = "MODEL_LIMIT"  # within the protocol's limits, but over the model's
    STATE_UNKNOWN = "STATE_UNKNOWN"  # the switches could never be read
    DEADLINE = "DEADLINE"  # the model step, already started, would have missed the deadline
    MODEL_FAILED = "MODEL_FAILED"  # the model gave values that are no numbers, or failed


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an answer comes from. `fallback` is None exactly when the model decided; `heuristic` is then empty."""

    fallback: Fallback | None
    heuristic: str
    model_version: str  # of the loaded model, also when the heuristic answered; empty when none is loaded
    feature_fingerprint: str
    weights_digest: str
    precision: Precision | None = None  # of the graph that scored; None when the model scored nothing
    search_moves: int = 0  # of the local search behind the model's values; 0 when there was none
    commit_ahead_min: float = 0.0  # whose best pair leaves so soon is committed; 0: what the model commits by itself
