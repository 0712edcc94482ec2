"""Measures both graphs of a bundle on this server's own processor, size by size, and says which answers where.

INT8 may be slower than FP32, above all on small fleets and on processors without its instructions: nobody but the
machine that serves can say. The whole measurement takes about a second.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from itertools import zip_longest

import numpy as np

from qdispatch_bundle.errors import BundleError, ModelOutputError
from qdispatch_bundle.interleaved import interleaved_medians
from qdispatch_bundle.manifest import Manifest, Precision
from qdispatch_bundle.model import Model
from qdispatch_bundle.synthetic_inputs import ObservationSize, sizes_of, synthetic_inputs
from qdispatch_server.precision_plan import PrecisionBucket

CLEARLY_FASTER = 0.97  # of the time of FP32; INT8 that saves less stays unused
ROUNDS = 200
LEAST_ROUNDS = 7
WARM_UP_ROUNDS = 3
BUDGET_SECONDS = 0.15  # per size


def measure_buckets(manifest: Manifest, models: Mapping[Precision, Model]) -> tuple[PrecisionBucket, ...]:
    """One bucket per size within the model's limits, ascending; none when even the smallest is over them.

    Raises BundleError when a graph fails on these inputs, which are random but finite.
    """
    sizes = [size for size in sizes_of(manifest.kind) if size.within(manifest.limits)]
    rng = np.random.default_rng(0)
    buckets = []
    for size, following in zip_longest(sizes, sizes[1:]):
        inputs = synthetic_inputs(manifest.kind, size, rng)
        passes = {precision: partial(model.run, inputs) for precision, model in models.items()}
        try:
            medians = interleaved_medians(
                passes, rounds=ROUNDS, warm_up=WARM_UP_ROUNDS, least=LEAST_ROUNDS, budget_seconds=BUDGET_SECONDS
            )
        except ModelOutputError as error:
            raise BundleError(error.reason, f"{error} while measuring") from error
        fp32, int8 = medians[Precision.FP32], medians[Precision.INT8]
        bound = boundary(size, following) if following is not None else None
        buckets.append(PrecisionBucket(size.name, size.pairs, bound, fp32, int8, faster(fp32, int8)))
    return tuple(buckets)


def faster(fp32_seconds: float, int8_seconds: float) -> Precision:
    """INT8 only if it is clearly faster: a draw goes to the graph that the network was trained as."""
    return Precision.INT8 if int8_seconds <= CLEARLY_FASTER * fp32_seconds else Precision.FP32


def boundary(size: ObservationSize, following: ObservationSize) -> int:
    """Up to how many pairs a situation is nearer to `size` than to the `following` one, on a logarithmic scale."""
    return math.isqrt(size.pairs * following.pairs)
