"""What a person sees while a training runs: a live bar on a terminal, plain lines elsewhere. Always on stderr."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

LINE_EVERY_SECONDS = 10.0


class Reporter(Protocol):
    """Told about every round and validation; a context manager."""

    def round(self, values: dict[str, Any]) -> None:
        """Numbers of one finished round."""

    def validation(self, values: dict[str, Any]) -> None:
        """Numbers of one validation."""

    def say(self, text: str) -> None:
        """One line that matters."""

    def __enter__(self) -> Reporter: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class PlainReporter:
    """One line every ten seconds and for every validation."""

    def __init__(self, console: Console, total_days: int) -> None:
        self._console = console
        self._total = total_days
        self._last = -LINE_EVERY_SECONDS

    def round(self, values: dict[str, Any]) -> None:
        """See `Reporter.round`."""
        now = time.monotonic()
        if now - self._last >= LINE_EVERY_SECONDS:
            self._last = now
            self.say(f"days {values['days']}/{self._total}  {_round_text(values)}")

    def validation(self, values: dict[str, Any]) -> None:
        """See `Reporter.validation`."""
        self.say(_validation_text(values))

    def say(self, text: str) -> None:
        """See `Reporter.say`."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def __enter__(self) -> PlainReporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class BarReporter:
    """A bar over the days with the latest numbers beside it."""

    def __init__(self, console: Console, total_days: int) -> None:
        self._progress = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("days"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[numbers]}"),
            console=console,
        )
        self._total = total_days
        self._task: TaskID | None = None

    def round(self, values: dict[str, Any]) -> None:
        """See `Reporter.round`."""
        if self._task is not None:
            self._progress.update(self._task, completed=values["days"], numbers=_round_text(values))

    def validation(self, values: dict[str, Any]) -> None:
        """See `Reporter.validation`."""
        self.say(_validation_text(values))

    def say(self, text: str) -> None:
        """See `Reporter.say`."""
        self._progress.console.print(text, highlight=False, markup=False)

    def __enter__(self) -> BarReporter:
        self._progress.start()
        self._task = self._progress.add_task("training", total=self._total, numbers="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


def reporter(total_days: int) -> Reporter:
    """The bar on a terminal, plain lines elsewhere."""
    console = Console(stderr=True)
    return BarReporter(console, total_days) if console.is_terminal else PlainReporter(console, total_days)


def _round_text(values: dict[str, Any]) -> str:
    text = f"return {values['mean_return']:.0f}  epsilon {values['epsilon']:.2f}"
    if "td_error_min" in values:
        text += f"  error {values['td_error_min']:.1f}"
    return text


def _validation_text(values: dict[str, Any]) -> str:
    gain, half = values["gain_over_reference"], values["gain_half_width"]
    mark = "  best" if values["is_best"] else ""
    return (
        f"validation after {values['days']} days: return {values['mean_return']:.1f}, "
        f"{gain:+.1f} ± {half:.1f} against {values['reference']}{mark}"
    )
