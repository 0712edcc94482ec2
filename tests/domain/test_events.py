import numpy as np
import pytest

from qdispatch_domain.candidates import candidate_table
from qdispatch_domain.events import next_event
from qdispatch_domain.packing import pack
from qdispatch_domain.snapshot import Booking, Break, Driver, TripStatus
from tests.domain.situations import booking, driver, snapshot, trip

ONBOARD = trip("z", 5, 10, 590, status=TripStatus.ONBOARD, picked_up_at=595.0, departed_at=580.0)


@pytest.mark.parametrize(
    ("who", "rows", "event", "why"),
    [
        (driver("d"), [], 1080.0, "nothing but the end of the shift"),
        (driver("d", shift_start=700.0), [], 700.0, "the shift starts"),
        (driver("d", breaks=(Break(720.0, 750.0),)), [], 750.0, "the break ends"),
        (driver("d", trips=(ONBOARD,)), [], 620.0, "the running trip ends"),
        (driver("d", trips=(trip("t", 0, 5, 650),)), [], 675.0, "the next trip ends"),
        (driver("d", 5.0), [booking("x", 0, 3, 660.0)], 650.0, "the driver must leave for it"),
        (driver("d", available=False), [booking("x", 0, 3, 660.0)], 720.0, "nobody can, and it expires"),
    ],
)
def test_the_next_event(who: Driver, rows: list[Booking], event: float, why: str) -> None:
    fleet = pack([snapshot([who], rows)])
    assert next_event(fleet, candidate_table(fleet))[0] == pytest.approx(event), why


def test_it_is_always_later_than_now() -> None:
    days = [snapshot([driver("d")], [booking("x", 0, 3, 600.0 + k)]) for k in range(40)]
    fleet = pack(days)
    assert np.all(next_event(fleet, candidate_table(fleet)) > fleet.now)
