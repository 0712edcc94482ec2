"""Write the README's table of key figures from docs/benchmarks/clinic-day.json, between its markers.

    python scripts/readme_table.py            # rewrite the README
    python scripts/readme_table.py --check    # exit 1 when the README is not what the JSON says

The JSON is what `qdispatch-trainer evaluate --json` wrote; of it only `kpis` is read, a list of tables as in a bundle's
manifest (`qdispatch_bundle.measurements.KpiTable`), of which the one of clinic-day is shown.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from qdispatch_bundle import strict_json
from qdispatch_bundle.measurements import KpiRow, KpiTable

ROOT = Path(__file__).parents[1]
SCENARIO = "clinic-day"
SOURCE = Path("docs/benchmarks/clinic-day.json")
BEGIN = "<!-- clinic-day: begin (written by scripts/readme_table.py) -->"
END = "<!-- clinic-day: end -->"


def read_table(text: str) -> KpiTable:
    """The table of clinic-day in an evaluation's JSON. ValueError when there is none, or not exactly one."""
    document = json.loads(text)
    if not isinstance(document, dict) or not isinstance(document.get("kpis"), list):
        raise ValueError("expected a JSON object with the list `kpis`")
    tables = [strict_json.read(KpiTable, table, f"kpis[{i}]") for i, table in enumerate(document["kpis"])]
    found = [table for table in tables if table.scenario == SCENARIO]
    if len(found) != 1:
        raise ValueError(f"expected one table of {SCENARIO}, got {len(found)}")
    return found[0]


def render(table: KpiTable) -> str:
    """The table as Markdown: a row per policy, a column per key figure, paired differences in the first one."""
    kpis = list(dict.fromkeys(row.kpi for row in table.rows))
    policies = list(dict.fromkeys(row.policy for row in table.rows))
    cells = {(row.policy, row.kpi): row for row in table.rows}
    units = {row.kpi: row.unit for row in table.rows}
    difference = f"{kpis[0]} − {table.reference}, 95 % interval"
    head = ["policy", f"{kpis[0]} ({units[kpis[0]]})", difference, *(f"{kpi} ({units[kpi]})" for kpi in kpis[1:])]
    lines = [
        f"{table.days} {table.scenario} test days (seeds from {table.first_seed:,}), every policy on the same days, "
        f"through the same decoder. Source: [{SOURCE}]({SOURCE}).",
        "",
        f"| {' | '.join(head)} |",
        f"|---|{'---:|' * (len(head) - 1)}",
    ]
    for policy in policies:
        rows = [cells.get((policy, kpi)) for kpi in kpis]
        values = [_mean(rows[0]), _difference(rows[0]), *(_mean(row) for row in rows[1:])]
        lines.append(f"| {policy} | {' | '.join(values)} |")
    return "\n".join(lines)


def _mean(row: KpiRow | None) -> str:
    return "–" if row is None else f"{row.mean:,.1f}"


def _difference(row: KpiRow | None) -> str:
    if row is None or row.difference is None:
        return "–"
    found = row.difference
    return f"{found.mean:+,.1f} [{found.low:+,.1f}, {found.high:+,.1f}]"


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
        new = with_table(old, render(read_table((root / SOURCE).read_text(encoding="utf-8"))))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"readme_table: {error}\n")
        return 2
    if options.check:
        return 0 if new == old else 1
    readme.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
