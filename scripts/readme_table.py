"""Write the README's table of key figures from docs/benchmarks/clinic-day.json, between its markers.

    python scripts/readme_table.py            # rewrite the README
    python scripts/readme_table.py --check    # exit 1 when the README is not what the JSON says

The JSON is what `qdispatch-trainer evaluate --json` wrote.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SOURCE = Path("docs/benchmarks/clinic-day.json")
BEGIN = "<!-- clinic-day: begin (written by scripts/readme_table.py) -->"
END = "<!-- clinic-day: end -->"
COLUMNS = (
    ("served_percent", "served %", 1),
    ("late_outbound_percent", "late outbound %", 1),
    ("late_return_percent", "late return %", 1),
    ("deadhead_km", "empty km", 1),
    ("gap_trips", "gap (trips)", 2),
    ("same_driver_percent", "same driver out and back %", 0),
)


def render(document: Mapping[str, Any]) -> str:
    """An evaluation as Markdown: a row per policy, cheapest first. ValueError when it is no evaluation."""
    try:
        policies = document["policies"]
        baseline = document["baseline"]
        lines = [
            f"{document['days']} {document['scenario']} test days (seeds from {document['first_seed']:,}), every "
            "policy on the same days, through the same decoder and hard rules. Cost in minutes-equivalent a day, lower "
            f"is better (weights {document['weights_digest']}); the difference is {baseline} minus the policy, paired "
            f"by day, with its 95 % interval: below zero the {baseline} is cheaper. Source: [{SOURCE}]({SOURCE}).",
            "",
            f"| policy | cost | {baseline} − policy | {' | '.join(title for _, title, _ in COLUMNS)} |",
            f"|---|{'---:|' * (2 + len(COLUMNS))}",
        ]
        for name in sorted(policies, key=lambda policy: float(policies[policy]["kpis"]["cost"]["mean"])):
            kpis, difference = policies[name]["kpis"], policies[name]["baseline_minus_this"]
            cells = [
                f"**{name}**" if name == baseline else name,
                f"{kpis['cost']['mean']:,.0f}",
                _difference(difference),
            ]
            cells += ["–" if kpis[kpi] is None else f"{kpis[kpi]['mean']:.{digits}f}" for kpi, _, digits in COLUMNS]
            lines.append(f"| {' | '.join(cells)} |")
        agreement = document["agreement_with_cheapest_insertion"]
        lines += ["", f"The model's first choice is cheapest insertion's in {100 * agreement:.1f} % of its decisions."]
    except (KeyError, TypeError) as error:
        raise ValueError(f"this is no evaluation with a model ({error})") from error
    return "\n".join(lines)


def _difference(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "–"
    cost = found["cost"]
    return f"{cost['mean']:+,.0f} [{cost['low']:+,.0f}, {cost['high']:+,.0f}]"


def with_table(readme: str, table: str) -> str:
    """The README with `table` between the markers. ValueError when a marker is missing or there twice."""
    if readme.count(BEGIN) != 1 or readme.count(END) != 1 or readme.index(BEGIN) > readme.index(END):
        raise ValueError(f"expected once each, in this order: {BEGIN} and {END}")
    before, _, rest = readme.partition(BEGIN)
    return f"{before}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}"


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Rewrite or check; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when the README is out of date")
    options = parser.parse_args(arguments)
    readme = root / "README.md"
    try:
        old = readme.read_text(encoding="utf-8")
        new = with_table(old, render(json.loads((root / SOURCE).read_text(encoding="utf-8"))))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"readme_table: {error}\n")
        return 2
    if options.check:
        return 0 if new == old else 1
    readme.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
