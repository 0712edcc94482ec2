"""Rolling PyVRP: a general solver for vehicle routing as a policy to be compared with. Needs the extra [pyvrp]."""

from qdispatch_trainer.pyvrp_rolling.policy import RollingPyvrp

__all__ = ["RollingPyvrp"]
