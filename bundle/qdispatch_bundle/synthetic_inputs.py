"""Random graph inputs of a given size: for latency (only sizes matter) and for comparing two graphs widely."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from qdispatch_bundle.manifest import Limits, ModelKind
from qdispatch_bundle.onnx_session import Array
from qdispatch_domain.candidates import CANDIDATES
from qdispatch_domain.classic import STATE
from qdispatch_domain.features import CLIP, N_BOOKING, N_CONTEXT, N_DRIVER, N_PAIR


@dataclass(frozen=True, slots=True)
class ObservationSize:
    """So many drivers and bookings, each booking with as many candidates as the domain keeps."""

    name: str
    drivers: int
    bookings: int

    @property
    def pairs(self) -> int:
        """Number of candidate pairs."""
        return self.bookings * min(CANDIDATES, self.drivers)

    def within(self, limits: Limits) -> bool:
        """Whether a model with these limits takes it."""
        return limits.admits(self.drivers, self.bookings) and self.pairs <= limits.pairs


SET_SIZES = (  # from a clinic to the largest fleet of the scenarios, ascending in pairs
    ObservationSize("4x19", 4, 19),
    ObservationSize("10x20", 10, 20),
    ObservationSize("30x60", 30, 60),
    ObservationSize("50x100", 50, 100),
    ObservationSize("100x300", 100, 300),
    ObservationSize("100x700", 100, 700),
)
FLAT_SIZES = (ObservationSize("10x20", 10, 20),)
EDGE_SIZES = (  # for comparing graphs: every axis at one, and one axis at a time
    ObservationSize("1x1", 1, 1),
    ObservationSize("1x7", 1, 7),
    ObservationSize("7x1", 7, 1),
)


def sizes_of(kind: ModelKind) -> tuple[ObservationSize, ...]:
    """The sizes at which latency is measured, ascending."""
    return SET_SIZES if kind is ModelKind.SET else FLAT_SIZES


def synthetic_inputs(kind: ModelKind, size: ObservationSize, rng: np.random.Generator) -> dict[str, Array]:
    """Inputs of one graph: features over their whole range [-CLIP, CLIP]. `flat` has one size, whatever is asked."""
    if kind is ModelKind.FLAT:
        return {"state": rng.uniform(-CLIP, CLIP, STATE).astype(np.float32)}
    return _set_inputs(size, rng)


def synthetic_observations(
    kind: ModelKind, rng: np.random.Generator, *, edges: bool
) -> list[tuple[ObservationSize, Mapping[str, Array]]]:
    """One random observation of each size; with `edges` also those with an axis of one."""
    sizes = (*sizes_of(kind), *(EDGE_SIZES if edges and kind is ModelKind.SET else ()))
    return [(size, synthetic_inputs(kind, size, rng)) for size in sizes]


def _set_inputs(size: ObservationSize, rng: np.random.Generator) -> dict[str, Array]:
    """Each booking has distinct drivers."""

    def features(rows: int, columns: int) -> Array:
        return rng.uniform(-CLIP, CLIP, (rows, columns)).astype(np.float32)

    each = size.pairs // size.bookings
    driver = np.concatenate([rng.permutation(size.drivers)[:each] for _ in range(size.bookings)])
    return {
        "driver_features": features(size.drivers, N_DRIVER),
        "booking_features": features(size.bookings, N_BOOKING),
        "pair_features": features(size.pairs, N_PAIR),
        "pair_driver": driver.astype(np.int64),
        "pair_booking": np.repeat(np.arange(size.bookings, dtype=np.int64), each),
        "context": features(1, N_CONTEXT)[0],
        "pair_cost": rng.uniform(-30.0, 120.0, size.pairs).astype(np.float32),
    }
