"""Committing and picking: kernels and numpy leave the same arrays behind, and copies leave the original alone."""

from dataclasses import fields

import numpy as np
import pytest

from qdispatch_domain import picking
from qdispatch_domain.candidates import candidate_table
from qdispatch_domain.fleet import Fleet, commit, commit_numpy
from qdispatch_domain.insertion import Insertions
from qdispatch_domain.observation import Scores
from qdispatch_domain.packing import pack
from qdispatch_domain.picking import _first_come, decide_fleet, promised_time
from qdispatch_domain.situation import Situation
from tests.domain.random_snapshots import random_snapshot
from tests.domain.situations import booking, driver, snapshot


def days(count: int) -> Fleet:
    return pack([random_snapshot(np.random.default_rng(seed), matrix=False, bookings=(6, 20)) for seed in range(count)])


def arrays(fleet: Fleet) -> dict[str, np.ndarray]:
    return {f.name: getattr(fleet, f.name).copy() for f in fields(fleet) if f.name != "travel"}


def assert_equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    """All fields, of the trips only those that are there."""
    slots = np.arange(one["trip_code"].shape[2])
    there = slots < one["n_trips"][:, :, None]
    for name, array in one.items():
        trips = name.startswith("trip_")
        np.testing.assert_array_equal(
            array[there] if trips else array, other[name][there] if trips else other[name], err_msg=name
        )


def pressing(count: int) -> Fleet:
    """Days on which bookings must be decided now: the nearest driver has to leave, for one or the other."""
    who = [driver(f"d{i}", 5.0 + 2 * i, now=650.0) for i in range(3)]
    rows = [booking(f"b{i}", 0.0, 3.0 + i, 660.0 + 4 * (i // 2)) for i in range(4)]
    return pack([snapshot(who[: 1 + n % 3], rows[: 1 + n % 4], now=650.0) for n in range(count)])


def one_per_driver(fleet: Fleet) -> tuple[Insertions, np.ndarray]:
    """Random pairs of the table, at most one per driver and booking."""
    pairs = candidate_table(fleet).insertion
    order = np.random.default_rng(5).permutation(len(pairs.day))
    chosen = pairs.take(_first_come(pairs, order))
    return chosen, promised_time(fleet, chosen.day, chosen.booking, chosen.pickup)


def test_a_commit_is_the_same() -> None:
    fleet, other = days(30), days(30)
    behind = 0
    for _ in range(4):  # the second time there is no room left, and the arrays grow
        chosen, promised = one_per_driver(fleet)
        behind += int((chosen.position < fleet.n_trips[chosen.day, chosen.driver]).sum())
        where = (chosen.day, chosen.driver, chosen.booking, chosen.position, promised)
        commit(fleet, *where)
        commit_numpy(other, *where)
        assert_equal(arrays(fleet), arrays(other))
    assert behind > 20


@pytest.mark.parametrize("way", [commit, commit_numpy])
@pytest.mark.parametrize(("change", "message"), [("open", "open bookings"), ("position", "position")])
def test_a_refused_commit_changes_nothing(way: object, change: str, message: str) -> None:
    fleet = days(10)
    chosen, promised = one_per_driver(fleet)
    if change == "open":
        fleet.open[chosen.day[-1], chosen.booking[-1]] = False
    else:
        chosen.position[-1] = fleet.n_trips[chosen.day[-1], chosen.driver[-1]] + 1
    before = arrays(fleet)
    assert callable(way)
    with pytest.raises(ValueError, match=message):
        way(fleet, chosen.day, chosen.driver, chosen.booking, chosen.position, promised)
    assert_equal(before, arrays(fleet))


def test_only_some_days_are_copied_and_the_original_stays() -> None:
    fleet = days(6)
    before = arrays(fleet)
    some = fleet.only(np.array([1, 4]))
    assert not some.driver_real[[0, 2, 3, 5]].any()
    table, whole = candidate_table(some), candidate_table(fleet)
    assert set(table.insertion.day.tolist()) == {1, 4}
    mine = np.isin(whole.insertion.day, [1, 4])
    np.testing.assert_array_equal(table.total, whole.total[mine])
    chosen, promised = one_per_driver(some)
    commit(some, chosen.day, chosen.driver, chosen.booking, chosen.position, promised)
    assert_equal(before, arrays(fleet))


class Late:
    """Waits until it must not."""

    def score(self, situation: Situation) -> Scores:
        return Scores(q_pair=-situation.table.total, q_wait=np.full(situation.fleet.days, 1e6))


def test_picks_are_the_same_with_and_without_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    situation = Situation(pressing(24))
    before = arrays(situation.fleet)
    compiled = decide_fleet(situation, Late())
    monkeypatch.setattr(picking, "kernels", lambda: None)
    plain = decide_fleet(situation, Late())
    assert len(plain) == len(compiled) > 1, "bookings past their decide_by need another pass"
    for one, other in zip(plain, compiled, strict=True):
        np.testing.assert_array_equal(one.pairs, other.pairs)
        np.testing.assert_array_equal(one.promised, other.promised)
    assert sum(len(p.pairs) for p in plain) > 20
    assert_equal(before, arrays(situation.fleet))
