"""`qdispatch-trainer plot`: a run as one page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console

from qdispatch_bundle.errors import BundleError
from qdispatch_bundle.sealing import read_sealed
from qdispatch_domain.situation import Scorer
from qdispatch_trainer.action_agreement import AgreementCounter
from qdispatch_trainer.checkpoint import CheckpointError
from qdispatch_trainer.closed_loop import returns_on
from qdispatch_trainer.comparators import comparator
from qdispatch_trainer.comparison.comparing import compare
from qdispatch_trainer.comparison.contestants import Contestant, OtherTaskError
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.loaded_policy import load_policy
from qdispatch_trainer.policies import REFERENCE
from qdispatch_trainer.report import sections
from qdispatch_trainer.report.calibration import calibration_of
from qdispatch_trainer.report.page import page
from qdispatch_trainer.run_directory import RunDirectory, RunError
from qdispatch_trainer.scenarios import Scenario, scenario_named
from qdispatch_trainer.seeds import SeedPurpose, seed_range
from qdispatch_trainer.training_metrics import read_metrics
from qdispatch_trainer.watching import Watch, watch

EXIT_BAD_INPUT = 2
FIRST_DAY = 800_000  # of the validation seeds
COMPARED_WITH = (REFERENCE, "regret-2")


def plot_command(
    run: Annotated[Path, typer.Argument(help="The folder of a run, finished or not.")],
    out: Annotated[Path | None, typer.Option(help="The page \\[default: RUN/report.html].")] = None,
    scenario: Annotated[str, typer.Option(help="What the policy is played on.")] = "clinic-day",
    days: Annotated[int, typer.Option(min=0, help="Validation days to play; 0: none.")] = 100,
    tuned: Annotated[Path | None, typer.Option(help="A tuned.json, for the tuning's history.")] = None,
    bundle: Annotated[Path | None, typer.Option(help="The exported bundle, for its quantization report.")] = None,
) -> None:
    """Write a run as one HTML page: curves, key figures, agreement, calibration, tuning, quantization."""
    torch.set_num_threads(1)
    watching = watch()
    try:
        chosen, directory = scenario_named(scenario), RunDirectory(run)
        if days == 1:
            raise ValueError("Expected --days 0 or at least 2.")
        config = directory.read_config()
        summary = json.loads(directory.summary.read_text("utf-8")) if directory.summary.exists() else None
        study = None if tuned is None else _study(tuned)
        report = None if bundle is None else read_sealed(bundle).manifest.quantization
        metrics = read_metrics(directory) if directory.metrics.exists() else []
        parts = [sections.about(config, summary), sections.learning(metrics)]
        model = directory.model if directory.model.exists() else directory.best
        if days and model.exists():
            with watching:
                parts += _played(model, chosen, days, watching)
        else:
            parts.append(sections.Section("Key figures", ("No policy was played: none is saved yet, or --days 0.",)))
        parts += [sections.tuning(study), sections.quantization(report)]
    except (ValueError, OSError, RunError, CheckpointError, BundleError, OtherTaskError) as error:
        watching.say(str(error))
        raise typer.Exit(EXIT_BAD_INPUT) from error
    path = run / "report.html" if out is None else out
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(f"Training in {run.name}", parts), encoding="utf-8")
    Console().print(str(path), highlight=False, soft_wrap=True)


def _study(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or "tuning" not in content:
        raise ValueError(f"{path} is no tuned.json: it says nothing of a tuning.")
    found: dict[str, Any] = content["tuning"]
    return found


def _played(model: Path, scenario: Scenario, days: int, watching: Watch) -> list[sections.Section]:
    policy, about = load_policy(model)
    seeds = seed_range(SeedPurpose.VALIDATION, days, FIRST_DAY)
    contestants = [_named(name, scenario) for name in COMPARED_WITH]
    contestants.append(Contestant(model.stem, about, lambda _: policy))
    found = compare(contestants, scenario, seeds, watching)
    watching.say("agreement and calibration")
    played = [generate_day(scenario, seed) for seed in seeds]
    counter = AgreementCounter(policy, comparator(REFERENCE, scenario).build())
    returns_on(played, counter)
    return [
        sections.key_figures(found),
        sections.agreement(counter.share, counter.both_act, counter.same_pair, REFERENCE),
        sections.q_calibration(calibration_of(played, policy), trustworthy=False),
    ]


def _named(name: str, scenario: Scenario) -> Contestant:
    def build(_: Scenario) -> Scorer:
        return comparator(name, scenario).build()

    return Contestant(name, {"comparator": name}, build)
