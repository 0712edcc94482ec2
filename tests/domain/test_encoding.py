from dataclasses import fields, replace

import numpy as np
import pytest

from qdispatch_domain import features
from qdispatch_domain.encoding import Observations
from qdispatch_domain.features import BOOKING, CLIP, CONTEXT, DRIVER, PAIR, fingerprint
from qdispatch_domain.observation import Observation
from qdispatch_domain.packing import pack
from qdispatch_domain.situation import Situation
from qdispatch_domain.snapshot import Snapshot
from qdispatch_domain.weights import WEIGHTS
from tests.domain.random_snapshots import random_snapshot
from tests.domain.situations import booking, driver, snapshot, trip


def _encode(*snapshots: Snapshot) -> Observations:
    return Situation(pack(snapshots)).observations


def _column(features: tuple[features.Feature, ...], rows: np.ndarray, name: str) -> np.ndarray:
    return rows[:, [f.name for f in features].index(name)]


@pytest.mark.parametrize("seed", range(40))
def test_every_value_is_finite_scaled_and_shaped(seed: int) -> None:
    observations = _encode(random_snapshot(np.random.default_rng(seed)))
    one = observations.one(0)
    for rows, columns in (
        (one.driver_features, DRIVER),
        (one.booking_features, BOOKING),
        (one.pair_features, PAIR),
        (one.context[None], CONTEXT),
    ):
        assert rows.shape[1] == len(columns)
        assert rows.dtype == np.float32
        assert np.all(np.isfinite(rows))
        assert np.all(np.abs(rows) <= CLIP)
    assert len(one.pair_driver) == len(one.pair_booking) == len(one.pair_features) == len(one.pair_cost)
    if len(one.pair_driver):
        assert one.pair_driver.max() < len(one.driver_features)
        assert one.pair_booking.max() < len(one.booking_features)


def test_days_encoded_together_equal_days_encoded_alone() -> None:
    days = []
    for seed in range(60):
        day = random_snapshot(np.random.default_rng(seed))
        if day.matrix is None:
            days.append(day)
    together = _encode(*days)
    for n, day in enumerate(days):
        alone, part = _encode(day).one(0), together.one(n)
        for f in fields(Observation):
            assert np.array_equal(getattr(alone, f.name), getattr(part, f.name)), (n, f.name)


def test_the_order_of_drivers_only_orders_rows() -> None:
    day = random_snapshot(np.random.default_rng(3), drivers=(6, 6), bookings=(8, 8))
    turned = replace(day, drivers=tuple(reversed(day.drivers)))
    a, b = _encode(day).one(0), _encode(turned).one(0)
    assert np.allclose(a.driver_features, b.driver_features[::-1], atol=1e-5)
    assert np.allclose(a.context, b.context, atol=1e-6)
    last = len(a.driver_features) - 1
    pairs = {(int(d), int(k)): row for d, k, row in zip(a.pair_driver, a.pair_booking, a.pair_features, strict=True)}
    for d, k, row in zip(b.pair_driver, b.pair_booking, b.pair_features, strict=True):
        assert np.allclose(pairs[(last - int(d), int(k))], row, atol=1e-5)


def test_named_values_of_a_named_situation() -> None:
    who = [
        driver("a", 0.0, trips=(trip("out", 0, 2, 900.0),), trips_done_today=2),
        driver("b", 6.0, contract_share=0.5),
    ]
    row = booking("back", 2, 0, 660.0, linked_booking_id="out", urgent=True, known_since=540.0)
    one = _encode(snapshot(who, [row])).one(0)
    assert _column(DRIVER, one.driver_features, "trips") == pytest.approx([3 / 8, 0.0])
    assert _column(DRIVER, one.driver_features, "load") == pytest.approx([1.5 / 4, -1.5 / 4])
    assert _column(BOOKING, one.booking_features, "due_in") == pytest.approx([1.0])
    assert _column(BOOKING, one.booking_features, "known_for") == pytest.approx([0.25])
    assert _column(BOOKING, one.booking_features, "urgent") == [1.0]
    assert _column(BOOKING, one.booking_features, "other_leg_driven") == [1.0]
    by_driver = dict(zip(one.pair_driver.tolist(), _column(PAIR, one.pair_features, "same_as_other_leg"), strict=True))
    assert by_driver == {0: 1.0, 1: 0.0}
    assert _column(PAIR, one.pair_features, "cost") * 30.0 == pytest.approx(one.pair_cost, abs=1e-4)


@pytest.mark.parametrize(
    "change",
    [
        ("DRIVER", features.DRIVER[::-1]),
        ("PAIR", (replace(features.PAIR[0], scale=31.0), *features.PAIR[1:])),
        ("BOOKING", (replace(features.BOOKING[0], unit="h"), *features.BOOKING[1:])),
        ("ACTION_CODEC", "other"),
        ("ENCODER_REVISION", 99),
        ("WEIGHTS", replace(WEIGHTS, spread=14.0)),
        ("CLIP", 5.0),
    ],
)
def test_the_fingerprint_covers(change: tuple[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint()
    monkeypatch.setattr(features, *change)
    assert fingerprint() != before


def test_the_weights_are_frozen() -> None:
    assert WEIGHTS.digest() == "07fa126d694e", (
        "changed weights make every published table void: rerun them, then change this"
    )
