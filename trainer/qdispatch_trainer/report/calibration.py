"""Does Q say what a day will cost from here on? Predicted values against what really came, decision by decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qdispatch_domain.situation import Scorer, days_of
from qdispatch_trainer.day import Day
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.play import play_round

F64 = npt.NDArray[np.float64]

BINS = 10


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Of M decisions the best Q there, and the return from there to the end of the day, minutes-equivalent."""

    predicted: F64
    realised: F64

    @property
    def slope(self) -> float:
        """Of realised over predicted (least squares); 1 for values that are minutes. NaN when nothing varies."""
        spread = float(self.predicted.var())
        return float(np.cov(self.predicted, self.realised, bias=True)[0, 1]) / spread if spread > 0.0 else float("nan")

    @property
    def correlation(self) -> float:
        """Pearson's; NaN when nothing varies."""
        if self.predicted.std() == 0.0 or self.realised.std() == 0.0:
            return float("nan")
        return float(np.corrcoef(self.predicted, self.realised)[0, 1])

    @property
    def bias(self) -> float:
        """Mean of predicted minus realised."""
        return float((self.predicted - self.realised).mean())

    def bins(self) -> tuple[F64, F64]:
        """Mean predicted and mean realised value of equally large groups, by predicted value."""
        order = np.argsort(self.predicted, kind="stable")
        groups = [group for group in np.array_split(order, BINS) if len(group)]
        return (
            np.array([self.predicted[group].mean() for group in groups]),
            np.array([self.realised[group].mean() for group in groups]),
        )


def calibration_of(days: Sequence[Day], policy: Scorer) -> Calibrated:
    """Play the days; every moment at which a day has a pair to decide on counts once. ValueError when there is none."""
    batch = DayBatch(days)
    predicted, cost, day = [], [], []
    while not batch.over.all():
        situation = batch.situation()
        if len(situation.table.rank):
            scores = policy.score(situation)
            pairs = situation.table.insertion
            best = np.nan_to_num(days_of(scores, len(batch)), nan=-np.inf)  # a rule has no value of waiting
            np.maximum.at(best, pairs.day, scores.q_pair)
            asked = np.unique(pairs.day)
            predicted.append(best[asked])
            cost.append(batch.cost()[asked])
            day.append(asked)
        play_round(batch, policy)
    if not predicted:
        raise ValueError("No decision was met on these days.")
    final = batch.cost()
    return Calibrated(np.concatenate(predicted), np.concatenate(cost) - final[np.concatenate(day)])
