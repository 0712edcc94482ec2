"""How many moves of local search fit into a time budget a decision, per scenario: measured once, then frozen.

`planner_moves.json` is written by `qdispatch-trainer calibrate-planner`. Moves, not milliseconds, are what the planner
gets: its answers then do not depend on the machine or its load.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from qdispatch_domain.packing import pack
from qdispatch_domain.situation import Scorer, Situation
from qdispatch_domain.snapshot import Snapshot

BUDGETS_MS = (0.25, 1.0, 5.0)
MOVES_FILE = Path(__file__).with_name("planner_moves.json")
PROBE_MOVES = (100, 400, 1600)
REPEATS = 3


@cache
def _frozen() -> dict[str, dict[str, int]]:
    content: dict[str, dict[str, int]] = json.loads(MOVES_FILE.read_text(encoding="utf-8"))
    return content


def planner_moves(scenario: str, budget_ms: float) -> int:
    """The frozen number of moves. ValueError for a scenario or a budget that has not been calibrated."""
    try:
        return _frozen()[scenario][f"{budget_ms:g}"]
    except (FileNotFoundError, KeyError) as error:
        raise ValueError(
            f"no planner moves for {budget_ms:g} ms on {scenario!r}; run qdispatch-trainer calibrate-planner"
        ) from error


def calibrate_moves(snapshots: Sequence[Snapshot]) -> dict[str, int]:
    """Budget (ms) -> moves whose search takes that long on average over these moments, rounded to two digits.

    Processor time of one thread, so that a neighbour's load does not count; time grows linearly with the moves
    (least squares over PROBE_MOVES), and what it costs to set the search up is part of the budget.
    """
    from qdispatch_domain.compiled.local_search import Search  # needs numba
    from qdispatch_domain.planner import Planner

    situations = [Situation(pack([snapshot])) for snapshot in snapshots]
    millis = []
    for moves in PROBE_MOVES:
        planner = Planner(Search(moves=moves))
        planner.score(situations[0])  # compiled here
        millis.append(np.mean([min(_cpu_ms(planner, situation) for _ in range(REPEATS)) for situation in situations]))
    per_move, fixed = np.polyfit(PROBE_MOVES, millis, 1)
    return {f"{budget:g}": _two_digits(max(0.0, (budget - max(fixed, 0.0)) / per_move)) for budget in BUDGETS_MS}


def _cpu_ms(planner: Scorer, situation: Situation) -> float:
    start = time.thread_time()
    planner.score(situation)
    return 1e3 * (time.thread_time() - start)


def _two_digits(value: float) -> int:
    return int(float(f"{value:.2g}"))
