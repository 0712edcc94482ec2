"""Hindsight: what a day would have cost somebody who knew it from the start. An estimate from above, not a bound."""

from qdispatch_trainer.hindsight.estimate import hindsight_costs

__all__ = ["hindsight_costs"]
