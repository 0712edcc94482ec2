"""`qdispatch-trainer measure`: play, validate and time policies into result files."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import torch
import typer

from qdispatch_bundle.errors import BundleError
from qdispatch_trainer.checkpoint import CheckpointError
from qdispatch_trainer.comparators import COMPARATORS, ExtraMissing, Policy, comparator
from qdispatch_trainer.policies import HEURISTICS
from qdispatch_trainer.quality.hindsight import measure_hindsight
from qdispatch_trainer.quality.measure import EXTENTS, measure, result_path, time_policy
from qdispatch_trainer.quality.model_policies import MODEL_POLICIES, model_policy
from qdispatch_trainer.quality.targets import HINDSIGHT
from qdispatch_trainer.scenarios import SCENARIOS, Scenario, scenario_named
from qdispatch_trainer.seeds import SeedPurpose
from qdispatch_trainer.watching import watch
from qdispatch_trainer.workers import WorkersError, workers_at

EXIT_BAD_INPUT = 2
ALL_HEURISTICS = "heuristics"
NAMES = (ALL_HEURISTICS, *MODEL_POLICIES, HINDSIGHT, *COMPARATORS)


def measure_command(
    policy: Annotated[list[str], typer.Option(help=f"May be repeated: {', '.join(NAMES)}.")],
    scenario: Annotated[list[str] | None, typer.Option(help="May be repeated. Default: all.")] = None,
    days: Annotated[int, typer.Option(min=2, help="How many days.")] = 200,
    seeds_from: Annotated[int, typer.Option(min=0, help="First seed.")] = SeedPurpose.TEST.first_seed,
    out: Annotated[Path, typer.Option(help="Folder of the result files.")] = Path("docs/benchmarks/quality"),
    model: Annotated[Path | None, typer.Option(help="Bundle or checkpoint of the model policies.")] = None,
    label: Annotated[str, typer.Option(help="Of a variant: seed-2, or what an ablation leaves out.")] = "",
    moves: Annotated[int | None, typer.Option(min=1, help="Of 'model with search'; default: the server's.")] = None,
    validate: Annotated[
        int | None, typer.Option(min=0, help="Days for the validator; default: all, on large fleets some.")
    ] = None,
    timing: Annotated[bool, typer.Option(help="Time decisions where that has not been done.")] = True,
    retime: Annotated[
        bool, typer.Option(help="Time decisions again: on a quiet machine, or with faster code.")
    ] = False,
    ray: Annotated[
        str | None, typer.Option(help="Play on a Ray cluster: its address, auto, or local (extra \\[cluster]).")
    ] = None,
) -> None:
    """Bring result files to so many days; what stands in them already is kept."""
    torch.set_num_threads(1)
    names = [name for given in policy for name in (HEURISTICS if given == ALL_HEURISTICS else (given,))]
    opened = ExitStack()
    watching = opened.enter_context(watch())
    try:
        chosen = [scenario_named(name) for name in (scenario or SCENARIOS)]
        workers = opened.enter_context(closing(workers_at(ray)))
        for one in chosen:
            for name in names:
                path = result_path(out, one, f"{name}--{label}" if label else name)
                if name == HINDSIGHT:
                    measure_hindsight(one, seeds_from, days, path, watching, workers)
                    continue
                built = _policy(name, one, model, moves)
                checked = EXTENTS[one.name].validated_days if validate is None else validate
                result = measure(built, one, seeds_from, days, path, checked, watching, workers)
                if retime or (timing and not result.timing):
                    timed = time_policy(built, one, result, path).timing["day"]
                    watching.say(f"{one.name}, {name}: {timed.mean_ms:.2f} ms a decision, p95 {timed.p95_ms:.2f} ms")
    except (ValueError, CheckpointError, BundleError, ExtraMissing, WorkersError) as error:
        watching.say(str(error))
        raise typer.Exit(EXIT_BAD_INPUT) from error
    finally:
        opened.close()


def _policy(name: str, scenario: Scenario, model: Path | None, moves: int | None) -> Policy:
    if name not in MODEL_POLICIES:
        return comparator(name, scenario)
    if model is None:
        raise ValueError(f"{name!r} needs --model, a bundle or a checkpoint")
    return model_policy(name, model, scenario, moves)
