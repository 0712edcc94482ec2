"""The tuning's own record, docs/benchmarks/windows.json: mean costs per scenario, comparator and window."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.policies import MODEL
from qdispatch_trainer.run_directory import write_json
from qdispatch_trainer.scenarios import Scenario
from qdispatch_trainer.seeds import SeedPurpose
from qdispatch_trainer.source_revision import git_revision
from qdispatch_trainer.windows.tuning import WindowCosts


def chosen(name: str, row: Mapping[str, Any]) -> float:
    """The window to freeze: a comparator's best; the model's too, if its gain over committing nothing ahead is proved.

    Of many noisy means the best is partly luck. A comparator is given the benefit of it, the model is not.
    """
    gain = row["default_minus_best"]
    proved = gain["half_width"] is not None and gain["mean"] - gain["half_width"] > 0.0
    return float(row["best_min"] if name != MODEL or proved else row["default_min"])


class WindowRecord:
    """What has been tuned so far, kept on disk after every comparator so that a tuning can be continued."""

    def __init__(self, path: Path) -> None:
        """Raises ValueError when `path` exists and is no such record."""
        self._path = path
        self.scenarios: dict[str, dict[str, Any]] = {}
        if path.exists():
            content = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(content, dict) or not isinstance(content.get("scenarios"), dict):
                raise ValueError(f"{path} is no record of tuned windows.")
            self.scenarios = content["scenarios"]

    def has(self, scenario: Scenario, comparator: str, days: int, digest: str | None = None) -> bool:
        """Whether this policy has been tuned on at least so many days of this scenario with these cost weights.

        `digest` is a network's: that of another one does not count.
        """
        row = self.scenarios[scenario.name]["comparators"].get(comparator) if self._same(scenario) else None
        return row is not None and row["days"] >= days and row.get("digest") == digest

    def add(
        self, scenario: Scenario, comparator: str, days: int, found: WindowCosts, digest: str | None = None
    ) -> None:
        """Note and write one result; results of another scenario of that name or other weights are dropped."""
        if not self._same(scenario):
            self.scenarios[scenario.name] = {
                "scenario_digest": scenario.digest(),
                "weights_digest": WEIGHTS.digest(),
                "first_seed": SeedPurpose.VALIDATION.first_seed,
                "comparators": {},
            }
        self.scenarios[scenario.name]["comparators"][comparator] = {
            "days": days,
            "best_min": found.best,
            "default_min": found.default,
            "mean_cost": {f"{window:g}": round(cost, 2) for window, cost in found.costs.items()},
            "default_minus_best": {
                k: None if v is None else round(v, 2) for k, v in asdict(found.default_minus_best).items()
            },
            "revision": git_revision(),
            **({} if digest is None else {"digest": digest}),
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self._path, {"scenarios": self.scenarios})

    def best(self) -> dict[str, dict[str, float]]:
        """Scenario -> comparator -> window, what is to be frozen."""
        return {
            scenario: {name: chosen(name, row) for name, row in sorted(rows["comparators"].items())}
            for scenario, rows in sorted(self.scenarios.items())
        }

    def _same(self, scenario: Scenario) -> bool:
        known = self.scenarios.get(scenario.name)
        frozen = (scenario.digest(), WEIGHTS.digest())
        return known is not None and (known["scenario_digest"], known["weights_digest"]) == frozen
