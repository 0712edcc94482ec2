"""A simulated moment reaches the server unchanged: domain rows to client rows, to the wire, to domain rows again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from qdispatch_client import calls
from qdispatch_client.stubs.v1.dispatch_service_pb2 import SuggestRequest
from qdispatch_domain.heuristics import CheapestInsertion
from qdispatch_domain.snapshot import Break, Snapshot, TravelMatrix
from qdispatch_server.request_reader import read_request
from qdispatch_trainer.engine_snapshot import EngineDay
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.play import play_round


def moments() -> Iterator[Snapshot]:
    """Every moment of one noisy day at which something is open."""
    batch = DayBatch([generate_day(scenario_named("clinic-day"), seed=3)])
    while not batch.over[0]:
        yield batch.snapshot(0)
        play_round(batch, CheapestInsertion())


def through_the_wire(snapshot: Snapshot) -> Snapshot:
    request = calls.suggest(EngineDay().snapshot(snapshot), "company", "request").request
    return read_request(SuggestRequest.FromString(request.SerializeToString())).snapshot


def assert_same(sent: object, received: object, path: str = "snapshot") -> None:
    """Equal rows; numbers within 1e-8."""
    if is_dataclass(sent):
        assert type(sent) is type(received), path
        for field in fields(sent):
            assert_same(getattr(sent, field.name), getattr(received, field.name), f"{path}.{field.name}")
    elif isinstance(sent, tuple):
        assert isinstance(received, tuple)
        assert len(sent) == len(received), path
        for number, (one, other) in enumerate(zip(sent, received, strict=True)):
            assert_same(one, other, f"{path}[{number}]")
    elif isinstance(sent, float) and not isinstance(sent, bool):
        assert received == pytest.approx(sent, abs=1e-8, rel=0.0), path
    elif isinstance(sent, np.ndarray):
        np.testing.assert_array_equal(sent, received)
    else:
        assert sent == received, path


def test_every_moment_of_a_day_arrives_unchanged() -> None:
    seen = 0
    statuses = set()
    for snapshot in moments():
        assert_same(snapshot, through_the_wire(snapshot))
        statuses |= {trip.status for driver in snapshot.drivers for trip in driver.trips}
        seen += 1
    assert seen > 20
    assert len(statuses) == 4, statuses


def test_a_matrix_breaks_and_current_drivers_arrive_unchanged() -> None:
    snapshot = next(moments())
    driver, booking = snapshot.drivers[0], snapshot.bookings[0]
    assert booking.pickup is not None
    assert booking.dropoff is not None
    matrix = TravelMatrix(np.array([[0.0, 300.0], [240.0, 0.0]]), np.array([[0.0, 2500.0], [2400.0, 0.0]]))
    changed = Snapshot(
        now=snapshot.now,
        drivers=(
            replace(driver, start_location=booking.pickup, end_location=None, breaks=(Break(720.0, 750.5),), trips=()),
        ),
        bookings=(
            replace(booking, current_driver_id=driver.id, pinned=True, tolerance_min=7.25, linked_booking_id=None),
        ),
        matrix=matrix,
    )
    indexed = replace(
        changed,
        drivers=tuple(replace(d, start_location=replace(booking.pickup, matrix_index=1)) for d in changed.drivers),
        bookings=tuple(
            replace(
                b,
                pickup=replace(booking.pickup, matrix_index=1),
                dropoff=replace(booking.dropoff, matrix_index=0),
            )
            for b in changed.bookings
        ),
    )
    assert_same(indexed, through_the_wire(indexed))


def test_a_moment_of_another_day_is_refused() -> None:
    with pytest.raises(ValueError, match="now"):
        EngineDay().snapshot(replace(next(moments()), now=1440.0))
