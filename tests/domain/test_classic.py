import numpy as np
import pytest

from qdispatch_domain.classic import ACTIONS, STATE, UNSEEN, classic_fingerprint, classic_scores, classic_view
from qdispatch_domain.features import fingerprint
from qdispatch_domain.packing import pack
from qdispatch_domain.situation import Situation
from tests.domain.situations import booking, driver, snapshot


def test_the_sizes_of_the_notes() -> None:
    assert (STATE, ACTIONS) == (122, 201)
    assert classic_fingerprint() != fingerprint()


def test_slots_are_the_earliest_due_and_the_rest_waits_unseen() -> None:
    rows = [booking(f"b{i}", 1, 2, 1000.0 - 10 * i) for i in range(25)]
    situation = Situation(pack([snapshot([driver("a"), driver("b", 3.0, trips_done_today=4)], rows)]))
    view = classic_view(situation)
    pairs = situation.table.insertion
    assert view.state.shape == (1, 122)
    assert view.state[0, 121] == pytest.approx(25 / 20)
    assert view.state[0, 7] == pytest.approx(4 / 8)  # second driver's trips
    assert np.all(view.state[0, 8:40] == 0)  # no third driver
    due = view.state[0, 40:120].reshape(20, 4)[:, 2]
    assert np.all(np.diff(due) >= 0)
    for booking_row, driver_row, action in zip(pairs.booking, pairs.driver, view.pair_action, strict=True):
        slot = 24 - booking_row  # the last row is due first
        assert action == (UNSEEN if slot >= 20 else 1 + 20 * driver_row + slot)


def test_scores_and_mask_follow_the_actions() -> None:
    situation = Situation(pack([snapshot([driver("a")], [booking("x", 1, 2, 700.0), booking("y", 1, 2, 602.0)])]))
    view = classic_view(situation)
    q = np.arange(ACTIONS, dtype=np.float64)[None, :]
    scores = classic_scores(view, situation.table.insertion.day, q)
    assert dict(zip(situation.table.insertion.booking.tolist(), scores.q_pair.tolist(), strict=True)) == {
        0: 2.0,
        1: 1.0,
    }
    mask = view.mask(situation)
    assert np.flatnonzero(mask[0]).tolist() == [1, 2], "waiting is masked: y can wait no longer"


def test_more_than_ten_drivers_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 10"):
        classic_view(Situation(pack([snapshot([driver(f"d{i}") for i in range(11)], [])])))
