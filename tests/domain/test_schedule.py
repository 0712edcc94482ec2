import numpy as np
import pytest

from qdispatch_domain.packing import pack
from qdispatch_domain.schedule import Work, latest_free, schedules, serve
from qdispatch_domain.travel import Travel
from tests.domain.situations import at, driver, snapshot, trip


def _work(scheduled: float, breaks: list[tuple[float, float]], loaded: float = 10.0) -> Work:
    one = np.array([1.0])
    return Work(
        scheduled * one,
        5.0 * one,
        10.0 * one,
        loaded * one,
        np.array([[b[0] for b in breaks]]),
        np.array([[b[1] for b in breaks]]),
    )


@pytest.mark.parametrize(
    ("free", "breaks", "depart", "pickup", "end", "why"),
    [
        (800.0, [], 855.0, 880.0, 905.0, "free long before: leaves to be there 5 min early"),
        (870.0, [], 870.0, 890.0, 915.0, "late: leaves at once"),
        (800.0, [(820.0, 850.0)], 855.0, 880.0, 905.0, "a break before the departure costs nothing"),
        (800.0, [(890.0, 920.0)], 920.0, 940.0, 965.0, "the trip would run into the break, so it waits for its end"),
        (800.0, [(890.0, 900.0), (930.0, 950.0)], 950.0, 970.0, 995.0, "pushed into a second break, waits for both"),
        (840.0, [(830.0, 862.0)], 862.0, 882.0, 907.0, "free inside a break: the rest of it is kept"),
    ],
)
def test_one_trip(
    free: float, breaks: list[tuple[float, float]], depart: float, pickup: float, end: float, why: str
) -> None:
    timing = serve(Travel(), np.array([free]), np.array([20.0]), _work(880.0, breaks))
    assert (timing.depart[0], timing.pickup[0], timing.end[0]) == pytest.approx((depart, pickup, end)), why


def test_latest_free_inverts_serve() -> None:
    random = np.random.default_rng(1)
    for _ in range(300):
        scheduled = random.uniform(400.0, 1100.0)
        breaks = sorted(random.uniform(400.0, 1100.0) for _ in range(2))
        work = _work(scheduled, [(b, b + 25.0) for b in breaks], loaded=random.uniform(0.0, 40.0))
        limit = np.array([scheduled + random.choice([0.0, 15.0, 60.0])])
        approach = np.array([random.uniform(0.0, 40.0)])
        latest = latest_free(Travel(), limit, approach, work)
        if latest[0] > -1e9:
            assert serve(Travel(), latest - 1e-5, approach, work).pickup[0] <= limit[0] + 1e-4
        for later in (latest[0] + 1e-3, latest[0] + 1.0, limit[0] - approach[0]):
            if later > latest[0]:
                assert serve(Travel(), np.array([later]), approach, work).pickup[0] > limit[0] - 1e-9


def test_both_passes_of_a_two_trip_day() -> None:
    # free at km 0, trip a from km 5 to km 10 at 10:30, trip b from km 10 to km 5 at 11:40; home at km 0
    who = driver("d", trips=(trip("a", 5, 10, 630), trip("b", 10, 5, 700)), end_location=at(0.0))
    fleet = pack([snapshot([who], [])])
    s = schedules(fleet, np.array([0]), np.array([0]))
    assert s.depart[0, :2] == pytest.approx([615.0, 695.0])
    assert s.pickup[0, :2] == pytest.approx([630.0, 700.0])
    assert s.end[0, :2] == pytest.approx(
        [655.0, 700 + 5 + 10 + 10]
    )  # both before the noon slowdown except the last leg
    assert s.deadhead[0, :2] == pytest.approx([10.0, 0.0])
    assert s.home_deadhead[0] == pytest.approx(40.0 / 3.0)  # 10 free-flow minutes at 0.75 from 12:05
    assert s.latest_pickup[0, :2] == pytest.approx([630.0, 700.0])  # outbound promises cannot move


def test_a_breach_that_is_there_already_is_the_new_limit() -> None:
    who = driver("d", trips=(trip("a", 30, 40, 610),))  # 60 minutes away, due in ten
    s = schedules(pack([snapshot([who], [])]), np.array([0]), np.array([0]))
    assert s.pickup[0, 0] == pytest.approx(660.0)
    assert s.latest_pickup[0, 0] == pytest.approx(660.0)
