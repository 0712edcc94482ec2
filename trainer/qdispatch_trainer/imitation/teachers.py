"""Who is imitated: policies that say at every situation which pairs to commit now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from qdispatch_domain.compiled.local_search import Search
from qdispatch_domain.heuristics import RegretInsertion
from qdispatch_domain.planner import Planner
from qdispatch_domain.situation import Scorer
from qdispatch_trainer.day import Day
from qdispatch_trainer.futures import FuturesPlanner, Looking
from qdispatch_trainer.imitation.training_mix import MixGroup
from qdispatch_trainer.matching import JointMatching

Teacher = Callable[[Sequence[Day], Sequence[int]], Scorer]  # of days played side by side; with a random seed


def _futures(group: MixGroup) -> Teacher:
    looking = Looking(
        futures=group.teacher_futures,
        search=Search(moves=group.teacher_moves),
        known_moves=group.teacher_known_moves,
    )
    return lambda days, seed: FuturesPlanner(days, looking, seed)


def _without_memory(build: Callable[[MixGroup], Scorer]) -> Callable[[MixGroup], Teacher]:
    return lambda group: lambda _days, _seed: build(group)


TEACHERS: Mapping[str, Callable[[MixGroup], Teacher]] = MappingProxyType(
    {
        "futures": _futures,
        "planner": _without_memory(lambda group: Planner(Search(moves=group.teacher_moves))),
        "regret-2": _without_memory(lambda _: RegretInsertion()),
        "joint matching": _without_memory(lambda _: JointMatching()),
    }
)


def teacher_named(name: str, group: MixGroup) -> Teacher:
    """The teacher of that name for days of a group, with its effort. ValueError if there is none."""
    if name not in TEACHERS:
        raise ValueError(f"unknown teacher {name!r}; expected one of {', '.join(TEACHERS)}")
    return TEACHERS[name](group)
