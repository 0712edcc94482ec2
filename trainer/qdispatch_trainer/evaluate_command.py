"""`qdispatch-trainer evaluate`: what is played, with which seeds, and where the numbers go."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console

from qdispatch_bundle.errors import BundleError
from qdispatch_client import CallError, Client
from qdispatch_domain.situation import Scorer
from qdispatch_trainer import comparators
from qdispatch_trainer.checkpoint import CheckpointError
from qdispatch_trainer.evaluation import SERVER, Evaluation, evaluate
from qdispatch_trainer.evaluation_table import WIDTH, evaluation_table
from qdispatch_trainer.json_output import JSON_HELP, STANDARD_OUTPUT, write_results
from qdispatch_trainer.loaded_policy import load_policy
from qdispatch_trainer.policies import HEURISTICS, MODEL
from qdispatch_trainer.scenarios import Scenario, scenario_named
from qdispatch_trainer.seeds import SEEDS_PER_PURPOSE, SeedPurpose, purpose_of
from qdispatch_trainer.served_policy import as_served
from qdispatch_trainer.server_play import ServerPlayer
from qdispatch_trainer.simulator.kpi import DayKpi
from qdispatch_trainer.source_revision import git_revision
from qdispatch_trainer.train import versions
from qdispatch_trainer.watching import Watch, watch

EXIT_BAD_INPUT = 2
EXIT_NO_ANSWER = 4


def evaluate_command(
    policy: Annotated[Path | None, typer.Argument(help="A checkpoint (.pt) or a bundle's folder.")] = None,
    scenario: Annotated[str, typer.Option(help="Scenario to play.")] = "clinic-day",
    days: Annotated[int, typer.Option(min=2, help="How many days.")] = 200,
    seeds_from: Annotated[
        int, typer.Option(min=0, help="First seed; 1000000+ for choices, 2000000+ for published tables.")
    ] = SeedPurpose.TEST.first_seed,
    json_file: Annotated[Path | None, typer.Option("--json", help=JSON_HELP)] = None,
    server: Annotated[
        str | None, typer.Option(help="Address of a running server; its answers are played too, over gRPC.")
    ] = None,
    comparator: Annotated[
        list[str] | None, typer.Option(help="Comparator to play, may be repeated; default: the heuristics.")
    ] = None,
    search: Annotated[
        bool, typer.Option("--search", help="Put the server's search behind the model, as `search = auto` does.")
    ] = False,
    company: Annotated[str, typer.Option(help="Company id in the calls to the server.")] = "evaluation",
) -> None:
    """Play the model and the comparators on the same days and compare them."""
    console = Console(stderr=True)
    torch.set_num_threads(1)

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False)

    with ExitStack() as opened:
        try:
            chosen = scenario_named(scenario)
            last = seeds_from + days - 1
            if purpose_of(seeds_from) is not purpose_of(last):
                raise ValueError(f"Seeds {seeds_from} to {last} cross the border at a multiple of {SEEDS_PER_PURPOSE}.")
            model, about = (None, {}) if policy is None else load_policy(policy)
            if search and model is None:
                raise ValueError("--search needs a model to put the search behind.")
            if model is not None:
                model, about["search"] = as_served(model, 0.0, search), search
            names = list(HEURISTICS) if comparator is None else comparator
            for name in names:
                comparators.comparator(name, chosen)
            player = None if server is None else _player(opened, server, company)
        except (ValueError, CheckpointError, BundleError, comparators.ExtraMissing) as error:
            say(str(error))
            raise typer.Exit(EXIT_BAD_INPUT) from error
        with watch() as watching:
            evaluation = _play(chosen, range(seeds_from, last + 1), model, player, watching, names)
    results = {
        **evaluation.to_dict(),
        "model": about or None,
        "server": None
        if player is None
        else {
            "answers": dict(player.answers),
            "versions": dict(player.versions),
            "searches": player.searched > 0,
        },
        "versions": versions(),
        "git_revision": git_revision(),
        "machine": f"{platform.machine()} {platform.system()}",
    }
    if json_file is not None:
        write_results(json_file, results)
    _print(evaluation, results, Console(stderr=json_file == STANDARD_OUTPUT))


def _play(
    scenario: Scenario,
    seeds: range,
    model: Scorer | None,
    player: ServerPlayer | None,
    watching: Watch,
    names: Sequence[str],
) -> Evaluation:
    through: Callable[[Scenario, Sequence[int]], list[DayKpi]] | None = None if player is None else player.play
    try:
        return evaluate(scenario, seeds, model, through, watching, names)
    except CallError as error:
        watching.say(f"The server gave no answer: {error}")
        raise typer.Exit(EXIT_NO_ANSWER) from error


def _player(opened: ExitStack, target: str, company: str) -> ServerPlayer:
    return ServerPlayer(opened.enter_context(Client(target)), company)


def _print(evaluation: Evaluation, results: dict[str, Any], console: Console) -> None:
    console.width = max(console.width, WIDTH)
    console.print(evaluation_table(evaluation))
    if evaluation.agreement is not None:
        text = (
            f"The model's first choice is cheapest insertion's in {100 * evaluation.agreement:.1f} % of its decisions."
        )
        console.print(text, highlight=False)
    if MODEL in evaluation.kpis and SERVER in evaluation.kpis:
        apart = abs(evaluation.kpis[MODEL]["cost"] - evaluation.kpis[SERVER]["cost"]).max()
        console.print(f"Largest difference of a day's cost between server and process: {apart:.6f}", highlight=False)
        if results["server"]["searches"] != results["model"]["search"]:
            there = "searched" if results["server"]["searches"] else "did not search"
            console.print(f"The server {there} behind the model's values, this process otherwise (--search).")
    if results["server"] is not None:
        answers = ", ".join(f"{source} {count}" for source, count in results["server"]["answers"].items())
        console.print(f"Answers of the server: {answers}", highlight=False)
    digests = f"scenario {results['scenario_digest']}, cost weights {results['weights_digest']}"
    console.print(f"Frozen: {digests}", highlight=False)
