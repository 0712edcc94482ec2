import numpy as np
import pytest

from qdispatch_domain import candidates
from qdispatch_domain.candidates import CandidateTable, candidate_table
from qdispatch_domain.packing import pack
from qdispatch_domain.snapshot import Booking, Driver, DriverKind, Snapshot
from tests.domain.random_snapshots import random_snapshot
from tests.domain.situations import booking, driver, snapshot, trip


def _drivers(table: CandidateTable, booking_row: int = 0) -> list[int]:
    return [int(d) for d in table.insertion.driver[table.insertion.booking == booking_row]]


@pytest.mark.parametrize(
    ("who", "row", "allowed", "why"),
    [
        (driver("d"), booking("b", 1, 2, 650.0), True, "nothing against it"),
        (
            driver("d", wheelchair_access=False),
            booking("b", 1, 2, 650.0, wheelchair=True),
            False,
            "no wheelchair access",
        ),
        (driver("d", seats=3), booking("b", 1, 2, 650.0, passengers=3), True, "three seats for three"),
        (driver("d", seats=2), booking("b", 1, 2, 650.0, passengers=3), False, "two seats for three"),
        (driver("d", shift_end=676.0), booking("b", 0, 2, 650.0), True, "650 + 5 + 4 + 10 = 669"),
        (driver("d", shift_end=668.0), booking("b", 0, 2, 650.0), False, "one minute past the shift"),
        (driver("d", 0.0), booking("b", 40, 41, 621.0), True, "59 minutes late is still permitted"),
        (driver("d", 0.0), booking("b", 40, 41, 619.0), False, "61 minutes late is not"),
        (
            driver("d", trips=(trip("t", 0, 30, 650.0),)),
            booking("b", 0, 30, 650.0),
            False,
            "two trips at once, then 61+ late",
        ),
    ],
)
def test_hard_rules(who: Driver, row: Booking, allowed: bool, why: str) -> None:
    table = candidate_table(pack([snapshot([who], [row])]))
    assert bool(table.has_pair[0, 0]) is allowed, why


def test_the_reserve_stays_out_while_a_regular_driver_can_be_on_time() -> None:
    reserve = driver("e", 0.0, kind=DriverKind.EMERGENCY)
    due = booking("b", 5, 6, 630.0)  # ten minutes' drive from km 0
    near, far = driver("r", 0.0), driver("r", 30.0)
    assert _drivers(candidate_table(pack([snapshot([reserve, near], [due])]))) == [1]
    assert _drivers(candidate_table(pack([snapshot([reserve, far], [due])]))) == [0, 1], "far is late, so both may"
    blocked = driver("r", 0.0, wheelchair_access=False)
    wheelchair = booking("b", 5, 6, 630.0, wheelchair=True)
    assert _drivers(candidate_table(pack([snapshot([reserve, blocked], [wheelchair])]))) == [0]


def test_a_pinned_booking_has_one_candidate_and_a_change_has_its_price() -> None:
    who = [driver("a", 0.0), driver("b", 9.0)]
    pinned = booking("x", 1, 2, 650.0, current_driver_id="b", pinned=True)
    assert _drivers(candidate_table(pack([snapshot(who, [pinned])]))) == [1]
    planned = booking("x", 1, 2, 650.0, current_driver_id="b")
    table = candidate_table(pack([snapshot(who, [planned])]))
    assert dict(zip(_drivers(table), table.driver_change.tolist(), strict=True)) == {0: 5.0, 1: 0.0}


def test_decide_by_is_the_last_moment_of_the_last_driver() -> None:
    # 10 and 20 minutes away; due at 11:00, outbound: the nearer one may leave at 10:50
    who = [driver("a", 5.0), driver("b", 10.0)]
    table = candidate_table(pack([snapshot(who, [booking("x", 0, 3, 660.0)])]))
    assert table.decide_by[0, 0] == pytest.approx(650.0)
    assert not table.must.any()
    late = candidate_table(pack([snapshot([driver("a", 5.0, now=650.0)], [booking("x", 0, 3, 660.0)], now=650.0)]))
    assert late.must.all()


def test_inserting_before_a_trip_expires_when_the_driver_leaves_for_it() -> None:
    busy = driver("a", 0.0, trips=(trip("t", 10, 20, 700.0),))  # leaves at 700 - 5 - 20 = 675
    table = candidate_table(pack([snapshot([busy], [booking("x", 1, 3, 640.0)])]))
    assert table.insertion.position.tolist() == [0]
    assert table.decide_by[0, 0] == pytest.approx(638.0)  # it must leave at 10:38 to be at km 1 at 10:40
    loose = booking("x", 0, 0.5, 660.0, tolerance_min=30.0)
    table = candidate_table(pack([snapshot([busy], [loose])]))
    # trip t's promise at 11:40 needs the driver free at km 0.5 by 681: pickup by 681 - 10 - 1 - 5
    assert table.decide_by[0, 0] == pytest.approx(665.0)


def test_at_most_k_cheapest_drivers_in_order() -> None:
    who = [driver(f"d{i}", km) for i, km in enumerate((8.0, 1.0, 5.0, 3.0, 2.0, 9.0, 4.0, 7.0))]
    table = candidate_table(pack([snapshot(who, [booking("x", 0, 3, 700.0)])]))
    assert _drivers(table) == [1, 4, 3, 6, 2, 7]
    assert table.rank.tolist() == [0, 1, 2, 3, 4, 5]
    assert table.feasible_drivers[0, 0] == 8


def _large(seed: int) -> Snapshot:
    return random_snapshot(np.random.default_rng(seed), drivers=(20, 40), bookings=(10, 30))


@pytest.mark.parametrize("seed", range(12))
def test_pruning_changes_neither_who_can_at_all_nor_the_reserve(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = pack([_large(seed)])
    pruned = candidate_table(fleet)
    monkeypatch.setattr(candidates, "PRUNE_ABOVE", 10_000)
    full = candidate_table(fleet)
    assert np.array_equal(pruned.has_pair, full.has_pair)

    def reserve(table: CandidateTable) -> set[int]:
        emergency = ~fleet.regular[0, table.insertion.driver]
        return set(table.insertion.booking[emergency].tolist())

    regular_on_time = {
        int(b)
        for b, d, ok in zip(full.insertion.booking, full.insertion.driver, full.insertion.on_time, strict=True)
        if ok and fleet.regular[0, d]
    }
    assert not reserve(pruned) & regular_on_time
    later = pruned.decide_by > full.decide_by + 1e-6
    assert not later[full.has_pair].any()
