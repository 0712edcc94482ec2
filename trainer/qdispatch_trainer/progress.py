"""What a person sees while a training runs: a live bar on a terminal, plain lines elsewhere. Always on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

LINE_EVERY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Wording:
    """How a recipe's numbers read: what is counted, how far it is, and one line per round and per validation."""

    unit: str
    done: Callable[[dict[str, Any]], int]
    round_text: Callable[[dict[str, Any]], str]
    validation_text: Callable[[dict[str, Any]], str]
    line_every_seconds: float = LINE_EVERY_SECONDS


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


DQN_WORDING = Wording("days", lambda values: int(values["days"]), _round_text, _validation_text)


class PlainReporter:
    """One line every few seconds and for every validation."""

    def __init__(self, console: Console, total: int, wording: Wording = DQN_WORDING) -> None:
        self._console = console
        self._total = total
        self._wording = wording
        self._last = -wording.line_every_seconds

    def round(self, values: dict[str, Any]) -> None:
        """See `Reporter.round`."""
        now = time.monotonic()
        if now - self._last >= self._wording.line_every_seconds:
            self._last = now
            done = f"{self._wording.unit} {self._wording.done(values)}/{self._total}"
            self.say(f"{done}  {self._wording.round_text(values)}")

    def validation(self, values: dict[str, Any]) -> None:
        """See `Reporter.validation`."""
        self.say(self._wording.validation_text(values))

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
    """A bar with the latest numbers beside it."""

    def __init__(self, console: Console, total: int, wording: Wording = DQN_WORDING) -> None:
        self._progress = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(wording.unit),
            TimeRemainingColumn(),
            TextColumn("{task.fields[numbers]}"),
            console=console,
        )
        self._total = total
        self._wording = wording
        self._task: TaskID | None = None

    def round(self, values: dict[str, Any]) -> None:
        """See `Reporter.round`."""
        if self._task is not None:
            numbers = self._wording.round_text(values)
            self._progress.update(self._task, completed=self._wording.done(values), numbers=numbers)

    def validation(self, values: dict[str, Any]) -> None:
        """See `Reporter.validation`."""
        self.say(self._wording.validation_text(values))

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


def reporter(total: int, wording: Wording = DQN_WORDING) -> Reporter:
    """The bar on a terminal, plain lines elsewhere."""
    console = Console(stderr=True)
    kind = BarReporter if console.is_terminal else PlainReporter
    return kind(console, total, wording)
