"""Plans over sampled futures: what a dispatcher expects of the rest of the day, and a planner that plans for it."""

from qdispatch_trainer.futures.planner import FuturesPlanner, Looking

__all__ = ["FuturesPlanner", "Looking"]
