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
from qdispatch_bundle.interleaved import Seconds, interleaved_seconds
from qdispatch_bundle.manifest import Manifest, Precision
from qdispatch_bundle.model import Model
from qdispatch_bundle.synthetic_inputs import ObservationSize, sizes_of, synthetic_inputs
from qdispatch_server.precision_plan import PrecisionBucket

CLEARLY_FASTER = 0.97  # of the time of FP32; INT8 that saves less stays unused
ROUNDS = 200
LEAST_ROUNDS = 7
WARM_UP_ROUNDS = 3
BUDGET_SECONDS = 0.2  # per size
_SHARES = (0.25, 0.5)


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
            found = interleaved_seconds(
                passes, rounds=ROUNDS, warm_up=WARM_UP_ROUNDS, least=LEAST_ROUNDS, budget_seconds=BUDGET_SECONDS
            )
        except ModelOutputError as error:
            raise BundleError(error.reason, f"{error} while measuring") from error
        fp32, int8 = found[Precision.FP32], found[Precision.INT8]
        bound = boundary(size, following) if following is not None else None
        medians = float(np.median(fp32)), float(np.median(int8))
        buckets.append(PrecisionBucket(size.name, size.pairs, bound, *medians, faster(fp32, int8)))
    return tuple(buckets)


def faster(fp32_seconds: Seconds, int8_seconds: Seconds) -> Precision:
    """INT8 only if it is clearly faster: a draw goes to the graph that the network was trained as.

    Its median must be, and its fastest quarter too: other work on the machine delays some runs by half, and with few
    rounds it may fall on one graph more than on the other; the fastest quarter is hardly touched by it.
    """
    fp32, int8 = np.quantile(fp32_seconds, _SHARES), np.quantile(int8_seconds, _SHARES)
    return Precision.INT8 if np.all(int8 <= CLEARLY_FASTER * fp32) else Precision.FP32


def boundary(size: ObservationSize, following: ObservationSize) -> int:
    """Up to how many pairs a situation is nearer to `size` than to the `following` one, on a logarithmic scale."""
    return math.isqrt(size.pairs * following.pairs)
