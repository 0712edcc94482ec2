"""The learned policies that are measured: the network alone, the network with search, and the flat network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdispatch_domain.committing_ahead import committing_ahead
from qdispatch_domain.heuristics import CheapestInsertion
from qdispatch_domain.situation import Scorer
from qdispatch_trainer.comparators import Kind, Policy
from qdispatch_trainer.loaded_policy import load_policy
from qdispatch_trainer.policies import MODEL
from qdispatch_trainer.scenarios import Scenario
from qdispatch_trainer.windows.frozen import tuned_window

if TYPE_CHECKING:
    from qdispatch_domain.futures_search import FuturesSearch

MODEL_WITH_SEARCH, FLAT = "model with search", "flat network"
MODEL_POLICIES = (MODEL, MODEL_WITH_SEARCH, FLAT)


def search_parameters(searching: FuturesSearch, scenario: Scenario) -> dict[str, Any]:
    """The search's part of a policy's identity: the efforts of the fleets that the scenario has.

    All drivers of a simulated day are usable from morning to night.
    """
    met = [searching.effort_at(size) for size in scenario.fleet_sizes]
    efforts = [
        {"most_drivers": effort.most_drivers, **effort.looking._asdict(), **effort.search._asdict()}
        for effort in searching.efforts
        if effort in met
    ]
    return {"lead_min": searching.lead_min, "efforts": efforts}


def model_policy(name: str, path: Path, scenario: Scenario, moves: int | None) -> Policy:
    """The learned policy `name` with the network at `path`; `moves` is the search's effort over one future.

    Without `moves` it is the server's. It commits ahead by the minutes tuned for the scenario with the shipped network,
    as a server would be set there.
    The network is loaded where it plays: an ONNX session cannot be sent to another process.
    Raises ValueError for a network of another kind than the name says and for moves without a search, and what
    `load_policy` raises.
    """
    _, about = load_policy(path)
    if (about["kind"] == "flat") != (name == FLAT):
        raise ValueError(f"{path} holds a {about['kind']} network, which is not {name!r}")
    ahead = tuned_window(scenario.name, MODEL)
    if ahead > 0.0:
        about["commit_ahead_min"] = ahead
    if name != MODEL_WITH_SEARCH:
        if moves is not None:
            raise ValueError(f"--moves is of {MODEL_WITH_SEARCH!r}, not of {name!r}")
        return Policy(name, Kind.MODEL, about, lambda: committing_ahead(load_policy(path)[0], ahead))
    from qdispatch_domain.futures_search import searched  # needs numba

    usual = searched(CheapestInsertion(), ahead)  # the network takes its place where it plays
    searching = usual if moves is None else usual.with_moves(moves)
    parameters = {**about, **search_parameters(searching, scenario)}

    def build() -> Scorer:
        return replace(searching, policy=committing_ahead(load_policy(path)[0], ahead))

    return Policy(name, Kind.MODEL, parameters, build)
