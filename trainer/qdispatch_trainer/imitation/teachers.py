"""Who is imitated: policies that say at every situation which pairs to commit now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from qdispatch_domain.compiled.local_search import Search
from qdispatch_domain.heuristics import RegretInsertion
from qdispatch_domain.planner import Planner
from qdispatch_domain.situation import Scorer
from qdispatch_trainer.matching import JointMatching

TEACHERS: Mapping[str, Callable[[int], Scorer]] = MappingProxyType(
    {
        "planner": lambda moves: Planner(Search(moves=moves)),
        "regret-2": lambda _: RegretInsertion(),
        "joint matching": lambda _: JointMatching(),
    }
)


def teacher_named(name: str, moves: int) -> Scorer:
    """The teacher of that name; `moves` is the planner's search effort. ValueError if there is none."""
    if name not in TEACHERS:
        raise ValueError(f"unknown teacher {name!r}; expected one of {', '.join(TEACHERS)}")
    return TEACHERS[name](moves)
