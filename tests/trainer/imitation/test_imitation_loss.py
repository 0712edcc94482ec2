"""The terms of the imitation loss against numbers worked out by hand, and what they teach."""

from __future__ import annotations

import math

import pytest
import torch

from qdispatch_trainer.imitation.imitation_loss import (
    Labels,
    group_log_softmax,
    imitation_terms,
    log_softmax_with_hold,
)
from qdispatch_trainer.imitation.reading import Values

UNIT = 5.0


def two_states() -> tuple[Values, Labels]:
    """State 0: bookings 0 (two pairs) and 1 (one pair); state 1: booking 2 (two pairs), which must be decided."""
    values = Values(
        q_pair=torch.tensor([5.0, 0.0, -5.0, 10.0, 5.0], requires_grad=True),
        q_wait=torch.tensor([0.0, 5.0], requires_grad=True),
        state=torch.tensor([0, 0, 0, 1, 1]),
        booking=torch.tensor([0, 0, 1, 2, 2]),
        bookings=3,
    )
    labels = Labels(
        commit=torch.tensor([True, False, False, False, True]),
        preferred=torch.tensor([True, False, True, False, True]),
        must=torch.tensor([False, False, False, True, True]),
    )
    return values, labels


def nll(chosen: float, *logits: float) -> float:
    return math.log(sum(math.exp(x) for x in logits)) - chosen


def test_terms_by_hand() -> None:
    values, labels = two_states()
    terms = imitation_terms(values, labels, UNIT)
    # logits: booking 0: 1 (committed), 0; booking 1: -1 | booking 2: 1, 0 (committed); holding is 0
    commit = ((nll(1, 0, 1, 0) + nll(0, 0, -1)) / 2 + nll(0, 0, 1, 0)) / 2
    assert terms.commit.item() == pytest.approx(commit, rel=1e-5)
    assert terms.forced.item() == pytest.approx(nll(0, 1, 0) / 2, rel=1e-5)  # state 0 has nothing to decide
    # only booking 1 is held, and it has one pair: nothing to learn about its driver
    assert terms.driver.item() == pytest.approx(0.0, abs=1e-6)
    held = Labels(torch.zeros(5, dtype=torch.bool), labels.preferred, labels.must)
    expected = (nll(1, 1, 0) / 2 + nll(0, 1, 0)) / 2
    assert imitation_terms(values, held, UNIT).driver.item() == pytest.approx(expected, rel=1e-5)


def test_doubt_between_two_drivers_is_no_reason_to_hold() -> None:
    values = Values(
        torch.zeros(4, requires_grad=True),
        torch.zeros(2, requires_grad=True),
        torch.tensor([0, 0, 1, 1]),
        torch.tensor([0, 0, 1, 1]),
        2,
    )
    # The same two pairs: the teacher commits the first in one state and the second in the other.
    labels = Labels(
        torch.tensor([True, False, False, True]),
        torch.tensor([True, False, False, True]),
        torch.zeros(4, dtype=torch.bool),
    )
    shared = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.SGD([shared], lr=10.0)
    for _ in range(100):
        terms = imitation_terms(Values(shared.repeat(2), values.q_wait, values.state, values.booking, 2), labels, UNIT)
        optimizer.zero_grad()
        terms.commit.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert shared.min().item() > 5.0


def test_descent_brings_the_teachers_choice_about() -> None:
    values, labels = two_states()
    optimizer = torch.optim.SGD([values.q_pair, values.q_wait], lr=20.0)
    for _ in range(200):
        terms = imitation_terms(values, labels, UNIT)
        optimizer.zero_grad()
        (terms.commit + terms.driver + terms.forced).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    commit = values.q_pair > values.q_wait[values.state]
    assert commit.tolist() == labels.commit.tolist()
    assert values.q_pair[4] > values.q_pair[3]


def test_a_state_weighs_the_same_whatever_its_size() -> None:
    values, labels = two_states()
    # State 0 three times over, as one larger state: its share of every mean stays what it was.
    pairs = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 3, 4])
    larger = Values(
        values.q_pair[pairs],
        values.q_wait,
        values.state[pairs],
        torch.tensor([0, 0, 1, 2, 2, 3, 4, 4, 5, 6, 6]),
        7,
    )
    of_larger = Labels(labels.commit[pairs], labels.preferred[pairs], labels.must[pairs])
    small, large = (imitation_terms(v, one, UNIT) for v, one in ((values, labels), (larger, of_larger)))
    for name in ("commit", "driver", "forced"):
        assert getattr(large, name).item() == pytest.approx(getattr(small, name).item(), rel=1e-5)


def test_log_softmax_within_groups() -> None:
    logit = torch.tensor([1.0, 300.0, 2.0, -300.0])
    found = group_log_softmax(logit, torch.tensor([0, 1, 0, 1]), 2)
    expected = torch.log_softmax(logit[[0, 2]], 0)
    torch.testing.assert_close(found[[0, 2]], expected)
    assert found[1].item() == 0.0
    assert found[3].item() == pytest.approx(-600.0)


def test_log_softmax_with_holding() -> None:
    logit = torch.tensor([1.0, 300.0, 2.0, -300.0])
    pairs, hold = log_softmax_with_hold(logit, torch.tensor([0, 1, 0, 1]), 3)
    expected = torch.log_softmax(torch.tensor([0.0, 1.0, 2.0]), 0)
    torch.testing.assert_close(torch.stack([hold[0], pairs[0], pairs[2]]), expected)
    assert hold[1].item() == pytest.approx(-300.0)
    assert pairs[1].item() == pytest.approx(0.0)
    assert hold[2].item() == 0.0  # nothing but holding
