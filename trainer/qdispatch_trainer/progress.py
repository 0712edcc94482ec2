"""What a person sees while a training runs: its rounds and validations, told to a `Watch`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from qdispatch_trainer.watching import Watch, watch


@dataclass(frozen=True, slots=True)
class Wording:
    """How a recipe's numbers read: what is counted, how far it is, and one line per round and per validation."""

    unit: str
    done: Callable[[dict[str, Any]], int]
    round_text: Callable[[dict[str, Any]], str]
    validation_text: Callable[[dict[str, Any]], str]


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


class Reporter:
    """Told about every round and validation; a context manager."""

    def __init__(self, watching: Watch, total: int, wording: Wording = DQN_WORDING) -> None:
        self._watch = watching
        self._total = total
        self._wording = wording

    def round(self, values: dict[str, Any]) -> None:
        """Numbers of one finished round."""
        self._watch.done(self._wording.done(values), self._wording.round_text(values))

    def validation(self, values: dict[str, Any]) -> None:
        """Numbers of one validation."""
        self.say(self._wording.validation_text(values))

    def say(self, text: str) -> None:
        """One line that matters."""
        self._watch.say(text)

    def __enter__(self) -> Reporter:
        self._watch.__enter__()
        self._watch.begin("training", self._total, self._wording.unit)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watch.__exit__(kind, error, trace)


def reporter(total: int, wording: Wording = DQN_WORDING) -> Reporter:
    """A bar on a terminal, plain lines elsewhere."""
    return Reporter(watch(), total, wording)
