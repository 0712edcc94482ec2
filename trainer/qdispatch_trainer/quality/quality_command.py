"""`qdispatch-trainer quality`: the page and the figure, from the result files alone."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from qdispatch_domain.heuristics import CheapestInsertion
from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.comparators import COMPARATORS, ExtraMissing, Kind, comparator
from qdispatch_trainer.policies import MODEL
from qdispatch_trainer.quality.figure import draw
from qdispatch_trainer.quality.model_policies import MODEL_WITH_SEARCH, search_parameters
from qdispatch_trainer.quality.page import quality_page
from qdispatch_trainer.quality.result import Result, ResultError, read_results, slug
from qdispatch_trainer.quality.targets import SUBJECT, Results, verdicts
from qdispatch_trainer.scenarios import Scenario, scenario_named
from qdispatch_trainer.seeds import SeedPurpose, purpose_of
from qdispatch_trainer.windows.frozen import tuned_window

EXIT_BAD_INPUT = 2
FIGURE = "quality.svg"


def quality_command(
    folder: Annotated[Path, typer.Argument(help="Result files on test days.")] = Path("docs/benchmarks/quality"),
    validation: Annotated[
        Path, typer.Option(help="Result files of joint matching and hindsight on validation days.")
    ] = Path("docs/benchmarks/hindsight"),
    page: Annotated[Path, typer.Option(help="Page to write; the figure goes beside it.")] = Path(
        "docs/benchmarks/quality.md"
    ),
    subject: Annotated[str, typer.Option(help="The policy that the targets are about.")] = SUBJECT,
) -> None:
    """Render the quality page and its figure; results of other scenarios, weights or windows are refused."""
    console = Console()
    try:
        results, before = read_results(folder), read_results(validation)
        check(results, SeedPurpose.TEST)
        check_one_model(results)
        check(before, SeedPurpose.VALIDATION)
        text = quality_page(results, before, subject, FIGURE)
    except ResultError as error:
        Console(stderr=True).print(str(error), highlight=False, markup=False)
        raise typer.Exit(EXIT_BAD_INPUT) from error
    page.write_text(text, encoding="utf-8")
    draw(results, page.with_name(FIGURE))
    found = verdicts(results, subject)
    for verdict in found:
        word = {True: "met", False: "MISSED", None: "open"}[verdict.met]
        days = f" ({verdict.shortage})" if verdict.shortage else ""
        text = f"{word:7}{verdict.target}, {verdict.scenario}: {verdict.figures}{days}"
        console.print(text, highlight=False, markup=False, soft_wrap=True)


def check(results: Results, purpose: SeedPurpose) -> None:
    """Raise ResultError for a file of other scenarios, cost weights, seeds, windows or moves than this code's."""
    for name, rows in results.items():
        try:
            scenario = scenario_named(name)
        except ValueError as error:
            raise ResultError(f"result files of {name!r}: {error}") from error
        for stem, row in rows.items():
            where = f"{name}/{stem}.json"
            if row.scenario != name or row.scenario_digest != scenario.digest():
                raise ResultError(f"{where} was measured on another {name}: measure it again")
            if row.weights_digest != WEIGHTS.digest():
                raise ResultError(f"{where} was measured with other cost weights: measure it again")
            if purpose_of(row.first_seed) is not purpose:
                raise ResultError(f"{where} was measured on {purpose_of(row.first_seed)} days, expected {purpose}")
            ahead = row.parameters.get("commit_ahead_min", 0.0)
            if row.kind is Kind.MODEL and ahead != tuned_window(name, MODEL):
                raise ResultError(f"{where} commits {ahead:g} min ahead, the tuned window is another: measure it again")
            if stem == slug(MODEL_WITH_SEARCH) and not _searches_as_now(row, scenario):
                raise ResultError(f"{where} was measured with another search than the server's: measure it again")
            if row.policy in COMPARATORS:
                try:
                    now = comparator(row.policy, scenario)
                except ExtraMissing:
                    continue  # without its package it cannot be told
                if dict(now.parameters) != dict(row.parameters):
                    raise ResultError(f"{where} has other parameters than the comparator has now: measure it again")


def _searches_as_now(row: Result, scenario: Scenario) -> bool:
    if find_spec("numba") is None:
        return True  # without its package it cannot be told
    from qdispatch_domain.futures_search import searched

    searching = searched(CheapestInsertion(), float(row.parameters.get("commit_ahead_min", 0.0)))
    now = search_parameters(searching, scenario)
    return {name: row.parameters.get(name) for name in now} == now


def check_one_model(results: Results) -> None:
    """Raise ResultError when files of the same name hold different models: a page is about one of each."""
    digests: dict[str, dict[str, str]] = {}
    for name, rows in results.items():
        for stem, row in rows.items():
            if row.kind is Kind.MODEL:
                digests.setdefault(stem, {})[name] = str(row.parameters.get("digest"))
    for stem, of_scenario in digests.items():
        if len(set(of_scenario.values())) > 1:
            listed = ", ".join(f"{name} {digest[:12]}" for name, digest in of_scenario.items())
            raise ResultError(f"{stem}.json is of different models ({listed}): measure it again")
