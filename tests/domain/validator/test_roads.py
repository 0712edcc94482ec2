"""The validator's own travel model, against figures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from qdispatch_domain.snapshot import Location, TravelMatrix
from qdispatch_domain.validator.roads import Roads

HERE = Location(46.0, 6.0)
# one degree of latitude is 6371.0088 km * pi / 180 = 111.19508 km
NORTH_5_KM = Location(46.0 + 5.0 / 1.3 / (6371.0088 * math.pi / 180.0), 6.0)  # 5 km by road: 10 free-flow minutes
SAME_LATITUDE = Location(46.0, 6.1)


def test_distance_is_the_great_circle_times_1_3() -> None:
    assert Roads().km(HERE, NORTH_5_KM) == pytest.approx(5.0, abs=1e-9)
    # 0.1 degree of longitude at 46 N: 11.119508 km * cos(46 deg) = 7.72426 km, times 1.3
    assert Roads().km(HERE, SAME_LATITUDE) == pytest.approx(10.04154, abs=1e-4)
    assert Roads().km(HERE, HERE) == 0.0


@pytest.mark.parametrize(
    "departure, arrival, reason",
    [
        (600.0, 610.0, "30 km/h"),
        (480.0, 480.0 + 10.0 / 0.6, "all of it between 8 and 9"),
        (475.0, 480.0 + 5.0 / 0.6, "half of it before 8:00"),
        (538.0, 548.8, "2 minutes before 9:00 give 1.2, the other 8.8 follow"),
        (720.0, 720.0 + 10.0 / 0.75, "noon"),
        (1080.0, 1090.0, "18:00 is free again"),
        (-20.0, -10.0, "the day before"),
        (1500.0, 1510.0, "the day after"),
    ],
)
def test_speed_changes_inside_a_drive(departure: float, arrival: float, reason: str) -> None:
    roads = Roads()
    assert roads.arrive(departure, HERE, NORTH_5_KM) == pytest.approx(arrival, abs=1e-9), reason
    assert roads.leave_by(arrival, HERE, NORTH_5_KM) == pytest.approx(departure, abs=1e-9), reason
    assert roads.free_flow_between(departure, arrival) == pytest.approx(10.0, abs=1e-9), reason


def test_a_drive_may_cross_a_whole_window() -> None:
    far = Location(46.0 + 30.0 / 1.3 / (6371.0088 * math.pi / 180.0), 6.0)  # 60 free-flow minutes
    # 20 until 8:00, 36 in the slow hour, 4 after 9:00
    assert Roads().arrive(460.0, HERE, far) == pytest.approx(544.0, abs=1e-9)
    assert Roads().leave_by(544.0, HERE, far) == pytest.approx(460.0, abs=1e-9)


def test_a_matrix_is_taken_as_it_is() -> None:
    matrix = TravelMatrix(seconds=np.array([[0.0, 90.0], [120.0, 0.0]]))
    one, other = Location(46.0, 6.0, 0), Location(47.0, 7.0, 1)
    roads = Roads(matrix)
    assert roads.arrive(500.0, one, other) == 501.5  # no slow hours
    assert roads.leave_by(500.0, other, one) == 498.0
    assert roads.km(one, other) is None
    assert Roads(TravelMatrix(matrix.seconds, meters=matrix.seconds * 10.0)).km(one, other) == 0.9


def test_a_place_without_its_matrix_row_is_an_error() -> None:
    roads = Roads(TravelMatrix(seconds=np.zeros((1, 1))))
    with pytest.raises(ValueError, match="matrix_index"):
        roads.arrive(500.0, Location(46.0, 6.0, 0), HERE)
