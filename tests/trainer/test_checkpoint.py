"""Checkpoints: read back exactly, refuse what is damaged, never run code."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch

from qdispatch_trainer.checkpoint import Checkpoint, CheckpointError, load_checkpoint, save_checkpoint
from qdispatch_trainer.networks.build import QNetworkConfig, build_network
from qdispatch_trainer.networks.flat_network import FlatNetworkConfig
from qdispatch_trainer.networks.set_network import SetNetworkConfig


def checkpoint(config: QNetworkConfig) -> Checkpoint:
    return Checkpoint(
        network=build_network(config),
        feature_fingerprint="ab" * 32,
        scenario="clinic-day",
        scenario_digest="0123456789ab",
        weights_digest="ba9876543210",
        seed=7,
        wait_bias_min=-1.5,
        training={"learning_rate": 1e-3},
        progress={"days": 3},
        validation={"mean_return": -200.0},
    )


@pytest.mark.parametrize("config", [SetNetworkConfig(3, 4, 5, 6), FlatNetworkConfig(dropout=0.1)])
def test_what_is_saved_is_what_is_loaded(tmp_path: Path, config: QNetworkConfig) -> None:
    before = checkpoint(config)
    save_checkpoint(before, tmp_path / "model.pt")
    after = load_checkpoint(tmp_path / "model.pt")
    assert after.network.config == config
    assert not after.network.training
    for name, value in before.network.state_dict().items():
        assert torch.equal(value, after.network.state_dict()[name])
    for name in ("feature_fingerprint", "scenario", "scenario_digest", "weights_digest", "seed", "wait_bias_min"):
        assert getattr(after, name) == getattr(before, name)
    assert (after.training, after.progress, after.validation) == (before.training, before.progress, before.validation)
    assert list(tmp_path.iterdir()) == [tmp_path / "model.pt"]


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        load_checkpoint(tmp_path / "model.pt")


class Attack:
    """Unpickling it would create a file."""

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, ("attacked", "w")


def test_code_in_a_file_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.pt").write_bytes(pickle.dumps(Attack()))
    with pytest.raises(CheckpointError, match="not a readable checkpoint") as refused:
        load_checkpoint(tmp_path / "model.pt")
    assert not (tmp_path / "attacked").exists()
    assert "weights_only" not in str(refused.value)  # torch's own text advises to run the code


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    save_checkpoint(checkpoint(SetNetworkConfig(3, 4, 5, 6)), path)
    path.write_bytes(path.read_bytes()[:2_000])
    with pytest.raises(CheckpointError, match="not a readable checkpoint"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, "format 99, expected 1"),
        ({"network": "transformer"}, "transformer"),
        ({"network_config": {"n_driver": 3}}, "does not fit"),
        ({"state_dict": {}}, "does not hold a network"),
    ],
)
def test_another_content_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    path = tmp_path / "model.pt"
    save_checkpoint(checkpoint(SetNetworkConfig(3, 4, 5, 6)), path)
    torch.save(torch.load(path, weights_only=True) | change, path)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(path)


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    bad = checkpoint(SetNetworkConfig(3, 4, 5, 6))
    with torch.no_grad():
        next(bad.network.parameters()).fill_(float("nan"))
    save_checkpoint(bad, tmp_path / "model.pt")
    with pytest.raises(CheckpointError, match="not finite"):
        load_checkpoint(tmp_path / "model.pt")
