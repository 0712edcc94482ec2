"""From a network's kind and sizes to the network: the one table of kinds."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from qdispatch_trainer.networks.flat_network import FlatNetwork, FlatNetworkConfig
from qdispatch_trainer.networks.set_network import SetNetwork, SetNetworkConfig

QNetwork = SetNetwork | FlatNetwork
QNetworkConfig = SetNetworkConfig | FlatNetworkConfig
KINDS = ("set", "flat")


def build_network(config: QNetworkConfig) -> QNetwork:
    """A new network with the initial weights of torch's current random state."""
    return SetNetwork(config) if isinstance(config, SetNetworkConfig) else FlatNetwork(config)


def kind_of(config: QNetworkConfig) -> str:
    """`set` or `flat`."""
    return "set" if isinstance(config, SetNetworkConfig) else "flat"


def config_to_dict(config: QNetworkConfig) -> dict[str, Any]:
    """Plain values, as stored in checkpoints."""
    return asdict(config)


def config_from_dict(kind: str, values: dict[str, Any]) -> QNetworkConfig:
    """The inverse of `config_to_dict`. Raises ValueError for an unknown kind or unknown fields."""
    try:
        if kind == "set":
            return SetNetworkConfig(**values)
        if kind == "flat":
            return FlatNetworkConfig(**{**values, "hidden": tuple(values["hidden"])})
    except (TypeError, KeyError) as error:
        raise ValueError(f"The {kind} network's stored configuration does not fit this version: {error}") from error
    raise ValueError(f"Expected the network kind to be one of {', '.join(KINDS)}, got {kind!r}.")
