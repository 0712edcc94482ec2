"""Features that no generated day ever sets: their input weights are zero, so that noise never becomes a decision.

A weight whose input is always zero has no gradient and would keep its random initial value. Generated days have no
whole-day plan, no pins and no earlier promises; an engine's snapshots do. What these mean for the cost is in
`pair_cost` all the same, and what they forbid is in the mask. A test plays generated days and holds this list against
what they contain.
"""

from __future__ import annotations

import torch

from qdispatch_domain.features import BOOKING, PAIR, Feature
from qdispatch_trainer.networks.set_network import SetNetwork

UNSEEN_BOOKING = ("planned", "pinned", "promised")
UNSEEN_PAIR = ("driver_change", "is_planned")


def silence_unseen_features(network: SetNetwork) -> None:
    """Zero the input weights of the unseen features, in place. Raises ValueError if the sizes are not the domain's."""
    if (network.config.n_booking, network.config.n_pair) != (len(BOOKING), len(PAIR)):
        raise ValueError("Expected a network with the domain's numbers of booking and pair features.")
    layers = [
        (network.encode_booking[0], BOOKING, UNSEEN_BOOKING),
        (network.message_from_pair, PAIR, UNSEEN_PAIR),
        (network.pair_from_features, PAIR, UNSEEN_PAIR),
    ]
    with torch.no_grad():
        for layer, features, names in layers:
            if not isinstance(layer, torch.nn.Linear):
                raise TypeError("Expected the first layer of an encoder to be linear.")
            layer.weight[:, _columns(features, names)] = 0.0


def _columns(features: tuple[Feature, ...], names: tuple[str, ...]) -> list[int]:
    by_name = {feature.name: column for column, feature in enumerate(features)}
    return [by_name[name] for name in names]
