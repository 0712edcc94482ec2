"""Do features of what comes after a trip help to imitate? Followers (best next bookings) and uncalled returns nearby.

    python experiments/chain_features.py

The teacher of the shipped recipe plays train-seed days of the mix's small and middle groups; a network learns from the
states met and is judged on states of other days: cross-entropy of what to commit (`imitation_loss`), and which share of
the teacher's commitments it finds. The same states, with and without the added columns.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from qdispatch_domain.features import CLIP
from qdispatch_domain.fleet import NEVER, Fleet
from qdispatch_domain.observation import Scores
from qdispatch_domain.reasons import BookingGap
from qdispatch_domain.situation import Situation
from qdispatch_trainer.imitation.config import ImitateConfig
from qdispatch_trainer.imitation.imitation_loss import imitation_terms
from qdispatch_trainer.imitation.labelled_play import Keeping, LabellingScorer
from qdispatch_trainer.imitation.learner import ImitationLearner, labels_of
from qdispatch_trainer.imitation.reading import BOOKING, DRIVER, Reading, SetReading
from qdispatch_trainer.imitation.states import States, StateStore, join
from qdispatch_trainer.imitation.teachers import teacher_named
from qdispatch_trainer.imitation.training_mix import training_days
from qdispatch_trainer.networks.build import build_network
from qdispatch_trainer.networks.set_network import SetNetworkConfig
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.play import play_round
from qdispatch_trainer.train import network_config

F64 = npt.NDArray[np.float64]

WITHIN_MIN = 60.0  # from the end of a trip to a follower's pickup
NEAR_MIN = 10.0  # a return that starts so far away counts 1/e
SCALES = {"follower_in": 30.0, "follower_deadhead": 15.0, "calls_near": 2.0}
ADDED = {DRIVER: ("calls_near",), BOOKING: ("follower_in", "follower_deadhead", "calls_near")}
VARIANTS: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "followers": ("follower_in", "follower_deadhead"),
    "uncalled returns nearby": ("calls_near",),
    "both": tuple(SCALES),
}
TRAIN_DAYS, JUDGED_DAYS = {"small": 500, "middle": 60}, {"small": 150, "middle": 20}


def around(fleet: Fleet) -> dict[str, dict[str, F64]]:
    """The added columns, unscaled: per booking [N, B] and per driver [N, D]."""
    end = np.maximum(fleet.scheduled, fleet.now[:, None]) + fleet.pickup_service + fleet.loaded + fleet.dropoff_service
    drive = fleet.travel.free_flow(fleet.dropoff[:, :, None, :], fleet.pickup[:, None, :, :])
    within = np.maximum(drive, fleet.scheduled[:, None, :] - end[:, :, None])
    can = fleet.open[:, None, :] & ~np.eye(fleet.open.shape[1], dtype=np.bool_) & (within <= WITHIN_MIN)
    can &= end[:, :, None] + drive <= (fleet.scheduled + fleet.tolerance)[:, None, :]
    waiting = ((fleet.booking_gap == BookingGap.NOT_READY) & fleet.booking_real)[:, None, :]
    from_driver = fleet.travel.free_flow(fleet.anchor_place[:, :, None, :], fleet.pickup[:, None, :, :])
    return {
        BOOKING: {
            "follower_in": np.where(can, within, NEVER).min(axis=2),
            "follower_deadhead": np.where(can, drive, NEVER).min(axis=2),
            "calls_near": (waiting * np.exp(-drive / NEAR_MIN)).sum(axis=2),
        },
        DRIVER: {"calls_near": (waiting * np.exp(-from_driver / NEAR_MIN)).sum(axis=2)},
    }


class WithSurroundings(SetReading):
    """The set network's reading with the added columns behind the others."""

    def states(
        self,
        situation: Situation,
        days: npt.NDArray[np.int64],
        of_pair: Mapping[str, np.ndarray],
        of_day: Mapping[str, np.ndarray],
    ) -> States:
        """See `Reading.states`."""
        found, fleet = super().states(situation, days, of_pair, of_day), situation.fleet
        added, rows = around(fleet), {DRIVER: fleet.usable, BOOKING: fleet.open}
        wider = dict(found.columns)
        for group, names in ADDED.items():
            there = rows[group][days]
            columns = [np.clip(added[group][name][days][there] / SCALES[name], -CLIP, CLIP) for name in names]
            features = found.columns[group]["features"]
            wide = np.concatenate([features, np.stack(columns, axis=1).astype(features.dtype)], axis=1)
            wider[group] = {**found.columns[group], "features": wide}
        return States(found.counts, wider)


class Holds:
    """Commits nothing: the teacher acts."""

    def score(self, situation: Situation) -> Scores:
        """See `Scorer`."""
        return Scores(q_pair=np.zeros(len(situation.table.rank)), q_wait=np.ones(situation.fleet.days))


def labelled(config: ImitateConfig, first: int, days: Mapping[str, int]) -> States:
    """The states of days that the teacher plays, with its labels."""
    parts = []
    for number, (name, count) in enumerate(days.items()):
        group = config.mix[name]
        played = training_days(group, first, count)
        teacher = teacher_named(config.teacher, group)(played, (first, number))
        everywhere = np.ones(count, dtype=np.bool_)
        scorer = LabellingScorer(Holds(), teacher, everywhere, WithSurroundings(), Keeping(), (first, number, 1))
        batch = DayBatch(played)
        while not batch.over.all():
            play_round(batch, scorer)
        parts += scorer.played.states
    return join(parts)


def without(states: States, kept: tuple[str, ...]) -> States:
    """The states with 0 in the added columns that are not `kept`."""
    for group, names in ADDED.items():
        features = states.columns[group]["features"]
        for place, name in enumerate(names, start=features.shape[1] - len(names)):
            if name not in kept:
                features[:, place] = 0
    return states


def judged(config: ImitateConfig, store: StateStore, other: StateStore, kept: tuple[str, ...], updates: int) -> str:
    """Learn from `store`, then read off `other`."""
    torch.manual_seed(config.seed)
    sizes = network_config(config)
    if not isinstance(sizes, SetNetworkConfig):
        raise TypeError("Expected settings of a set network.")
    sizes = replace(sizes, n_driver=sizes.n_driver + 1, n_booking=sizes.n_booking + 3)
    reading: Reading = SetReading()
    learner, rng = ImitationLearner(build_network(sizes), reading, config.learner), np.random.default_rng(config.seed)
    for number in range(updates):
        batch = without(store.gather(rng.integers(len(store), size=config.learner.batch_size)), kept)
        learner.update(batch, number / updates)
    loss, found, teacher, own = 0.0, 0, 0, 0
    with torch.no_grad():
        for first in range(0, len(other), 2000):
            states = without(other.gather(np.arange(first, min(first + 2000, len(other)))), kept)
            values, labels = reading.values(learner.average, states), labels_of(states)
            loss += float(imitation_terms(values, labels, config.learner.unit_min).commit) * len(states)
            commits = values.q_pair > values.q_wait[values.state]
            found += int((commits & labels.commit).sum())
            teacher, own = teacher + int(labels.commit.sum()), own + int(commits.sum())
    return f"commit loss {loss / len(other):.4f}, recall {found / teacher:.3f}, precision {found / own:.3f}"


def main() -> None:
    """Print one row per set of columns and seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--updates", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=2)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    settings = json.loads(Path("training/default.json").read_text(encoding="utf-8"))
    del settings["recipe"]
    config = ImitateConfig.from_dict(settings)
    store, other = StateStore(4_000), StateStore(4_000)
    store.append(labelled(config, 0, TRAIN_DAYS))
    other.append(labelled(config, 100_000, JUDGED_DAYS))
    print(f"{len(store)} states to learn from, {len(other)} to judge, {asked.updates} updates", flush=True)
    for seed in range(asked.seeds):
        for name, kept in VARIANTS.items():
            row = judged(replace(config, seed=seed), store, other, kept, asked.updates)
            print(f"seed {seed}, {name}: {row}", flush=True)


if __name__ == "__main__":
    main()
