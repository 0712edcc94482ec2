"""The independent validator: every broken hard rule of an answer (`validate_plan`) or of a day (`validate_day`)."""

from qdispatch_domain.validator.day import validate_day
from qdispatch_domain.validator.plan import validate_plan
from qdispatch_domain.validator.violation import Fault, Violation

__all__ = ["Fault", "Violation", "validate_day", "validate_plan"]
