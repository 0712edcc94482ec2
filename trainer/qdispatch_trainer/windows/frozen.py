"""The frozen windows, `frozen.json`: scenario -> comparator -> minutes, written by `qdispatch-trainer tune-windows`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

FROZEN_FILE = Path(__file__).with_name("frozen.json")


@cache
def frozen_windows() -> dict[str, dict[str, float]]:
    """All of them, minutes."""
    content: dict[str, dict[str, float]] = json.loads(FROZEN_FILE.read_text(encoding="utf-8"))
    return content


def tuned_window(scenario: str, comparator: str) -> float:
    """The tuned window in minutes. ValueError for a scenario or comparator that has not been tuned."""
    try:
        return frozen_windows()[scenario][comparator]
    except KeyError as error:
        raise ValueError(
            f"no tuned window of {comparator!r} on {scenario!r}; run qdispatch-trainer tune-windows"
        ) from error
