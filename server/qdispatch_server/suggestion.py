"""The use case: from a checked snapshot to a decision by the model, or by the heuristic with its reason.

Knows nothing of gRPC. Deadlines are instants of `time.perf_counter`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from qdispatch_bundle.errors import ModelOutputError, OverModelLimit
from qdispatch_bundle.loading import Bundle
from qdispatch_bundle.manifest import Precision
from qdispatch_domain.decision import Decision
from qdispatch_domain.decoder import decision_of
from qdispatch_domain.features import fingerprint
from qdispatch_domain.heuristics import CheapestInsertion
from qdispatch_domain.observation import Scores
from qdispatch_domain.packing import pack
from qdispatch_domain.situation import Scorer, Situation
from qdispatch_domain.snapshot import Snapshot
from qdispatch_domain.weights import WEIGHTS
from qdispatch_server.provenance import Fallback, Provenance
from qdispatch_server.search import Searching
from qdispatch_server.serving_model import ServingModel
from qdispatch_server.state.switch_board import CompanyState

HEURISTIC = CheapestInsertion()
HEURISTIC_NAME = "cheapest-insertion"
SMOOTHING = 0.1  # weight of the newest pass in the running mean of a model step's duration
PAIRS_OFFSET = 200  # a step's duration grows about as pairs + this constant


@dataclass(slots=True)
class StageSeconds:
    """How long the stages of one decision took."""

    features: float = 0.0  # packing, insertions, costs, and the encoding a model needs
    inference: float = 0.0  # the model's or the heuristic's scores, and the search behind the model's
    decision: float = 0.0  # from scores to rows


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A decision and where it comes from."""

    decision: Decision
    provenance: Provenance
    stages: StageSeconds


class DeadlineWouldPass(Exception):
    """The model step would end after the caller's deadline."""


class StepClock:
    """Learns how long a model step takes, to know in time that the next one would be too long."""

    def __init__(self) -> None:
        self._seconds_per_unit = 0.0

    def expected_seconds(self, pairs: int) -> float:
        """Expected duration of a step over so many pairs; 0 before the first one was seen."""
        return self._seconds_per_unit * (pairs + PAIRS_OFFSET)

    def learn(self, pairs: int, seconds: float) -> None:
        """Notes one step."""
        seen = seconds / (pairs + PAIRS_OFFSET)
        known = self._seconds_per_unit
        self._seconds_per_unit = seen if known == 0.0 else known + SMOOTHING * (seen - known)


class Suggester:
    """Answers snapshots, one at a time per worker (`admission.py` sees to that)."""

    def __init__(
        self,
        current_model: Callable[[], ServingModel | None],
        searching: Searching,
        commit_ahead_min: float = 0.0,
    ) -> None:
        self._current_model = current_model
        self._searching = searching
        self._commit_ahead_min = commit_ahead_min
        self._step_clock = StepClock()
        self._fingerprint = fingerprint()
        self._weights_digest = WEIGHTS.digest()

    def suggest(self, snapshot: Snapshot, company: CompanyState, deadline: float) -> Suggestion:
        """Decides one snapshot. Raises nothing the caller could mend: the snapshot has been checked."""
        stages = StageSeconds()
        started = time.perf_counter()
        situation = Situation(pack([snapshot]))
        stages.features = time.perf_counter() - started
        model = self._current_model()
        fallback = _reason_before(company, model)
        if fallback is None and model is not None:
            scorer = _ModelStep(model, self._searching, self._commit_ahead_min, self._step_clock, stages, deadline)
            try:
                decision = _timed(snapshot, situation, scorer, stages, model.calibrated)
                return Suggestion(decision, self._provenance(model, None, scorer, situation), stages)
            except OverModelLimit:
                fallback = Fallback.MODEL_LIMIT
            except DeadlineWouldPass:
                fallback = Fallback.DEADLINE
            except ModelOutputError:
                fallback = Fallback.MODEL_FAILED
        decision = _timed(snapshot, situation, _HeuristicStep(stages), stages, calibrated=False)
        return Suggestion(decision, self._provenance(model, fallback, None, situation), stages)

    def _provenance(
        self, model: ServingModel | None, fallback: Fallback | None, step: _ModelStep | None, situation: Situation
    ) -> Provenance:
        answered = step is not None and step.precision is not None
        moves = self._searching.moves_at(int(situation.fleet.usable.sum())) if answered else 0
        return Provenance(
            fallback=fallback,
            heuristic="" if fallback is None else HEURISTIC_NAME,
            model_version="" if model is None else model.version,
            feature_fingerprint=self._fingerprint,
            weights_digest=self._weights_digest,
            precision=None if step is None else step.precision,
            search_moves=moves,
            commit_ahead_min=self._commit_ahead_min if answered else 0.0,
        )


def _reason_before(company: CompanyState, model: ServingModel | None) -> Fallback | None:
    """Why the model is not even asked."""
    if company is CompanyState.UNKNOWN:
        return Fallback.STATE_UNKNOWN
    if company is CompanyState.DISABLED:
        return Fallback.DISABLED
    return Fallback.MODEL_UNAVAILABLE if model is None else None


def _timed(
    snapshot: Snapshot, situation: Situation, scorer: Scorer, stages: StageSeconds, calibrated: bool
) -> Decision:
    started = time.perf_counter()
    before = stages.features + stages.inference
    decision = decision_of(snapshot, situation, scorer, calibrated=calibrated)
    inside = stages.features + stages.inference - before
    stages.decision += time.perf_counter() - started - inside
    return decision


class _ModelStep:
    """The model, and the search behind it, as a scorer that is timed, and gives up before it would miss the deadline.

    The first pass chooses the precision by its number of pairs; later passes of the same answer keep it.
    """

    def __init__(
        self,
        model: ServingModel,
        searching: Searching,
        commit_ahead_min: float,
        clock: StepClock,
        stages: StageSeconds,
        deadline: float,
    ) -> None:
        self._model = model
        self._searching = searching
        self._commit_ahead_min = commit_ahead_min
        self._chosen: Bundle | None = None
        self._clock = clock
        self._stages = stages
        self._deadline = deadline

    @property
    def precision(self) -> Precision | None:
        """Of the graph that scored; None when nothing was scored."""
        return None if self._chosen is None else self._chosen.precision

    def score(self, situation: Situation) -> Scores:
        """The model's scores. Raises DeadlineWouldPass, and what the model raises."""
        pairs = len(situation.table.rank)
        if pairs == 0:
            return Scores(q_pair=np.empty(0, dtype=np.float64), q_wait=np.zeros(1))
        started = time.perf_counter()
        _ = situation.observations  # encoded here, so that it counts as features
        encoded = time.perf_counter()
        self._stages.features += encoded - started
        if encoded + self._clock.expected_seconds(pairs) >= self._deadline:
            raise DeadlineWouldPass
        if self._chosen is None:
            self._chosen = self._model.at(pairs)
        policy = self._searching.behind(self._chosen.model, self._commit_ahead_min)
        scores = policy.score(situation)
        seconds = time.perf_counter() - encoded
        self._stages.inference += seconds
        self._clock.learn(pairs, seconds)
        return scores


class _HeuristicStep:
    """The heuristic as a scorer that is timed."""

    def __init__(self, stages: StageSeconds) -> None:
        self._stages = stages

    def score(self, situation: Situation) -> Scores:
        """The heuristic's scores."""
        started = time.perf_counter()
        scores = HEURISTIC.score(situation)
        self._stages.inference += time.perf_counter() - started
        return scores
