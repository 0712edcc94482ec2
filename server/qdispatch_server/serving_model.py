"""The model that answers: one verified bundle, with the graphs that may answer and the plan of which does where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qdispatch_bundle.loading import Bundle
from qdispatch_bundle.manifest import Manifest, Precision
from qdispatch_server.precision_plan import PrecisionPlan, fixed


@dataclass(frozen=True, slots=True)
class ServingModel:
    """`bundles` holds the same bundle once per precision of the plan."""

    bundles: Mapping[Precision, Bundle]
    plan: PrecisionPlan

    def __post_init__(self) -> None:
        if set(self.bundles) != self.plan.precisions:
            raise ValueError("Expected exactly the precisions of the plan.")

    @classmethod
    def of(cls, bundle: Bundle) -> ServingModel:
        """A bundle whose loaded graph answers everything."""
        return cls({bundle.precision: bundle}, fixed(bundle.precision))

    @property
    def manifest(self) -> Manifest:
        """What the bundle says of itself."""
        return self._any.manifest

    @property
    def version(self) -> str:
        """The name every answer carries."""
        return self._any.version

    @property
    def calibrated(self) -> bool:
        """Whether `q_value` and `advantage_minutes` may be reported."""
        return self._any.calibrated

    def at(self, pairs: int) -> Bundle:
        """The bundle, with the graph that answers a situation with so many candidate pairs."""
        return self.bundles[self.plan.at(pairs)]

    @property
    def _any(self) -> Bundle:
        return next(iter(self.bundles.values()))
