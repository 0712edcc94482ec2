"""Which of a bundle's two graphs answers, by the number of candidate pairs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from qdispatch_bundle.manifest import Precision


class PrecisionMode(StrEnum):
    """What chose the graphs."""

    FIXED = "fixed"  # the setting named one
    AUTO = "auto"  # this server measured both


@dataclass(frozen=True, slots=True)
class PrecisionBucket:
    """Both graphs measured at one size, and which of them therefore answers situations of about that size."""

    size: str  # drivers x bookings, "30x60"
    measured_pairs: int
    max_pairs: int | None  # the most candidate pairs this bucket is for; None: any number above the bucket before it
    fp32_seconds: float  # median of one forward pass
    int8_seconds: float
    precision: Precision


@dataclass(frozen=True, slots=True)
class PrecisionPlan:
    """The choice for every number of pairs. Buckets ascend; without any, `otherwise` answers everything."""

    mode: PrecisionMode
    buckets: tuple[PrecisionBucket, ...]
    otherwise: Precision

    def __post_init__(self) -> None:
        bounds = [bucket.max_pairs for bucket in self.buckets]
        known = [bound for bound in bounds if bound is not None]
        if bounds and (bounds[-1] is not None or len(known) != len(bounds) - 1 or known != sorted(set(known))):
            raise ValueError("Expected max_pairs to ascend, and only the last bucket to have none.")

    def at(self, pairs: int) -> Precision:
        """The precision that answers a situation with so many candidate pairs."""
        for bucket in self.buckets:
            if bucket.max_pairs is None or pairs <= bucket.max_pairs:
                return bucket.precision
        return self.otherwise

    @property
    def precisions(self) -> frozenset[Precision]:
        """Every precision that may answer."""
        return frozenset(bucket.precision for bucket in self.buckets) or frozenset({self.otherwise})

    @property
    def by_size(self) -> tuple[tuple[str, Precision], ...]:
        """(size, precision) of every bucket; ("all", precision) when there is only one choice to make."""
        return tuple((bucket.size, bucket.precision) for bucket in self.buckets) or (("all", self.otherwise),)

    @property
    def summary(self) -> str:
        """`fp32`, `int8`, or `mixed`."""
        return "mixed" if len(self.precisions) > 1 else next(iter(self.precisions)).value


def fixed(precision: Precision) -> PrecisionPlan:
    """The plan of a setting that names one precision."""
    return PrecisionPlan(PrecisionMode.FIXED, (), precision)


def measured(buckets: Iterable[PrecisionBucket]) -> PrecisionPlan:
    """The plan of a measurement; FP32 where nothing could be measured."""
    return PrecisionPlan(PrecisionMode.AUTO, tuple(buckets), Precision.FP32)
