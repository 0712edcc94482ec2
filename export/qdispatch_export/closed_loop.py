"""Plays the forms of one model through whole simulated days with the same randomness, and compares them by day."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from qdispatch_bundle.measurements import ClosedLoop, Interval, KpiRow, KpiTable, ModelForm
from qdispatch_domain.fleet import EPS
from qdispatch_domain.situation import Scorer
from qdispatch_trainer.day import BOOL
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.paired_difference import paired_difference
from qdispatch_trainer.scenarios import Scenario
from qdispatch_trainer.seeds import SeedPurpose, seed_range
from qdispatch_trainer.simulator.play import play
from qdispatch_trainer.simulator.progress import Fate

F64 = npt.NDArray[np.float64]
Figures = dict[str, F64]  # by name [days], as `play_costs` gives them

# Every choice made here (INT8 form, precision) belongs to the validation seeds. What calibrates the quantization
# (`moments.py`) lies far behind the days that judge it.
_JUDGED_FROM = 200_000
_COST = "cost"
_TERMS = ("deadhead", "lateness", "emergency", "driver_change", "unserved", "spread")
UNITS = {
    **dict.fromkeys((_COST, *_TERMS), "minutes-equivalent per day"),
    "served": "% of all legs",
    "late outbound": "% of the driven, beyond the tolerance",
    "late return": "% of the driven, beyond the tolerance",
}


def play_costs(scenario: Scenario, days: int, scorer: Scorer) -> Figures:
    """Figures of every day [days] over the judging days of a scenario: cost, its terms, and shares; see UNITS.

    A share is NaN on a day without such a trip.
    """
    seeds = seed_range(SeedPurpose.VALIDATION, days, start=_JUDGED_FROM)
    batch = play([generate_day(scenario, seed) for seed in seeds], scorer)
    terms = batch.final_terms()
    truth, progress = batch.truth, batch.progress
    real = truth.booking_real
    done = real & (progress.fate == Fate.DONE)
    late = done & (progress.picked_up_at > truth.scheduled + truth.tolerance + EPS)
    return {
        _COST: terms.total,
        **{name: getattr(terms, name) for name in _TERMS},
        "served": _share(done, real),
        "late outbound": _share(late & ~truth.is_return, done & ~truth.is_return),
        "late return": _share(late & truth.is_return, done & truth.is_return),
    }


def kpi_table(scenario: Scenario, days: int, reference: str, figures: Mapping[str, Mapping[str, F64]]) -> KpiTable:
    """Means of every policy's `play_costs`, and their differences from the policy `reference`, paired by day."""
    rows = [
        KpiRow(
            policy,
            name,
            UNITS[name],
            float(np.nanmean(values)),
            None if policy == reference else _interval(values - figures[reference][name]),
        )
        for policy, found in figures.items()
        for name, values in found.items()
    ]
    first = seed_range(SeedPurpose.VALIDATION, 1, start=_JUDGED_FROM)[0]
    return KpiTable(scenario.name, days, first, reference, tuple(rows))


def _share(part: BOOL, whole: BOOL) -> F64:
    """Percent of the bookings [N, B] of every day, [N]; NaN where there are none."""
    total = whole.sum(axis=1).astype(np.float64)
    share: F64 = np.divide(100.0 * part.sum(axis=1), total, out=np.full(len(total), np.nan), where=total > 0)
    return share


def compare_closed_loop(
    scenario: Scenario, days: int, fp32: Mapping[str, F64], played: Mapping[ModelForm, Mapping[str, F64]]
) -> dict[ModelForm, ClosedLoop]:
    """Differences of each form's `play_costs` from those of FP32, paired by day, with their 95 % intervals."""
    if days < 2:
        raise ValueError("Expected days >= 2.")
    first = seed_range(SeedPurpose.VALIDATION, 1, start=_JUDGED_FROM)[0]
    found = {}
    for form, figures in played.items():
        differences = {name: _interval(figures[name] - fp32[name]) for name in figures}
        rows = tuple(
            KpiRow(form.value, name, UNITS[name], float(np.nanmean(figures[name])), differences[name])
            for name in figures
        )
        found[form] = ClosedLoop(scenario.name, days, first, differences[_COST], rows)
    return found


def _interval(difference: F64) -> Interval:
    found = paired_difference(difference, np.zeros_like(difference))
    if found.low is None or found.high is None:
        raise ValueError("Expected at least two days.")
    return Interval(found.mean, found.low, found.high)
