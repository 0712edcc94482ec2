"""The page docs/benchmarks/hindsight.md: every number on it comes from one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

TARGET_PERCENT = 2.0  # the two solvers' mean costs differ by no more, before polish
SAME = 0.05  # minutes-equivalent; what two estimates may differ and still be the same


@dataclass(frozen=True, slots=True)
class Pair:
    """One day under the shared objective: costs in minutes-equivalent, bookings left out."""

    seed: int
    annealing: float
    pyvrp: float
    annealing_left_out: int
    pyvrp_left_out: int
    pyvrp_in_order: float | None = None  # PyVRP's cost when bound to the order of time

    @property
    def percent(self) -> float:
        """PyVRP against the annealing; negative where PyVRP is cheaper."""
        return 100.0 * (self.pyvrp / self.annealing - 1.0)


@dataclass(frozen=True, slots=True)
class Agreement:
    """The days of a scenario whose pickups may be `late_room_min` beyond the tolerance."""

    scenario: str
    late_room_min: float
    pairs: Sequence[Pair]

    @property
    def percent(self) -> float:
        """Mean cost of PyVRP against that of the annealing."""
        return _percent(self.pairs)

    @property
    def served(self) -> list[Pair]:
        """Days on which neither leaves a booking out."""
        return [pair for pair in self.pairs if pair.annealing_left_out == pair.pyvrp_left_out == 0]


@dataclass(frozen=True, slots=True)
class Estimates:
    """True costs (annealing, PyVRP polished) of the days of a scenario; CPU seconds a day for both together."""

    scenario: str
    seeds: Sequence[int]
    costs: Sequence[tuple[float, float]]
    seconds: float


def page(
    machine: Mapping[str, str | int],
    versions: Mapping[str, str],
    comparison: Any,
    effort: Any,
    agreements: Sequence[Agreement],
    estimates: Sequence[Estimates],
) -> str:
    """The whole page as Markdown. `comparison` and `effort`: the dataclasses of the solvers' effort."""
    used = ", ".join(f"{name} {versions[name]}" for name in ("numpy", "numba", "pyvrp") if name in versions)
    return "\n".join(
        [
            "# Hindsight's two solvers",
            "",
            "Written by `make bench-hindsight`; no number here is typed in by hand.",
            "",
            f"Machine: {machine['processor']}, {machine['logical_cores']} logical cores, Python {machine['python']},",
            f"{used}. CPU seconds of one process, one thread. Validation days.",
            "",
            "Hindsight is what a day would have cost somebody who knew it from its start: an estimate from above, no",
            "bound. Two solvers that share no code look for it: our annealing, and PyVRP.",
            "",
            "## Do they agree? (before polish)",
            "On an objective that both can express: deadhead, EMERGENCY trips and bookings left out at their prices,",
            "vehicles, shifts, hard pickup windows, the day's own service and travel times. PyVRP knows no speed that",
            "changes with the hour, so every drive takes the minutes of the hour of the booking it leads to; a break",
            "forbids the bookings whose ride lies across it; lateness within the window and the spread of the trips",
            "cost nothing (`hindsight/shared_objective.py`). A third program prices both solvers' routes and refuses",
            "broken rules (`hindsight/shared_cost.py`).",
            "",
            f"Effort: {_fields(comparison.annealing, ('runs', 'moves_per_booking', 'most_moves'))} (annealing);",
            f"{_fields(comparison, ('pyvrp_runs', 'pyvrp_iterations'))}. The best run of each counts.",
            "",
            *_summary(agreements),
            "",
            "*window*: minutes beyond the booking's tolerance at which a pickup is refused. The narrow one is what",
            "PyVRP gets for the estimate; the wide one is cut at the hard rule of the latest pickup. *difference*: of",
            "the mean costs, PyVRP against the annealing, negative where PyVRP is cheaper; *all served*: the same on",
            "the days on which neither leaves a booking out, whose price would hide the deadhead.",
            f"Target: mean costs within {TARGET_PERCENT:g} %. {_verdict(agreements)}",
            "",
            "PyVRP computes in hundredths of a minute, rounded up: a plan without any slack is lost to it. A day on",
            "which the annealing is far cheaper, though both serve everybody, is of this kind.",
            "",
            "In the wide window nothing draws a pickup to its scheduled time, and good routes leave the order of time.",
            "The annealing, made for a cost with lateness, tries a booking only near its place in that order. "
            "*PyVRP in",
            "order of time* is PyVRP without the drives from a booking to an earlier one, against the annealing: how",
            "far it lies above *difference* is what that order costs.",
            "",
            "## Which finds the cheaper day? (the estimate, true cost)",
            "PyVRP's routes are taken over where the true rules allow it and polished by the annealing, which begins",
            f"at temperature {effort.polish_temperature:g} instead of {effort.start_temperature:g}. Effort:",
            f"{_fields(effort, ('runs', 'moves_per_booking', 'most_moves', 'pyvrp_iterations'))}.",
            "The estimate is the better of both; without the extra `[pyvrp]` it is the annealing's, and its result",
            "file says so (`pyvrp: absent` among its parameters).",
            "",
            *_estimate_table(estimates),
            "",
            "*gain*: of the better of both against the annealing alone.",
            "",
            "## Day by day",
            *(line for agreement in agreements for line in _days(agreement)),
            *(line for estimate in estimates for line in _estimate_days(estimate)),
        ]
    )


def _fields(effort: Any, names: Sequence[str]) -> str:
    values = asdict(effort)
    return ", ".join(f"{name} {values[name]:,}" for name in names)


def _percent(pairs: Sequence[Pair]) -> float:
    return 100.0 * float(np.sum([pair.pyvrp for pair in pairs]) / np.sum([pair.annealing for pair in pairs]) - 1.0)


def _summary(agreements: Sequence[Agreement]) -> list[str]:
    head = [
        "scenario",
        "window, min",
        "days",
        "annealing",
        "PyVRP",
        "difference",
        "all served",
        f"days beyond ±{TARGET_PERCENT:g} %",
        "PyVRP in order of time",
    ]
    return _table(
        head,
        [
            [
                a.scenario,
                f"{a.late_room_min:g}",
                f"{len(a.pairs)}",
                f"{np.mean([pair.annealing for pair in a.pairs]):,.1f}",
                f"{np.mean([pair.pyvrp for pair in a.pairs]):,.1f}",
                f"{a.percent:+.2f} %",
                f"{_percent(a.served):+.2f} % ({len(a.served)} days)" if a.served else "no such day",
                f"{sum(abs(pair.percent) > TARGET_PERCENT for pair in a.pairs)}",
                _in_order(a),
            ]
            for a in agreements
        ],
    )


def _in_order(agreement: Agreement) -> str:
    """Mean cost of PyVRP bound to the order of time against the annealing's."""
    costs = [pair.pyvrp_in_order for pair in agreement.pairs if pair.pyvrp_in_order is not None]
    if len(costs) < len(agreement.pairs):
        return "not measured"
    return f"{100.0 * (sum(costs) / sum(pair.annealing for pair in agreement.pairs) - 1.0):+.2f} %"


def _verdict(agreements: Sequence[Agreement]) -> str:
    met = [a for a in agreements if abs(a.percent) <= TARGET_PERCENT]
    failed = [a for a in agreements if a not in met]
    return f"Met by: {_names(met)}. Not met by: {_names(failed)}."


def _names(agreements: Sequence[Agreement]) -> str:
    return ", ".join(f"{a.scenario} ({a.late_room_min:g} min)" for a in agreements) or "none"


def _estimate_table(estimates: Sequence[Estimates]) -> list[str]:
    head = ["scenario", "days", "annealing", "PyVRP, polished", "better of both", "gain"]
    head += ["PyVRP cheaper, days", "the same, days", "seconds a day"]
    rows = []
    for e in estimates:
        ours, theirs = np.array(e.costs).T
        best = np.minimum(ours, theirs)
        rows.append(
            [
                e.scenario,
                f"{len(e.costs)}",
                f"{ours.mean():,.1f}",
                f"{theirs.mean():,.1f}",
                f"{best.mean():,.1f}",
                f"{100.0 * (1.0 - best.mean() / ours.mean()):.2f} %",
                f"{(theirs < ours - SAME).sum()}",
                f"{(np.abs(theirs - ours) <= SAME).sum()}",
                f"{e.seconds:.2f}",
            ]
        )
    return _table(head, rows)


def _days(agreement: Agreement) -> list[str]:
    rows = [
        [
            f"{p.seed}",
            f"{p.annealing:,.1f}",
            f"{p.pyvrp:,.1f}",
            f"{p.percent:+.2f} %",
            f"{p.annealing_left_out}",
            f"{p.pyvrp_left_out}",
        ]
        for p in agreement.pairs
    ]
    return [
        f"### {agreement.scenario}, shared objective, window {agreement.late_room_min:g} min",
        *_table(["seed", "annealing", "PyVRP", "difference", "left out by annealing", "by PyVRP"], rows),
        "",
    ]


def _estimate_days(estimates: Estimates) -> list[str]:
    rows = [
        [f"{seed}", f"{ours:,.1f}", f"{theirs:,.1f}", f"{100.0 * (theirs / ours - 1.0):+.2f} %"]
        for seed, (ours, theirs) in zip(estimates.seeds, estimates.costs, strict=True)
    ]
    return [
        f"### {estimates.scenario}, true cost",
        *_table(["seed", "annealing", "PyVRP, polished", "difference"], rows),
        "",
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---", *["---:"] * (len(head) - 1)]
    return [f"| {' | '.join(line)} |" for line in (head, rule, *rows)]
