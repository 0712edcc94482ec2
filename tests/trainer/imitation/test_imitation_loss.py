"""The terms of the imitation loss against numbers worked out by hand, and what they teach."""

from __future__ import annotations

import math

import pytest
import torch

from qdispatch_trainer.imitation.imitation_loss import Labels, group_log_softmax, imitation_terms
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


def bce(logit: float, label: float) -> float:
    return math.log(1 + math.exp(-logit)) if label else math.log(1 + math.exp(logit))


def test_terms_by_hand() -> None:
    values, labels = two_states()
    terms = imitation_terms(values, labels, UNIT, plan_weight=0.25)
    # logits: 1, 0, -1 | 1, 0
    commit = ((bce(1, 1) + bce(0, 0) + bce(-1, 0)) / 2 + (bce(1, 0) + bce(0, 1)) / 1) / 2
    assert terms.commit.item() == pytest.approx(commit, rel=1e-5)
    first = -math.log(math.e / (math.e + 1))  # booking 0, committed: weight 1; booking 1 has one pair: no loss, 0.25
    second = -math.log(1 / (math.e + 1))
    assert terms.driver.item() == pytest.approx((first / 1.25 + second) / 2, rel=1e-5)
    assert terms.forced.item() == pytest.approx(second / 2, rel=1e-5)  # state 0 has nothing to decide


def test_descent_brings_the_teachers_choice_about() -> None:
    values, labels = two_states()
    optimizer = torch.optim.SGD([values.q_pair, values.q_wait], lr=20.0)
    for _ in range(200):
        terms = imitation_terms(values, labels, UNIT, 0.1)
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
    small, large = (imitation_terms(v, one, UNIT, 0.25) for v, one in ((values, labels), (larger, of_larger)))
    for name in ("commit", "driver", "forced"):
        assert getattr(large, name).item() == pytest.approx(getattr(small, name).item(), rel=1e-5)


def test_log_softmax_within_groups() -> None:
    logit = torch.tensor([1.0, 300.0, 2.0, -300.0])
    found = group_log_softmax(logit, torch.tensor([0, 1, 0, 1]), 2)
    expected = torch.log_softmax(logit[[0, 2]], 0)
    torch.testing.assert_close(found[[0, 2]], expected)
    assert found[1].item() == 0.0
    assert found[3].item() == pytest.approx(-600.0)
