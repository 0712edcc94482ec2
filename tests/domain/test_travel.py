import numpy as np
import pytest

from qdispatch_domain.snapshot import Location, TravelMatrix
from qdispatch_domain.travel import Travel, degrees_from_places, place_row, place_rows
from tests.domain.situations import at

PLANE = Travel()


def test_distance_is_the_great_circle_times_the_detour() -> None:
    geneva, lausanne = place_row(Location(46.2044, 6.1432)), place_row(Location(46.5197, 6.6323))
    # haversine by an independent formula
    phi1, phi2, dl = np.radians(46.2044), np.radians(46.5197), np.radians(6.6323 - 6.1432)
    a = np.sin((phi2 - phi1) / 2) ** 2 + np.cos(phi1) * np.cos(phi2) * np.sin(dl / 2) ** 2
    km = PLANE.kilometers(geneva, lausanne)
    assert km is not None
    assert km == pytest.approx(1.3 * 2 * 6371.0088 * np.arcsin(np.sqrt(a)), rel=1e-9)


@pytest.mark.parametrize(
    ("depart", "free_flow", "arrive", "why"),
    [
        (600.0, 20.0, 620.0, "free flow in mid-morning"),
        (480.0, 20.0, 480.0 + 20 / 0.6, "40 % slower from 8 to 9"),
        (530.0, 20.0, 540.0 + 14.0, "6 free-flow minutes until 9:00, the rest at full speed"),
        (720.0, 30.0, 760.0, "25 % slower at noon"),
        (1079.0, 10.0, 1080.0 + 9.4, "over the end of the evening peak"),
        (1450.0, 10.0, 1460.0, "after midnight at full speed"),
        (-30.0, 10.0, -20.0, "before midnight at full speed"),
    ],
)
def test_speed_by_the_hour(depart: float, free_flow: float, arrive: float, why: str) -> None:
    assert PLANE.arrive(np.array(depart), np.array(free_flow)) == pytest.approx(arrive), why


def test_a_later_departure_never_arrives_earlier_and_depart_inverts_arrive() -> None:
    depart = np.linspace(0.0, 1440.0, 5000)
    for free_flow in (0.0, 3.0, 40.0, 200.0):
        arrive = PLANE.arrive(depart, np.full_like(depart, free_flow))
        assert np.all(np.diff(arrive) > 0)
        assert np.allclose(PLANE.depart(arrive, np.full_like(depart, free_flow)), depart, atol=1e-9)


def test_the_matrix_replaces_distance_and_speed() -> None:
    seconds = np.array([[0.0, 600.0], [900.0, 0.0]])
    a, b = place_row(Location(46.0, 6.0, 0)), place_row(Location(46.9, 6.9, 1))
    travel = Travel(TravelMatrix(seconds))
    assert travel.free_flow(a, b) == 10.0
    assert travel.free_flow(b, a) == 15.0
    assert travel.arrive(np.array(480.0), np.array(10.0)) == 490.0
    assert travel.kilometers(a, b) is None
    assert Travel(TravelMatrix(seconds, seconds * 10)).kilometers(b, a) == pytest.approx(9.0)


def test_places_round_trip_to_degrees() -> None:
    latitude, longitude = degrees_from_places(place_rows([at(3.0), Location(-33.0, 151.0)]))
    assert latitude == pytest.approx([at(3.0).latitude, -33.0])
    assert longitude == pytest.approx([6.2, 151.0])
