"""The `set` network: one model for any number of drivers, bookings and pairs.

Encoders shared over drivers and over bookings; one message-passing block over the candidate pairs, max-pooled to
drivers and bookings (Gilmer et al. 2017, eq. 1-2, with max for the sum, so that the number of pairs does not shift
the values); a pooled context; an additive pair layer; dueling heads (Wang et al. 2016). Departures from the paper:
the reward of an insertion is exactly -pair_cost, so it is built in and only the rest is learned,

    Q(pair) = V - pair_cost + A(pair)        Q(wait) = V + A_wait

and the mean advantage is not subtracted: it would tie every pair's value to what else happens to be a candidate.

A decision left now is looked at again at the next event, so a driver who has to leave before that cannot wait.
Whether a pair's driver has to (and by how much) follows from two features; it is computed here and given to the pair
layers, which would otherwise need thousands of updates to learn so sharp an edge.

In a large fleet several drivers are nearly alike, so an imitated choice spreads over several pairs and each of them
falls behind holding, though together they would not. Q(wait) is lowered by a calibrated amount per doubling.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from qdispatch_trainer.networks.pooling import Pooling, RaggedPooling
from qdispatch_trainer.networks.ragged_batch import ActionValues, RaggedBatch


@dataclass(frozen=True, slots=True)
class SetNetworkConfig:
    """Sizes of the set network. The first four are the observation's column counts.

    `value_unit_min` and `advantage_unit_min` are the minutes-equivalent of one unit of the last layers: the value
    of a state grows with the fleet, so V is `value_unit_min` x number of drivers x the head's output.
    """

    n_driver: int
    n_booking: int
    n_pair: int
    n_context: int
    hidden: int = 48
    context_hidden: int = 64
    pair_hidden: int = 96
    value_unit_min: float = 50.0
    advantage_unit_min: float = 10.0
    departure_column: int | None = None  # of the pairs: until the driver leaves; None: no due columns are derived
    next_event_column: int | None = None  # of the context, in the same unit
    lead: float = 0.0  # in that unit: a departure within it is due, however soon the next event
    dropout: float = 0.0  # of the pair layers' values, in training
    sooner_per_doubling_min: float = 0.0  # Q(wait) is lowered by it per doubling of the fleet beyond FEW_DRIVERS

    def __post_init__(self) -> None:
        for name in ("n_driver", "n_booking", "n_pair", "n_context", "hidden", "context_hidden", "pair_hidden"):
            if getattr(self, name) < 1:
                raise ValueError(f"Expected {name} >= 1, got {getattr(self, name)}.")
        if (self.departure_column is None) != (self.next_event_column is None):
            raise ValueError("Expected departure_column and next_event_column together.")
        for name in ("value_unit_min", "advantage_unit_min"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"Expected {name} > 0, got {getattr(self, name)}.")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"Expected dropout in [0, 1), got {self.dropout}.")


FEW_DRIVERS = 12.0
DUE_COLUMNS = 2  # due or not, and by how much
DUE_SLACK = 0.005  # in the features' unit: what float16 and float32 may lose
DUE_STEEPNESS = 4.0  # of the second: a quarter of the unit until it saturates


def _encoder(n_in: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(n_in, n_out), nn.ReLU(), nn.Linear(n_out, n_out), nn.ReLU())


class SetNetwork(nn.Module):
    """Values of all candidate pairs and of waiting, minutes-equivalent, higher is better."""

    def __init__(self, config: SetNetworkConfig) -> None:
        super().__init__()
        self.config = config
        h, c, p = config.hidden, config.context_hidden, config.pair_hidden
        n_pair = config.n_pair + (0 if config.departure_column is None else DUE_COLUMNS)
        self.encode_driver = _encoder(config.n_driver, h)
        self.encode_booking = _encoder(config.n_booking, h)
        self.message_from_driver = nn.Linear(h, h)
        self.message_from_booking = nn.Linear(h, h, bias=False)
        self.message_from_pair = nn.Linear(n_pair, h, bias=False)
        self.update_driver = nn.Linear(2 * h, h)
        self.update_booking = nn.Linear(2 * h, h)
        self.encode_context = nn.Linear(4 * h + config.n_context, c)
        self.pair_from_driver = nn.Linear(h, p)
        self.pair_from_booking = nn.Linear(h, p, bias=False)
        self.pair_from_features = nn.Linear(n_pair, p, bias=False)
        self.pair_from_context = nn.Linear(c, p, bias=False)
        self.pair_hidden = nn.Linear(p, p)
        self.pair_dropout = nn.Dropout(config.dropout)
        self.pair_advantage = nn.Linear(p, 1)
        self.value_hidden = nn.Linear(c, c)
        self.value = nn.Linear(c, 1)
        self.wait_hidden = nn.Linear(c + p, c)
        self.wait_advantage = nn.Linear(c, 1)
        for head in (self.pair_advantage, self.wait_advantage, self.value):
            # Start as "wait while it is free, then the cheapest insertion": no arbitrary preference to unlearn.
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def forward(self, batch: RaggedBatch) -> ActionValues:
        """Values of every action of G situations; see `ActionValues` for the order."""
        pooling = RaggedPooling(batch.driver_graph, batch.booking_graph, batch.pair_graph, batch.size)
        q_pair, q_wait = self.values(
            batch.driver_features,
            batch.booking_features,
            batch.pair_features,
            batch.pair_driver,
            batch.pair_booking,
            batch.context,
            batch.pair_cost,
            pooling,
        )
        situation = torch.cat([torch.arange(batch.size, dtype=torch.int64), batch.pair_graph])
        return ActionValues(torch.cat([q_wait, q_pair]), situation, batch.size)

    def values(
        self,
        driver_features: Tensor,
        booking_features: Tensor,
        pair_features: Tensor,
        pair_driver: Tensor,
        pair_booking: Tensor,
        context: Tensor,
        pair_cost: Tensor,
        pooling: Pooling,
    ) -> tuple[Tensor, Tensor]:
        """(q_pair [P], q_wait [G]) float32, minutes-equivalent. `context` is [G, Fc]."""
        pair_features = self._with_due_columns(pair_features, context, pooling)
        driver = self.encode_driver(driver_features)
        booking = self.encode_booking(booking_features)
        message = torch.relu(
            self.message_from_driver(driver).index_select(0, pair_driver)
            + self.message_from_booking(booking).index_select(0, pair_booking)
            + self.message_from_pair(pair_features)
        )
        to_driver = pooling.rows_max(message, pair_driver, driver_features.shape[0])
        to_booking = pooling.rows_max(message, pair_booking, booking_features.shape[0])
        driver = torch.relu(self.update_driver(torch.cat([driver, to_driver], dim=1)))
        booking = torch.relu(self.update_booking(torch.cat([booking, to_booking], dim=1)))
        pooled = torch.cat([pooling.pool_drivers(driver), pooling.pool_bookings(booking), context], dim=1)
        summary = torch.relu(self.encode_context(pooled))
        pair = torch.relu(
            self.pair_from_driver(driver).index_select(0, pair_driver)
            + self.pair_from_booking(booking).index_select(0, pair_booking)
            + self.pair_from_features(pair_features)
            + pooling.to_pairs(self.pair_from_context(summary))
        )
        pair = self.pair_dropout(torch.relu(self.pair_hidden(pair)))
        a_pair = self.pair_advantage(pair).flatten() * self.config.advantage_unit_min
        wait = torch.relu(self.wait_hidden(torch.cat([summary, pooling.max_pairs(pair)], dim=1)))
        a_wait = self.wait_advantage(wait).flatten() * self.config.advantage_unit_min
        v = self.value(torch.relu(self.value_hidden(summary))).flatten()
        drivers = pooling.count_drivers(driver_features)
        v = v * drivers * self.config.value_unit_min
        if self.config.sooner_per_doubling_min != 0.0:
            a_wait = a_wait - self.config.sooner_per_doubling_min * torch.log2((drivers / FEW_DRIVERS).clamp(min=1.0))
        return pooling.to_pairs(v.unsqueeze(1)).flatten() - pair_cost + a_pair, v + a_wait

    def sooner(self, per_doubling_min: float) -> SetNetwork:
        """A copy that commits sooner the larger the fleet; see `SetNetworkConfig.sooner_per_doubling_min`."""
        other = copy.deepcopy(self)
        other.config = replace(self.config, sooner_per_doubling_min=per_doubling_min)
        return other

    def _with_due_columns(self, pair_features: Tensor, context: Tensor, pooling: Pooling) -> Tensor:
        """[P, Fp] -> [P, Fp + 2]."""
        departure, next_event = self.config.departure_column, self.config.next_event_column
        if departure is None or next_event is None:
            return pair_features
        until = context[:, next_event : next_event + 1].clamp(min=self.config.lead)
        spare = pair_features[:, departure : departure + 1] - pooling.to_pairs(until)
        due = (spare <= DUE_SLACK).to(pair_features.dtype)
        return torch.cat([pair_features, due, (DUE_STEEPNESS * spare).clamp(-1.0, 1.0)], dim=1)
