"""How far a long piece of work is: a live bar with the time left on a terminal, plain lines elsewhere. On stderr."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

LINE_EVERY_SECONDS = 10.0


class Watch(Protocol):
    """Told how far the work is; a context manager."""

    def begin(self, title: str, total: int, unit: str) -> None:
        """A part of the work starts: so many days, trials …"""

    def done(self, count: int, numbers: str = "") -> None:
        """So many of the part are done; `numbers`: what came of it so far."""

    def say(self, text: str) -> None:
        """One line that matters."""

    def __enter__(self) -> Watch: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Unwatched:
    """Nobody is told."""

    def begin(self, title: str, total: int, unit: str) -> None:
        """See `Watch`."""

    def done(self, count: int, numbers: str = "") -> None:
        """See `Watch`."""

    def say(self, text: str) -> None:
        """See `Watch`."""

    def __enter__(self) -> Unwatched:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class PlainWatch(Unwatched):
    """A line when a part starts, then one every few seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._title, self._total, self._unit, self._last = "", 0, "", 0.0

    def begin(self, title: str, total: int, unit: str) -> None:
        """See `Watch`."""
        self._title, self._total, self._unit, self._last = title, total, unit, time.monotonic()
        self.say(f"{title}: {total} {unit}")

    def done(self, count: int, numbers: str = "") -> None:
        """See `Watch`."""
        now = time.monotonic()
        if now - self._last >= LINE_EVERY_SECONDS:
            self._last = now
            self.say(f"{self._title}: {count} of {self._total} {self._unit}" + (f"  {numbers}" if numbers else ""))

    def say(self, text: str) -> None:
        """See `Watch`."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def __enter__(self) -> PlainWatch:
        return self


class BarWatch:
    """A bar for every part, the latest numbers beside it."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[numbers]}", markup=False),
            console=console,
        )
        self._task: TaskID | None = None

    def begin(self, title: str, total: int, unit: str) -> None:
        """See `Watch`."""
        self._task = self._progress.add_task(title, total=total, unit=unit, numbers="")

    def done(self, count: int, numbers: str = "") -> None:
        """See `Watch`."""
        if self._task is not None:
            self._progress.update(self._task, completed=count, numbers=numbers, refresh=True)  # on a busy machine too

    def say(self, text: str) -> None:
        """See `Watch`."""
        self._progress.console.print(text, highlight=False, markup=False)

    def __enter__(self) -> BarWatch:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


def watch() -> Watch:
    """Bars on a terminal, plain lines elsewhere."""
    console = Console(stderr=True)
    return BarWatch(console) if console.is_terminal else PlainWatch(console)
