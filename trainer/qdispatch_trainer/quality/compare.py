"""Two results on the days they share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qdispatch_trainer.paired_difference import Interval, interval, paired_difference
from qdispatch_trainer.quality.result import Result, ResultError


@dataclass(frozen=True, slots=True)
class Comparison:
    """Subject minus reference, paired by day, with the reference's own mean on these days."""

    difference: Interval
    subject_mean: float
    reference_mean: float

    @property
    def percent(self) -> Interval:
        """The difference in percent of the reference's mean, which is taken as given; below 0 the subject is less."""
        scale = 100.0 / self.reference_mean
        half = self.difference.half_width
        return Interval(self.difference.mean * scale, None if half is None else half * scale, self.difference.days)


def mean(result: Result, kpi: str) -> Interval | None:
    """Mean over the days with its interval; None when the key figure is unknown or no day has a value."""
    values = result.kpis.get(kpi)
    return None if values is None or not np.isfinite(values).any() else interval(values)


def compare(subject: Result, reference: Result, kpi: str = "cost") -> Comparison | None:
    """Paired over the seeds both have; None without a common day that has values. ResultError for other worlds."""
    frozen = (subject.scenario_digest, subject.weights_digest)
    if frozen != (reference.scenario_digest, reference.weights_digest):
        raise ResultError(f"{subject.policy} and {reference.policy} were measured on other scenarios or cost weights")
    if kpi not in subject.kpis or kpi not in reference.kpis:
        return None
    first = max(subject.first_seed, reference.first_seed)
    end = min(subject.seeds.stop, reference.seeds.stop)
    if end <= first:
        return None
    mine, theirs = _between(subject, kpi, first, end), _between(reference, kpi, first, end)
    both = np.isfinite(mine) & np.isfinite(theirs)
    if not both.any():
        return None
    return Comparison(paired_difference(mine[both], theirs[both]), float(mine[both].mean()), float(theirs[both].mean()))


def _between(result: Result, kpi: str, first: int, end: int) -> npt.NDArray[np.float64]:
    part: npt.NDArray[np.float64] = result.kpis[kpi][first - result.first_seed : end - result.first_seed]
    return part
