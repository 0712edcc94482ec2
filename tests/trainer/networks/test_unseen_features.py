import numpy as np
import pytest
import torch

from qdispatch_domain import features
from qdispatch_domain.heuristics import RandomFeasible
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Situation
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.networks.set_network import SetNetwork, SetNetworkConfig
from qdispatch_trainer.networks.unseen_features import UNSEEN_BOOKING, UNSEEN_PAIR, silence_unseen_features
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.simulator.play import play
from qdispatch_trainer.train import build_training
from qdispatch_trainer.train_config import TrainConfig


class _Watching:
    """Plays at random and notes which columns were ever other than zero."""

    def __init__(self) -> None:
        self._rule = RandomFeasible(0)
        self.booking = np.zeros(features.N_BOOKING, dtype=np.bool_)
        self.pair = np.zeros(features.N_PAIR, dtype=np.bool_)

    def score(self, situation: Situation) -> Scores:
        observations = situation.observations
        self.booking |= (observations.booking_features != 0).any(axis=0)
        self.pair |= (observations.pair_features != 0).any(axis=0)
        return self._rule.score(situation)


def test_the_list_is_what_generated_days_never_set() -> None:
    watching = _Watching()
    play([generate_day(scenario_named("clinic-day"), seed) for seed in range(64)], watching)
    never_booking = {f.name for f, seen in zip(features.BOOKING, watching.booking, strict=True) if not seen}
    never_pair = {f.name for f, seen in zip(features.PAIR, watching.pair, strict=True) if not seen}
    assert never_booking == set(UNSEEN_BOOKING)
    assert never_pair == set(UNSEEN_PAIR)


def test_an_unseen_feature_moves_no_value() -> None:
    network = build_training(TrainConfig()).network
    assert isinstance(network, SetNetwork)
    for layer, columns, names in (
        (network.encode_booking[0], features.BOOKING, UNSEEN_BOOKING),
        (network.message_from_pair, features.PAIR, UNSEEN_PAIR),
        (network.pair_from_features, features.PAIR, UNSEEN_PAIR),
    ):
        assert isinstance(layer, torch.nn.Linear)
        for column, feature in enumerate(columns):
            assert bool((layer.weight[:, column] == 0).all()) is (feature.name in names), feature.name


def test_other_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="numbers of booking and pair features"):
        silence_unseen_features(SetNetwork(SetNetworkConfig(3, 4, 5, 6)))
