"""Ctrl-C ends a training between two rounds, so that it can be resumed; a second one ends it at once."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType


class StopRequest:
    """While active, SIGINT and SIGTERM set `asked`; a second one raises KeyboardInterrupt. A context manager.

    Only the main thread may enter it (Python's rule for signal handlers).
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[signal.Signals, object] = {}

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    def __enter__(self) -> StopRequest:
        for name in (signal.SIGINT, signal.SIGTERM):
            self._before[name] = signal.signal(name, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name, handler in self._before.items():
            signal.signal(name, handler)  # type: ignore[arg-type]  # what signal.signal returned it accepts
