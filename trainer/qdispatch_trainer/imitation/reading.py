"""How each kind of network reads situations: from a situation to stored states, and from stored states to values.

Both kinds keep, per pair, `booking` (a number that is the same for pairs of the same booking of a state) and whatever
the caller adds (labels); the set network reads the observation's rows, the flat network the classic view.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from qdispatch_domain.classic import ACTIONS, UNSEEN, classic_view
from qdispatch_domain.situation import Situation
from qdispatch_trainer.imitation.states import I64, STATE, States
from qdispatch_trainer.networks.build import QNetwork
from qdispatch_trainer.networks.flat_network import FlatNetwork
from qdispatch_trainer.networks.ragged_batch import RaggedBatch
from qdispatch_trainer.networks.set_network import SetNetwork

DRIVER, BOOKING, PAIR = "driver", "booking", "pair"
Arrays = Mapping[str, npt.NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class Values:
    """A network's values of G states with P pairs in all, minutes-equivalent, with gradient."""

    q_pair: Tensor  # [P]
    q_wait: Tensor  # [G]
    state: Tensor  # [P] int64, which state a pair belongs to
    booking: Tensor  # [P] int64, equal for the pairs of one booking, counted over the whole batch from 0
    bookings: int  # how many numbers `booking` may take


class Reading(Protocol):
    """One kind of network's way of reading."""

    def states(self, situation: Situation, days: I64, of_pair: Arrays, of_day: Arrays) -> States:
        """States of the given days (ascending, each with a pair), with labels `of_pair` [P], `of_day` [N] beside."""

    def values(self, network: QNetwork, states: States) -> Values:
        """Values of stored states."""


class SetReading:
    """Sparse observations."""

    def states(self, situation: Situation, days: I64, of_pair: Arrays, of_day: Arrays) -> States:
        """See `Reading.states`."""
        seen = situation.observations
        n_days = situation.fleet.days
        chosen = np.zeros(n_days, dtype=np.bool_)
        chosen[days] = True
        n_driver = np.bincount(seen.driver_graph, minlength=n_days)
        n_booking = np.bincount(seen.booking_graph, minlength=n_days)
        n_pair = np.bincount(seen.pair_graph, minlength=n_days)
        first_driver, first_booking = np.cumsum(n_driver) - n_driver, np.cumsum(n_booking) - n_booking
        of_drivers, of_bookings, of_pairs = (
            chosen[graph] for graph in (seen.driver_graph, seen.booking_graph, seen.pair_graph)
        )
        day_of_pair = seen.pair_graph[of_pairs]
        return States(
            counts={DRIVER: n_driver[days], BOOKING: n_booking[days], PAIR: n_pair[days]},
            columns={
                STATE: {"context": _half(seen.context[days]), **{name: a[days] for name, a in of_day.items()}},
                DRIVER: {"features": _half(seen.driver_features[of_drivers])},
                BOOKING: {"features": _half(seen.booking_features[of_bookings])},
                PAIR: {
                    "features": _half(seen.pair_features[of_pairs]),
                    "driver": (seen.pair_driver[of_pairs] - first_driver[day_of_pair]).astype(np.int32),
                    "booking": (seen.pair_booking[of_pairs] - first_booking[day_of_pair]).astype(np.int32),
                    "cost": seen.pair_cost[of_pairs],
                    **{name: a[of_pairs] for name, a in of_pair.items()},
                },
            },
        )

    def values(self, network: QNetwork, states: States) -> Values:
        """See `Reading.values`."""
        if not isinstance(network, SetNetwork):
            raise TypeError("Expected a set network for sparse observations.")
        batch = ragged_batch(states)
        q_A = network(batch).q_A
        size = batch.size
        return Values(q_A[size:], q_A[:size], batch.pair_graph, batch.pair_booking, batch.booking_features.shape[0])


class FlatReading:
    """Classic state vectors; pairs without a slot are left out."""

    def states(self, situation: Situation, days: I64, of_pair: Arrays, of_day: Arrays) -> States:
        """See `Reading.states`. Days none of whose pairs has a slot are left out."""
        view = classic_view(situation)
        pairs = situation.table.insertion
        n_pair = np.bincount(pairs.day[view.pair_action != UNSEEN], minlength=situation.fleet.days)
        chosen = np.zeros(situation.fleet.days, dtype=np.bool_)
        chosen[days] = True
        chosen &= n_pair > 0
        kept = np.flatnonzero(chosen)
        of_pairs = chosen[pairs.day] & (view.pair_action != UNSEEN)
        return States(
            counts={PAIR: n_pair[kept]},
            columns={
                STATE: {"classic": _half(view.state[kept]), **{name: a[kept] for name, a in of_day.items()}},
                PAIR: {
                    "action": view.pair_action[of_pairs].astype(np.int32),
                    "booking": pairs.booking[of_pairs].astype(np.int32),
                    **{name: a[of_pairs] for name, a in of_pair.items()},
                },
            },
        )

    def values(self, network: QNetwork, states: States) -> Values:
        """See `Reading.values`."""
        if not isinstance(network, FlatNetwork):
            raise TypeError("Expected a flat network for classic states.")
        q_GA = network.q(_single(states.columns[STATE]["classic"]))
        state = torch.from_numpy(states.rows_of(PAIR))
        action = _index(states.columns[PAIR]["action"])
        booking = _index(states.columns[PAIR]["booking"])
        most = int(booking.max()) + 1 if len(booking) else 1
        if q_GA.shape[1] != ACTIONS:
            raise ValueError(f"Expected {ACTIONS} actions, got {q_GA.shape[1]}.")
        return Values(q_GA[state, action], q_GA[:, 0], state, state * most + booking, len(states) * most)


def ragged_batch(states: States) -> RaggedBatch:
    """Stored sparse observations as the set network's batch."""
    counts = states.counts
    pairs = states.columns[PAIR]
    first_driver = np.cumsum(counts[DRIVER]) - counts[DRIVER]
    first_booking = np.cumsum(counts[BOOKING]) - counts[BOOKING]
    return RaggedBatch(
        driver_features=_single(states.columns[DRIVER]["features"]),
        booking_features=_single(states.columns[BOOKING]["features"]),
        pair_features=_single(pairs["features"]),
        pair_driver=_index(pairs["driver"]) + torch.from_numpy(np.repeat(first_driver, counts[PAIR])),
        pair_booking=_index(pairs["booking"]) + torch.from_numpy(np.repeat(first_booking, counts[PAIR])),
        context=_single(states.columns[STATE]["context"]),
        pair_cost=_single(pairs["cost"]),
        driver_graph=torch.from_numpy(states.rows_of(DRIVER)),
        booking_graph=torch.from_numpy(states.rows_of(BOOKING)),
        pair_graph=torch.from_numpy(states.rows_of(PAIR)),
    )


def reading_for(kind: str) -> Reading:
    """The reading of a network kind, `set` or `flat`."""
    return SetReading() if kind == "set" else FlatReading()


def _half(features: npt.NDArray[np.float32]) -> npt.NDArray[np.float16]:
    return features.astype(np.float16)


def _single(array: npt.NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(array.astype(np.float32, copy=False))


def _index(array: npt.NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(array.astype(np.int64, copy=False))
