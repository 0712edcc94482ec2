"""Random graph inputs of a given size: for latency (only sizes matter) and for comparing two graphs widely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qdispatch_bundle.manifest import ModelKind
from qdispatch_bundle.onnx_session import Array
from qdispatch_domain.candidates import CANDIDATES
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


SET_SIZES = (
    ObservationSize("clinic 4x19", 4, 19),
    ObservationSize("10x20", 10, 20),
    ObservationSize("30x60", 30, 60),
    ObservationSize("50x100", 50, 100),
    ObservationSize("100x300", 100, 300),
)
FLAT_SIZES = (ObservationSize("10x20", 10, 20),)
EDGE_SIZES = (  # for comparing graphs: every axis at one, and one axis at a time
    ObservationSize("1x1", 1, 1),
    ObservationSize("1x7", 1, 7),
    ObservationSize("7x1", 7, 1),
)


def sizes_of(kind: ModelKind) -> tuple[ObservationSize, ...]:
    """The sizes at which latency is measured."""
    return SET_SIZES if kind is ModelKind.SET else FLAT_SIZES


def set_inputs(size: ObservationSize, rng: np.random.Generator) -> dict[str, Array]:
    """Inputs of a `set` graph: features over their whole range [-CLIP, CLIP], each booking with distinct drivers."""

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
