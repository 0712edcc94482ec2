"""A network as the server plays it: committing ahead by a setting, and with the search behind it."""

from __future__ import annotations

from importlib.util import find_spec

from qdispatch_domain.committing_ahead import committing_ahead
from qdispatch_domain.situation import Scorer
from qdispatch_trainer.comparators import ExtraMissing


def as_served(network: Scorer, commit_ahead_min: float, search: bool) -> Scorer:
    """The policy of a server with `commit_ahead_min`, and `search` on or off. Raises ExtraMissing without numba."""
    if not search:
        return committing_ahead(network, commit_ahead_min)
    if find_spec("numba") is None:
        raise ExtraMissing("the search needs numba: install the extra [trainer]")
    from qdispatch_domain.futures_search import searched  # needs numba

    return searched(network, commit_ahead_min)
