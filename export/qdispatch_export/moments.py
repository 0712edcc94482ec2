"""Situations met on simulated days: for calibrating the static forms, for the agreement, for golden vectors."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from qdispatch_bundle.manifest import ModelKind
from qdispatch_bundle.measurements import ObservedDays
from qdispatch_bundle.model import Model
from qdispatch_bundle.onnx_session import Array
from qdispatch_domain.classic import classic_view
from qdispatch_domain.situation import Situation
from qdispatch_domain.snapshot import Snapshot
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.scenarios import Scenario
from qdispatch_trainer.seeds import SeedPurpose, seed_range
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.play import play_round

_OBSERVED_FROM = 900_000  # among the validation seeds, far behind the days that judge
_LARGEST_SHARE = 0.25  # of the situations kept: a day has few large ones, and they set the range of the activations


@dataclass(frozen=True, slots=True)
class Moment:
    """A situation met on a simulated day: its snapshot, the graph's inputs, and which actions were permitted.

    `permitted` is [P + 1] for `set` (the pairs in order, then waiting) and [201] for `flat`.
    """

    snapshot: Snapshot
    inputs: Mapping[str, Array]
    permitted: Array
    pairs: int  # candidate pairs


@dataclass(frozen=True, slots=True)
class Observed:
    """What was met on the observing days of one scenario; the largest situations first."""

    scenario: str
    days: int
    first_seed: int
    moments: tuple[Moment, ...]

    @property
    def calibrating(self) -> tuple[Moment, ...]:
        """Every second one, the largest of all among them."""
        return self.moments[::2]

    @property
    def judging(self) -> tuple[Moment, ...]:
        """The others."""
        return self.moments[1::2]

    def provenance(self) -> ObservedDays:
        """For the manifest: what the static forms were calibrated with. At least one moment was met."""
        used = self.calibrating
        return ObservedDays(self.scenario, self.days, self.first_seed, len(used), max(one.pairs for one in used))


def observe(
    kind: ModelKind, scenario: Scenario, days: int, model: Model, wanted: int, rng: np.random.Generator
) -> Observed:
    """Let `model` play `days` days and keep at most `wanted` of the situations met.

    A quarter are the largest ones, the others are drawn at random over all.
    """
    seeds = seed_range(SeedPurpose.VALIDATION, days, start=_OBSERVED_FROM)
    batch = DayBatch([generate_day(scenario, seed) for seed in seeds])
    sample = _Sample(wanted, rng)
    while not batch.over.all():
        situation = batch.situation()
        pairs = np.bincount(situation.table.insertion.day, minlength=days)
        for n in np.flatnonzero(batch.decidable()).tolist():
            if sample.wants(int(pairs[n])):
                permitted = permitted_actions(kind, situation, n)
                sample.keep(Moment(batch.snapshot(n), model.inputs(situation, n), permitted, int(pairs[n])))
        play_round(batch, model)
    return Observed(scenario.name, days, seeds[0], sample.moments())


class _Sample:
    """The largest situations of a stream, and of all of them some at random."""

    def __init__(self, wanted: int, rng: np.random.Generator) -> None:
        self._biggest = int(wanted * _LARGEST_SHARE)
        self._at_random = wanted - self._biggest
        self._rng = rng
        self._met = 0
        self._place: int | None = None  # of the situation asked about last, among those at random
        self._large = False
        self._random: list[tuple[int, Moment]] = []  # (which one of the stream, the moment)
        self._heap: list[tuple[int, int, Moment]] = []  # (pairs, -which one, the moment), the smallest on top

    def wants(self, pairs: int) -> bool:
        """Whether the next situation of the stream is to be kept; if so, `keep` it before asking again."""
        self._met += 1
        # Reservoir sampling (Vitter 1985, algorithm R): every situation is kept with the same probability.
        full = len(self._random) == self._at_random
        place = int(self._rng.integers(self._met)) if full else len(self._random)
        self._place = place if place < self._at_random else None
        self._large = self._biggest > 0 and (len(self._heap) < self._biggest or pairs > self._heap[0][0])
        return self._large or self._place is not None

    def keep(self, moment: Moment) -> None:
        """Takes the situation asked about last."""
        if self._place is not None:
            self._random[self._place : self._place + 1] = [(self._met, moment)]
        if self._large:
            push = heapq.heappush if len(self._heap) < self._biggest else heapq.heapreplace
            push(self._heap, (moment.pairs, -self._met, moment))

    def moments(self) -> tuple[Moment, ...]:
        """The largest, in descending order, then the others; none twice."""
        largest = sorted(self._heap, key=lambda row: row[:2], reverse=True)
        taken = {-number for _, number, _ in largest}
        others = [moment for number, moment in self._random if number not in taken]
        return (*(moment for _, _, moment in largest), *others)


def permitted_actions(kind: ModelKind, situation: Situation, day: int) -> Array:
    """Which actions are permitted on one day of a situation; waiting is not while a booking must be decided."""
    if kind is ModelKind.FLAT:
        return np.asarray(classic_view(situation).mask(situation)[day])
    pairs = int(np.count_nonzero(situation.table.insertion.day == day))
    may_wait = not bool(situation.table.must[day].any())
    return np.append(np.ones(pairs, dtype=np.bool_), may_wait)


def take_turns(groups: Sequence[Sequence[Moment]]) -> tuple[Moment, ...]:
    """All moments, the groups taking turns, so that every part of the result holds all of them."""
    return tuple(moment for row in zip_longest(*groups) for moment in row if moment is not None)
