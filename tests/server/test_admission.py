from __future__ import annotations

import threading
import time

import pytest

from qdispatch_server.admission import Admission
from qdispatch_server.errors import DeadlineUnreachableError, NotServingError, OverloadedError


def soon(seconds: float = 30.0) -> float:
    return time.perf_counter() + seconds


class Inside:
    """A thread that holds the turn until released."""

    def __init__(self, admission: Admission, deadline: float, order: list[str] | None = None, name: str = "") -> None:
        self.release = threading.Event()
        self.working = threading.Event()
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(admission, deadline, order, name))
        self._thread.start()

    def _run(self, admission: Admission, deadline: float, order: list[str] | None, name: str) -> None:
        try:
            with admission.turn(deadline):
                if order is not None:
                    order.append(name)
                self.working.set()
                self.release.wait(30)
        except (OverloadedError, DeadlineUnreachableError) as error:
            self.error = error

    def end(self) -> None:
        self.release.set()
        self._thread.join(30)
        assert not self._thread.is_alive()


def until_in_flight(admission: Admission, count: int) -> None:
    deadline = time.monotonic() + 30
    while admission.in_flight != count:
        assert time.monotonic() < deadline, f"{admission.in_flight} in flight, not {count}"
        time.sleep(0.001)


def test_one_works_and_the_others_wait_in_order_of_arrival() -> None:
    admission = Admission(5)
    order: list[str] = []
    calls = []
    for number in range(5):
        calls.append(Inside(admission, soon(), order, str(number)))
        until_in_flight(admission, number + 1)
    assert calls[0].working.wait(30)
    assert not calls[1].working.is_set()
    for call in calls:
        call.end()
    assert order == ["0", "1", "2", "3", "4"]
    assert admission.in_flight == 0


def test_one_more_than_allowed_is_refused_with_a_delay() -> None:
    admission = Admission(2)
    calls = [Inside(admission, soon()), Inside(admission, soon())]
    until_in_flight(admission, 2)
    with pytest.raises(OverloadedError) as caught, admission.turn(soon()):
        pytest.fail("let in")
    assert caught.value.retry_after_seconds > 0
    for call in calls:
        call.end()
    with admission.turn(soon()):
        assert admission.in_flight == 1


def test_a_call_whose_turn_would_come_after_its_deadline_is_refused_at_the_door() -> None:
    admission = Admission(8)
    with admission.turn(soon()):
        time.sleep(0.3)  # teaches how long a turn takes
    call = Inside(admission, soon())
    until_in_flight(admission, 1)
    assert call.working.wait(30)
    # One is inside, so the wait and the own turn take 0.6 s: 0.5 s are not enough.
    with pytest.raises(OverloadedError) as caught, admission.turn(soon(0.5)):
        pytest.fail("let in")
    assert caught.value.retry_after_seconds >= 0.6
    call.end()


def test_nobody_is_refused_by_an_estimate_while_nobody_works() -> None:
    admission = Admission(8)
    with admission.turn(soon()):
        time.sleep(0.3)
    with admission.turn(soon(0.1)):  # the next one may be quicker; only trying shows it
        pass


def test_a_deadline_that_has_passed_is_told_as_such() -> None:
    with pytest.raises(DeadlineUnreachableError), Admission(1).turn(soon(-1)):
        pytest.fail("let in")


def test_a_deadline_that_passes_while_waiting_frees_the_place() -> None:
    admission = Admission(2)
    holder = Inside(admission, soon())
    assert holder.working.wait(30)
    waiting = Inside(admission, soon(0.05))
    waiting.end()
    assert isinstance(waiting.error, DeadlineUnreachableError)
    assert admission.in_flight == 1
    holder.end()
    assert admission.in_flight == 0


def test_closed_refuses_the_new_and_lets_the_old_end() -> None:
    admission = Admission(2)
    call = Inside(admission, soon())
    assert call.working.wait(30)
    admission.close()
    with pytest.raises(NotServingError), admission.turn(soon()):
        pytest.fail("let in")
    call.end()
    assert call.error is None


def test_an_error_inside_hands_the_turn_on() -> None:
    admission = Admission(1)
    with pytest.raises(ZeroDivisionError), admission.turn(soon()):
        _ = 1 / 0
    with admission.turn(soon()):
        pass
