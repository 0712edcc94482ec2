"""Who may work, and when: a bounded queue in front of the one piece of work a worker does at a time.

Threads that compete for the interpreter starve the thread that reads the socket, so that overload would be seen only
after deadlines are lost (measured: docs/decisions/0003-sync-or-aio.md). Therefore calls wait here, in order of arrival,
and are refused at the door when their turn would come too late.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from qdispatch_server.errors import DeadlineUnreachableError, NotServingError, OverloadedError

SMOOTHING = 0.1  # weight of the newest call in the running mean of the work's duration
MARGIN = 1.25  # a turn takes longer than the mean about every other time
SHORTEST_RETRY_SECONDS = 0.02


class Admission:
    """At most `max_in_flight` calls inside, one of them working; the rest wait in order of arrival."""

    def __init__(self, max_in_flight: int) -> None:
        if max_in_flight < 1:
            raise ValueError(f"Expected max_in_flight >= 1, got {max_in_flight}.")
        self._max_in_flight = max_in_flight
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._working = False
        self._mean_seconds = 0.0  # of one turn
        self._turn_began = 0.0
        self._closed = False

    @property
    def in_flight(self) -> int:
        """Calls inside now, working or waiting."""
        with self._lock:
            return self._inside()

    def close(self) -> None:
        """Refuses every new call from now on; those inside go on."""
        with self._lock:
            self._closed = True

    @contextmanager
    def turn(self, deadline: float) -> Iterator[None]:
        """Waits for the turn and holds it. `deadline` is an instant of `time.perf_counter`.

        Raises OverloadedError (full, or the turn would come after the deadline), DeadlineUnreachableError (the deadline
        passed while waiting, or had passed already) and NotServingError (closed).
        """
        ticket = self._enter(deadline)
        if ticket is not None and not ticket.wait(max(0.0, deadline - time.perf_counter())):
            self._give_up(ticket)
            raise DeadlineUnreachableError
        worked = False
        try:
            if time.perf_counter() >= deadline:
                raise DeadlineUnreachableError
            worked = True
            yield
        finally:
            self._leave(worked)

    def _inside(self) -> int:
        return len(self._waiting) + int(self._working)

    def _enter(self, deadline: float) -> threading.Event | None:
        with self._lock:
            if self._closed:
                raise NotServingError(SHORTEST_RETRY_SECONDS)
            remaining = deadline - time.perf_counter()
            if remaining <= 0:
                raise DeadlineUnreachableError
            if not self._working:
                self._working = True
                self._turn_began = time.perf_counter()
                return None
            expected = (self._inside() + 1) * self._mean_seconds * MARGIN  # the wait, and the work itself
            if self._inside() >= self._max_in_flight or expected >= remaining:
                raise OverloadedError(max(SHORTEST_RETRY_SECONDS, expected))
            ticket = threading.Event()
            self._waiting.append(ticket)
            return ticket

    def _give_up(self, ticket: threading.Event) -> None:
        with self._lock:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                return
        self._leave(worked=False)  # the turn came in the very moment the wait ended: hand it on

    def _leave(self, worked: bool) -> None:
        with self._lock:
            now = time.perf_counter()
            if worked:  # measured from one turn to the next, waking up included: that is how the queue moves
                seconds, known = now - self._turn_began, self._mean_seconds
                self._mean_seconds = seconds if known == 0.0 else known + SMOOTHING * (seconds - known)
            self._turn_began = now
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._working = False
