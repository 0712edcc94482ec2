"""Days played with a teacher beside the network: who acts, what is remembered, and that it is the same numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from qdispatch_domain.events import next_event
from qdispatch_domain.heuristics import RegretInsertion
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Situation
from qdispatch_trainer.closed_loop import returns_of
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.imitation.config import ImitateConfig
from qdispatch_trainer.imitation.labelled_play import Keeping, play_labelled
from qdispatch_trainer.imitation.reading import PAIR, FlatReading, SetReading, reading_for
from qdispatch_trainer.imitation.states import STATE
from qdispatch_trainer.networks.build import QNetwork, build_network
from qdispatch_trainer.policies import network_scorer
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.play import play_round
from qdispatch_trainer.train import network_config

CLINIC = scenario_named("clinic-day")
ALL = Keeping()
DAYS = [generate_day(CLINIC, seed) for seed in range(4)]


def network(kind: str) -> QNetwork:
    torch.manual_seed(0)
    built = build_network(network_config(replace(ImitateConfig.from_dict({"network": kind}))))
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return built.eval()


def test_beta_says_who_acts() -> None:
    own = network("set")
    for beta, actor in ((1.0, RegretInsertion()), (0.0, network_scorer(own))):
        played = play_labelled(DAYS, network_scorer(own), RegretInsertion(), beta, SetReading(), ALL, (0, 0))
        assert played.returns is not None
        np.testing.assert_allclose(played.returns, returns_of(CLINIC, range(4), actor), atol=1e-6)


def test_every_state_is_met_once_and_a_share_is_kept() -> None:
    whole = play_labelled(DAYS, network_scorer(network("set")), RegretInsertion(), 1.0, SetReading(), ALL, (0, 0))
    half = play_labelled(
        DAYS, network_scorer(network("set")), RegretInsertion(), 1.0, SetReading(), Keeping(0.5, 0.5), (0, 0)
    )
    assert len(whole.states[0]) == whole.met == half.met
    assert 0.3 < len(half.states[0]) / half.met < 0.7
    pairs = whole.states[0].columns[PAIR]
    assert int(pairs["commit"].sum()) == whole.teacher_commits
    assert int(pairs["must"].sum()) > 0


@pytest.mark.parametrize("kind", ["set", "flat"])
def test_stored_states_give_the_values_the_decoder_saw(kind: str) -> None:
    own, reading = network(kind), reading_for(kind)
    batch = DayBatch(DAYS)
    situation = batch.situation()
    days = np.unique(situation.table.insertion.day)
    scores = network_scorer(own).score(situation)
    seen = scores.q_pair > -1e8
    states = reading.states(situation, days, of_pair={"row": np.arange(len(seen))}, of_day={"day": np.arange(4)})
    with torch.no_grad():
        values = reading.values(own, states)
    # float16 features: equal to within a few hundredths of the values' spread
    tolerance = 0.01 * float(np.ptp(scores.q_pair[seen]))
    np.testing.assert_array_equal(states.columns[PAIR]["row"], np.flatnonzero(seen))
    np.testing.assert_array_equal(states.columns[STATE]["day"], days)
    np.testing.assert_allclose(values.q_pair.numpy(), scores.q_pair[seen], atol=tolerance)
    np.testing.assert_allclose(values.q_wait.numpy(), np.asarray(scores.q_wait)[days], atol=tolerance)
    pairs = situation.table.insertion
    np.testing.assert_array_equal(days[values.state.numpy()], pairs.day[seen])
    same = values.booking[:, None] == values.booking[None, :]
    key = (pairs.day * 1000 + pairs.booking)[seen]
    np.testing.assert_array_equal(same.numpy(), key[:, None] == key[None, :])
    assert values.bookings > int(values.booking.max())


def test_kept_states_can_leave_some_days_out() -> None:
    batch = DayBatch(DAYS)
    situation = batch.situation()
    marked = situation.table.insertion.day * 10.0
    for reading in (SetReading(), FlatReading()):
        states = reading.states(situation, np.array([1, 3]), of_pair={"mark": marked}, of_day={})
        assert len(states) == 2
        np.testing.assert_array_equal(states.columns[PAIR]["mark"], np.repeat([10.0, 30.0], states.counts[PAIR]))


class Silent:
    """A scorer that names no pairs to commit."""

    def score(self, situation: Situation) -> Scores:
        return Scores(np.zeros(len(situation.table.rank)), np.zeros(situation.fleet.days))


def test_a_teacher_must_say_what_to_commit() -> None:
    with pytest.raises(ValueError, match="which pairs to commit"):
        play_labelled(DAYS, Silent(), Silent(), 0.5, SetReading(), ALL, (0, 0))


def test_idle_states_are_those_in_which_nobody_must_leave_yet() -> None:
    batch, idle, due = DayBatch(DAYS), 0, 0
    while not batch.over.all():
        situation = batch.situation()
        pairs, fleet = situation.table.insertion, situation.fleet
        chance = Keeping(due_share=0.75, idle_share=0.25).chances(situation)
        until = next_event(fleet, situation.table)
        for n in range(len(DAYS)):
            mine = pairs.day == n
            leaves = pairs.depart[mine] - 1e-6 <= max(float(until[n]), float(fleet.now[n]) + 5.0)
            assert chance[n] == (0.0 if not mine.any() else 0.75 if leaves.any() else 0.25)
            idle, due = idle + int(chance[n] == 0.25), due + int(chance[n] == 0.75)
        play_round(batch, RegretInsertion())
    assert min(idle, due) > 30
