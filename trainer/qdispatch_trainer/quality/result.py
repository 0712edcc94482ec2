"""One result file: one policy on one scenario, every key figure of every day, and what the figures depend on.

The files under docs/benchmarks/quality/<scenario>/<policy>.json are the only source of the published tables.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qdispatch_trainer.comparators import Kind
from qdispatch_trainer.quality.timing import DecisionTime
from qdispatch_trainer.simulator.kpi import DayKpi

FORMAT = 1
DIGITS = 3  # of a key figure
KPIS = tuple(f.name for f in fields(DayKpi) if f.name not in ("scenario", "seed"))


class ResultError(ValueError):
    """A file is no result of this version; the message names it."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often the policy's first choice is cheapest insertion's (its tuned window), on the situations it meets."""

    decisions: int
    agreed: int
    both_act: int  # decisions at which both commit a pair now
    same_pair: int  # of these: the same booking and driver

    def __add__(self, other: Agreement) -> Agreement:
        return Agreement(*(a + b for a, b in zip(_tuple(self), _tuple(other), strict=True)))

    @property
    def share(self) -> float | None:
        """Of the decisions; None before the first."""
        return self.agreed / self.decisions if self.decisions else None

    @property
    def share_when_both_act(self) -> float | None:
        """Of the decisions at which both commit a pair."""
        return self.same_pair / self.both_act if self.both_act else None


@dataclass(frozen=True, slots=True)
class Validated:
    """What the independent validator found in the decision logs and the driven trips of the first `days` days."""

    days: int = 0
    broken_rules: int = 0
    examples: tuple[str, ...] = ()  # the first few


@dataclass(frozen=True, slots=True)
class Result:
    """See the module. `kpis` maps a key figure to one value a day, NaN where a day has nothing to count."""

    scenario: str
    policy: str
    kind: Kind
    parameters: Mapping[str, Any]
    scenario_digest: str
    weights_digest: str
    first_seed: int
    kpis: Mapping[str, npt.NDArray[np.float64]]
    agreement: Agreement | None
    validated: Validated
    revision: str  # of the code that played the last day
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    play_seconds: float  # wall time of all days, with logging where they were validated
    timing: Mapping[str, DecisionTime] = field(default_factory=dict)  # sample -> times
    timing_revision: str = ""

    @property
    def days(self) -> int:
        """How many days have been played."""
        return len(self.kpis["cost"]) if self.kpis else 0

    @property
    def seeds(self) -> range:
        """The days' seeds."""
        return range(self.first_seed, self.first_seed + self.days)

    def same_policy(self, other: Result) -> bool:
        """Whether the other one's days may stand beside these: same scenario, weights, seeds and parameters."""
        return self._identity() == other._identity()

    def _identity(self) -> tuple[Any, ...]:
        parameters = json.dumps(dict(self.parameters), sort_keys=True)
        return self.scenario_digest, self.weights_digest, self.first_seed, self.kind, parameters

    def write(self, path: Path) -> None:
        """Write atomically, one line a key figure."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".partial")
        with temporary.open("w", encoding="utf-8") as file:
            file.write(_to_json(self))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)


def slug(name: str) -> str:
    """A policy's name as the name of its file."""
    return name.lower().replace(" ", "-").replace("/", "-")


def columns(days: Sequence[DayKpi]) -> dict[str, npt.NDArray[np.float64]]:
    """Key figures of days as arrays [N], rounded as they are written."""
    return {name: np.round([float(getattr(day, name)) for day in days], DIGITS) for name in KPIS}


def read_result(path: Path) -> Result:
    """Raises ResultError when the file is missing, damaged or of another version."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("format") != FORMAT:
            raise ResultError(f"{path}: expected format {FORMAT}")
        kpis = {name: np.array([math.nan if v is None else v for v in row]) for name, row in content["kpis"].items()}
        if len({len(row) for row in kpis.values()}) > 1:
            raise ResultError(f"{path}: its key figures have different numbers of days")
        validated = {**content["validated"], "examples": tuple(content["validated"]["examples"])}
        changed = {
            "kind": Kind(content["kind"]),
            "kpis": kpis,
            "agreement": None if content["agreement"] is None else Agreement(**content["agreement"]),
            "validated": Validated(**validated),
            "timing": {name: DecisionTime(**row) for name, row in content["timing"].items()},
        }
        content.pop("days")
        return Result(**(content | changed))
    except ResultError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultError(f"{path} is no result file: {error!r}") from error


def read_results(folder: Path) -> dict[str, dict[str, Result]]:
    """Scenario -> file name without its ending -> result, for every file <folder>/<scenario>/<policy>.json."""
    found: dict[str, dict[str, Result]] = {}
    for path in sorted(folder.glob("*/*.json")):
        found.setdefault(path.parent.name, {})[path.stem] = read_result(path)
    return found


def _to_json(result: Result) -> str:
    plain = {"format": FORMAT, "days": result.days, **{f.name: getattr(result, f.name) for f in fields(Result)}}
    plain["kind"] = result.kind.value
    plain["agreement"] = None if result.agreement is None else asdict(result.agreement)
    plain["validated"] = asdict(result.validated)
    plain["timing"] = {name: {k: _short(v) for k, v in asdict(t).items()} for name, t in result.timing.items()}
    plain["play_seconds"] = round(result.play_seconds, 1)
    kpis = {name: [_short(float(v)) for v in row] for name, row in result.kpis.items()}
    lines = [f'"{name}": {_line(value)}' for name, value in plain.items() if name != "kpis"]
    rows = [f' "{name}": {json.dumps(row, separators=(",", ":"), allow_nan=False)}' for name, row in kpis.items()]
    return "{\n" + ",\n".join([*lines, '"kpis": {\n' + ",\n".join(rows) + "\n}"]) + "\n}\n"


def _line(value: Any) -> str:
    return json.dumps(dict(value) if isinstance(value, Mapping) else value, sort_keys=True, allow_nan=False)


def _short(value: float | None) -> float | int | None:
    """Rounded, whole numbers without a point, NaN as null."""
    if value is None or not math.isfinite(value):
        return None
    rounded = round(value, DIGITS)
    return int(rounded) if rounded == int(rounded) else rounded


def _tuple(agreement: Agreement) -> tuple[int, int, int, int]:
    return agreement.decisions, agreement.agreed, agreement.both_act, agreement.same_pair
