"""A trained policy from disk, checkpoint or bundle, ready to be played, and what it says about itself."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from qdispatch_bundle.loading import load_bundle
from qdispatch_domain.situation import Scorer
from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.checkpoint import CheckpointError, load_checkpoint
from qdispatch_trainer.policies import network_scorer
from qdispatch_trainer.train import feature_fingerprint


def load_policy(path: Path) -> tuple[Scorer, dict[str, Any]]:
    """A bundle's folder or a checkpoint as a scorer, and its identity as plain values.

    Raises CheckpointError or BundleError when it is damaged, or made for other features or cost weights.
    """
    if path.is_dir():
        bundle = load_bundle(path)
        manifest = bundle.manifest
        return bundle.model, {
            "source": "bundle",
            "version": bundle.version,
            "digest": bundle.digest,
            "kind": manifest.kind.value,
            "precision": bundle.precision.value,
            "feature_fingerprint": manifest.feature_fingerprint,
            "training_seed": manifest.training.seed,
        }
    checkpoint = load_checkpoint(path)
    if checkpoint.feature_fingerprint != feature_fingerprint(checkpoint.kind):
        raise CheckpointError(f"{path} was trained on other features than this code's.")
    if checkpoint.weights_digest != WEIGHTS.digest():
        raise CheckpointError(f"{path} was trained with other cost weights than this code's.")
    return network_scorer(checkpoint.network, checkpoint.wait_bias_min), {
        "source": "checkpoint",
        "digest": hashlib.sha256(path.read_bytes()).hexdigest(),
        "kind": checkpoint.kind,
        "feature_fingerprint": checkpoint.feature_fingerprint,
        "training_seed": checkpoint.seed,
        "wait_bias_min": checkpoint.wait_bias_min,
    }
