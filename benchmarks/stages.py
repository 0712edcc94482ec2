"""The stages of one decision, each timed alone in this process: medians over real moments, one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qdispatch_bundle.manifest import Precision
from qdispatch_bundle.model import Model
from qdispatch_domain.candidates import candidate_table
from qdispatch_domain.decoder import decide
from qdispatch_domain.encoding import encode
from qdispatch_domain.futures_search import FuturesSearch
from qdispatch_domain.heuristics import CheapestInsertion
from qdispatch_domain.packing import pack
from qdispatch_domain.situation import Scorer, Situation
from qdispatch_domain.snapshot import Snapshot

WARM_UP = 3


@dataclass(frozen=True, slots=True)
class StageRow:
    """Medians over the moments of one scenario; `millis` maps a stage to milliseconds."""

    scenario: str
    moments: int
    drivers: float
    bookings: float  # open
    pairs: float
    millis: Mapping[str, float]


def measure_stages(
    scenario: str, snapshots: Sequence[Snapshot], models: Mapping[Precision, Model], repeats: int
) -> StageRow:
    """Times every stage `repeats` times on every moment, stages in turn, so that a noisy neighbour meets all alike."""
    if repeats < 1 or not snapshots:
        raise ValueError("Expected repeats >= 1 and at least one moment.")
    samples: dict[str, list[float]] = {}
    bookings, pairs = [], []
    for snapshot in snapshots:
        stages, n_pairs = _stages(snapshot, models)
        bookings.append(len(snapshot.bookings))
        pairs.append(n_pairs)
        for turn in range(WARM_UP + repeats):
            for name, stage in stages.items():
                start = time.perf_counter()
                stage()
                if turn >= WARM_UP:
                    samples.setdefault(name, []).append(time.perf_counter() - start)
    return StageRow(
        scenario=scenario,
        moments=len(snapshots),
        drivers=float(np.median([len(snapshot.drivers) for snapshot in snapshots])),
        bookings=float(np.median(bookings)),
        pairs=float(np.median(pairs)),
        millis={name: 1e3 * float(np.median(seconds)) for name, seconds in samples.items()},
    )


def _stages(snapshot: Snapshot, models: Mapping[Precision, Model]) -> tuple[dict[str, Callable[[], object]], int]:
    fleet = pack([snapshot])
    situation = Situation(fleet)
    stages: dict[str, Callable[[], object]] = {
        "pack": lambda: pack([snapshot]),
        "candidates": lambda: candidate_table(fleet),
        "encode": lambda: encode(fleet, situation.table),
        "decide, heuristic": lambda: decide(snapshot, CheapestInsertion()),
    }
    for precision, model in models.items():
        inputs = model.inputs(situation, 0)
        stages[f"model {precision.value}"] = _model_step(model, inputs)
        stages[f"decide, {precision.value}"] = _decision(snapshot, model)
    stages["decide, search"] = _decision(snapshot, FuturesSearch(models[Precision.FP32]))
    return stages, len(situation.table.rank)


def _model_step(model: Model, inputs: Mapping[str, np.ndarray]) -> Callable[[], object]:
    return lambda: model.run(inputs)


def _decision(snapshot: Snapshot, model: Scorer) -> Callable[[], object]:
    return lambda: decide(snapshot, model)
